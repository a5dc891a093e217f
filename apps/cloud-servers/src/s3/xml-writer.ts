/** An element: text, or elements in order. An absent value leaves the element out. */
export type XmlContent = string | number | boolean | readonly XmlElement[];
/** A name and what is in it. */
export type XmlElement = readonly [name: string, content: XmlContent | undefined];

/** The namespace of S3's documents. */
export const s3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

/** A whole document. Errors have no namespace. */
export function xmlDocument(root: string, content: XmlContent, namespace?: string): Uint8Array {
  const attribute = namespace === undefined ? "" : ` xmlns="${namespace}"`;
  const head = `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${attribute}>`;
  return Buffer.from(`${head}${inside(content)}</${root}>`);
}

function write([name, content]: XmlElement): string {
  if (content === undefined) return "";
  const text = inside(content);
  return text === "" ? `<${name}/>` : `<${name}>${text}</${name}>`;
}

function inside(content: XmlContent): string {
  return typeof content === "object" ? content.map(write).join("") : escapeXml(String(content));
}

/**
 * Control characters become references as S3 sends them. XML 1.0 does not allow most of them even so: clients that list
 * such keys ask for `encoding-type=url`.
 */
function escapeXml(text: string): string {
  return text.replace(/[&<>"\u0000-\u001f\u007f]/g, (character) => {
    switch (character) {
      case "&":
        return "&amp;";
      case "<":
        return "&lt;";
      case ">":
        return "&gt;";
      case '"':
        return "&quot;";
      default:
        return `&#x${(character.codePointAt(0) ?? 0).toString(16)};`;
    }
  });
}

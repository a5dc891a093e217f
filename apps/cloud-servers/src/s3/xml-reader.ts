/**
 * Reads the XML documents that S3 takes in request bodies: elements, text and attributes that do not matter. No document
 * types, so no entities but the five; no processing instructions behind the declaration.
 */
import { S3Error } from "./s3-error.ts";

/** An element as read. `text` is what stands directly in it. */
export interface XmlNode {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlNode[];
}

interface OpenNode {
  readonly name: string;
  text: string;
  readonly children: OpenNode[];
}

const token =
  /<!--[\s\S]*?-->|<\/([\w:.-]+)\s*>|<([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y;
const depthMax = 16;

/** @throws S3Error MalformedXML */
export function readXml(bytes: Uint8Array): XmlNode {
  const source = decode(bytes).replace(/^\uFEFF?\s*<\?xml[^>]*\?>/, "");
  const top: OpenNode = { name: "", text: "", children: [] };
  const open: OpenNode[] = [top];
  token.lastIndex = 0;
  while (token.lastIndex < source.length) {
    const match = token.exec(source);
    if (match === null) throw new S3Error("MalformedXML");
    const [, closing, opening, , empty, text] = match;
    const current = open.at(-1) ?? top;
    if (text !== undefined) current.text += unescapeXml(text);
    else if (closing !== undefined) {
      if (open.length === 1 || current.name !== closing) throw new S3Error("MalformedXML");
      open.pop();
    } else if (opening !== undefined) {
      const node: OpenNode = { name: opening, text: "", children: [] };
      current.children.push(node);
      if (empty === "") open.push(node);
      if (open.length > depthMax) throw new S3Error("MalformedXML");
    }
  }
  const [root, ...others] = top.children;
  if (root === undefined || others.length > 0 || open.length > 1 || top.text.trim() !== "") {
    throw new S3Error("MalformedXML");
  }
  return root;
}

/** The text of a child; undefined when there is none. @throws S3Error MalformedXML when there are several */
export function childText(node: XmlNode, name: string): string | undefined {
  const found = node.children.filter((child) => child.name === name);
  if (found.length > 1) throw new S3Error("MalformedXML");
  return found[0]?.text;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new S3Error("MalformedXML");
  }
}

const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(/&([^;&]*);?/g, (whole, name: string) => {
    if (!whole.endsWith(";")) throw new S3Error("MalformedXML");
    const known = Object.hasOwn(named, name) ? named[name] : undefined;
    if (known !== undefined) return known;
    const number = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name);
    const codePoint =
      number === null ? -1 : Number.parseInt(number[1] ?? number[2] ?? "", number[1] === undefined ? 10 : 16);
    if (codePoint < 0 || codePoint > 0x10_ff_ff) throw new S3Error("MalformedXML");
    return String.fromCodePoint(codePoint);
  });
}

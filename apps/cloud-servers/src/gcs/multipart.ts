/** Takes apart a multipart/related body of two parts: metadata, then media. RFC 2046, section 5.1; binary-safe. */
import { type ApiError, invalid, notImplemented } from "./api-error.ts";

/** Views of the body. */
export interface RelatedParts {
  readonly metadata: Uint8Array;
  readonly media: Uint8Array;
  readonly mediaType: string | undefined;
}

/** @throws ApiError 400 */
export function boundaryOf(contentType: string | undefined): string {
  const match = /^multipart\/related *;(?:.*;)? *boundary=(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType ?? "");
  const boundary = match?.[1] ?? match?.[2];
  if (boundary === undefined || boundary.length > 70) throw malformed("Content-Type names no boundary");
  return boundary;
}

/**
 * @param body read only
 * @throws ApiError 400 for another shape, 501 for a part in a transfer encoding
 */
export function parseRelated(body: Buffer, boundary: string): RelatedParts {
  const parts = splitParts(body, boundary).map(parsePart);
  const [metadata, media] = parts;
  if (metadata === undefined || media === undefined || parts.length !== 2) {
    throw malformed(`it has ${parts.length} parts, not two`);
  }
  const type = metadata.headers.get("content-type") ?? "application/json";
  if (!/^application\/json *(;|$)/i.test(type)) throw malformed(`its first part is ${type}, not application/json`);
  return { metadata: metadata.content, media: media.content, mediaType: media.headers.get("content-type") };
}

/** Between delimiters: a delimiter is a line that begins with the boundary and has but blanks after it. */
function splitParts(body: Buffer, boundary: string): Buffer[] {
  const delimiter = Buffer.from(`--${boundary}`, "latin1");
  const parts: Buffer[] = [];
  let partStart: number | undefined;
  for (let at = body.indexOf(delimiter); at >= 0; at = body.indexOf(delimiter, at + 1)) {
    const isLineStart = at === 0 || (body[at - 2] === 0x0d && body[at - 1] === 0x0a);
    if (!isLineStart) continue;
    const after = at + delimiter.length;
    const isLast = body[after] === 0x2d && body[after + 1] === 0x2d;
    const lineEnd = isLast ? after : endOfBlankLine(body, after);
    if (lineEnd === undefined) continue;
    // The line break before a delimiter belongs to the delimiter.
    if (partStart !== undefined) parts.push(body.subarray(partStart, Math.max(partStart, at - 2)));
    if (isLast) return parts;
    partStart = lineEnd;
  }
  throw malformed("it does not end with its boundary");
}

/** Where the next line begins, if only blanks come before. */
function endOfBlankLine(body: Buffer, from: number): number | undefined {
  let at = from;
  while (body[at] === 0x20 || body[at] === 0x09) at++;
  return body[at] === 0x0d && body[at + 1] === 0x0a ? at + 2 : undefined;
}

interface Part {
  readonly headers: ReadonlyMap<string, string>;
  readonly content: Buffer;
}

function parsePart(part: Buffer): Part {
  const isHeaderless = part[0] === 0x0d && part[1] === 0x0a;
  const headersEnd = isHeaderless ? 0 : part.indexOf("\r\n\r\n");
  if (headersEnd < 0) throw malformed("a part has no empty line after its headers");
  const headers = new Map<string, string>();
  for (const line of part.toString("latin1", 0, headersEnd).split("\r\n")) {
    if (line === "") continue;
    const [, name, value] = /^([^\s:]+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw malformed("a part has a line that is no header");
    headers.set(name.toLowerCase(), value);
  }
  const encoding = headers.get("content-transfer-encoding")?.toLowerCase() ?? "binary";
  if (!["binary", "7bit", "8bit"].includes(encoding)) throw notImplemented(`Content-Transfer-Encoding: ${encoding}`);
  return { headers, content: part.subarray(headersEnd + (isHeaderless ? 2 : 4)) };
}

function malformed(problem: string): ApiError {
  return invalid(`Malformed multipart body: ${problem}.`);
}

/** The canonical request of Signature Version 4, from what went over the wire. Pure. */
import { createHash } from "node:crypto";

/** A request as its signature covers it. */
export interface SignedRequest {
  readonly method: string;
  /** Decoded bytes of the path, as one Latin-1 character a byte. */
  readonly pathBytes: string;
  /** Decoded names and values of the query, in any order, likewise. Without the signature. */
  readonly query: readonly (readonly [name: string, value: string])[];
  /** Lower case name and value of every signed header, as received; a name may repeat. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Lower case, sorted. */
  readonly signedHeaders: readonly string[];
  /** Hex of the SHA-256 of the body, or one of the literals that stand for it. */
  readonly payloadHash: string;
}

/** S3's form: the path is encoded once, and not normalised. */
export function canonicalRequest(request: SignedRequest): string {
  const query = request.query
    .map(([name, value]) => [encodeBytes(name), encodeBytes(value)] as const)
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
  const headers = request.signedHeaders.map((name) => `${name}:${headerValue(request.headers, name)}\n`).join("");
  return [
    request.method,
    encodeBytes(request.pathBytes).replaceAll("%2F", "/"),
    query,
    headers,
    request.signedHeaders.join(";"),
    request.payloadHash,
  ].join("\n");
}

/** What is signed: algorithm, time, scope and the hash of the canonical request. */
export function stringToSign(timestamp: string, scope: string, canonical: string): string {
  return `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${sha256Hex(canonical)}`;
}

/** Lower case hexadecimal. */
export function sha256Hex(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function headerValue(headers: SignedRequest["headers"], name: string): string {
  return headers
    .filter(([each]) => each === name)
    .map(([, value]) => value.trim().replace(/ +/g, " "))
    .join(",");
}

/** Every byte but the unreserved characters, in upper case. */
function encodeBytes(latin1: string): string {
  return latin1.replace(
    /[^A-Za-z0-9\-._~]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

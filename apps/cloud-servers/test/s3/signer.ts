/**
 * Signature Version 4 from the client's side, written from the vendor's description and sharing no code with the server:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html. The published examples check it.
 */
import { createHash, createHmac } from "node:crypto";

export interface SigningIdentity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  readonly service: string;
}

export interface RequestToSign {
  readonly method: string;
  /** Not encoded. */
  readonly path: string;
  /** Not encoded. */
  readonly query: Readonly<Record<string, string>>;
  /** Lower case names; all of them are signed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly payloadHash: string;
  /** `YYYYMMDDTHHMMSSZ`. */
  readonly timestamp: string;
}

export interface Signature {
  readonly signature: string;
  readonly signedHeaders: string;
  readonly credential: string;
}

export function hashHex(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function mac(key: string | Buffer, data: string): Buffer {
  return createHmac("sha256", key).update(data).digest();
}

/** RFC 3986, with `/` left alone in paths. */
export function uriEncode(text: string, keepsSlash = false): string {
  let encoded = "";
  for (const byte of Buffer.from(text, "utf8")) {
    const character = String.fromCharCode(byte);
    const isPlain = /[A-Za-z0-9_.~-]/.test(character) || (keepsSlash && character === "/");
    encoded += isPlain ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

export function queryText(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => `${uriEncode(name)}=${uriEncode(value)}`)
    .sort()
    .join("&");
}

export function scopeOf(identity: SigningIdentity, timestamp: string): string {
  return `${timestamp.slice(0, 8)}/${identity.region}/${identity.service}/aws4_request`;
}

function keyOf({ secretAccessKey, region, service }: SigningIdentity, timestamp: string): Buffer {
  return mac(mac(mac(mac(`AWS4${secretAccessKey}`, timestamp.slice(0, 8)), region), service), "aws4_request");
}

export function sign(identity: SigningIdentity, request: RequestToSign): Signature {
  const names = Object.keys(request.headers).sort();
  const signedHeaders = names.join(";");
  const canonical =
    `${request.method}\n${uriEncode(request.path, true)}\n${queryText(request.query)}\n` +
    `${names.map((name) => `${name}:${(request.headers[name] ?? "").trim().replace(/\s+/g, " ")}\n`).join("")}\n` +
    `${signedHeaders}\n${request.payloadHash}`;
  const scope = scopeOf(identity, request.timestamp);
  const text = `AWS4-HMAC-SHA256\n${request.timestamp}\n${scope}\n${hashHex(canonical)}`;
  return {
    signature: mac(keyOf(identity, request.timestamp), text).toString("hex"),
    signedHeaders,
    credential: `${identity.accessKeyId}/${scope}`,
  };
}

export function authorizationHeader({ credential, signedHeaders, signature }: Signature): string {
  return `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
}

/** The query of a presigned request. */
export function presign(
  identity: SigningIdentity,
  request: Omit<RequestToSign, "payloadHash">,
  expiresSeconds: number,
  payloadHash = "UNSIGNED-PAYLOAD",
): Record<string, string> {
  const query = {
    ...request.query,
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${identity.accessKeyId}/${scopeOf(identity, request.timestamp)}`,
    "X-Amz-Date": request.timestamp,
    "X-Amz-Expires": String(expiresSeconds),
    "X-Amz-SignedHeaders": Object.keys(request.headers).sort().join(";"),
  };
  return { ...query, "X-Amz-Signature": sign(identity, { ...request, query, payloadHash }).signature };
}

/** Chunks of a signed streaming body: the signature of each, from the request's on. */
export function chunkSignature(
  identity: SigningIdentity,
  timestamp: string,
  previous: string,
  data: Uint8Array,
): string {
  const text = `AWS4-HMAC-SHA256-PAYLOAD\n${timestamp}\n${scopeOf(identity, timestamp)}\n${previous}\n${hashHex("")}\n${hashHex(data)}`;
  return mac(keyOf(identity, timestamp), text).toString("hex");
}

/** @param trailer `name:value\n` each */
export function trailerSignature(
  identity: SigningIdentity,
  timestamp: string,
  previous: string,
  trailer: string,
): string {
  const text = `AWS4-HMAC-SHA256-TRAILER\n${timestamp}\n${scopeOf(identity, timestamp)}\n${previous}\n${hashHex(trailer)}`;
  return mac(keyOf(identity, timestamp), text).toString("hex");
}

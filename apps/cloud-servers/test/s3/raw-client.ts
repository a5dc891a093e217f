/** Requests to the server as bytes on a connection: no client library stands between a test and the protocol. */
import { request as httpRequest } from "node:http";
import type { S3Server } from "../../src/s3/s3-server.ts";
import { authorizationHeader, hashHex, queryText, sign, type SigningIdentity, uriEncode } from "./signer.ts";

export const identity: SigningIdentity = {
  accessKeyId: "AKIATEST",
  secretAccessKey: "a secret/of+a test",
  region: "us-east-1",
  service: "s3",
};
export const credentials = { accessKeyId: identity.accessKeyId, secretAccessKey: identity.secretAccessKey };

export interface RawRequest {
  readonly method: string;
  /** Not encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Default: the hash of the body. */
  readonly payloadHash?: string;
  readonly timestamp?: string;
  readonly identity?: SigningIdentity;
  /** Changes what was signed, to make it wrong. */
  readonly tamper?: (headers: Record<string, string>) => void;
  /** `false` sends no signature at all. */
  readonly signed?: boolean;
}

export interface RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly bytes: Buffer;
  readonly text: string;
  /** The code of an error document. */
  readonly code: string | undefined;
}

export function timestampOf(wallUs: number): string {
  return new Date(wallUs / 1000).toISOString().replace(/[-:]|\.\d+/g, "");
}

export const now = "20231114T221320Z";

export function signedHeaders(server: Pick<S3Server, "host" | "port">, raw: RawRequest): Record<string, string> {
  const timestamp = raw.timestamp ?? now;
  const payloadHash = raw.payloadHash ?? hashHex(raw.body ?? "");
  const headers: Record<string, string> = { host: `${server.host}:${server.port}`, ...raw.headers };
  if (raw.signed === false) return headers;
  headers["x-amz-date"] = timestamp;
  headers["x-amz-content-sha256"] = payloadHash;
  const toSign = { method: raw.method, path: raw.path, query: raw.query ?? {}, headers, payloadHash, timestamp };
  headers["authorization"] = authorizationHeader(sign(raw.identity ?? identity, toSign));
  raw.tamper?.(headers);
  return headers;
}

export function send(server: Pick<S3Server, "host" | "port">, raw: RawRequest): Promise<RawResponse> {
  const query = queryText(raw.query ?? {});
  const path = `${uriEncode(raw.path, true)}${query === "" ? "" : `?${query}`}`;
  return sendAs(server, raw.method, path, signedHeaders(server, raw), raw.body);
}

export function sendAs(
  server: Pick<S3Server, "host" | "port">,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array | undefined,
): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const sent: Record<string, string> = { ...headers };
    const isFramed = sent["content-length"] !== undefined || sent["transfer-encoding"] !== undefined;
    if (body !== undefined && !isFramed) sent["content-length"] = String(Buffer.byteLength(body));
    const request = httpRequest({ host: server.host, port: server.port, method, path, headers: sent, agent: false });
    request.on("error", reject);
    request.on("response", (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () => {
        const bytes = Buffer.concat(pieces);
        const text = bytes.toString("utf8");
        const code = /<Error><Code>([^<]+)<\/Code>/.exec(text)?.[1];
        const flat = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
        resolve({ status: response.statusCode ?? 0, headers: Object.fromEntries(flat), bytes, text, code });
      });
    });
    request.end(body);
  });
}

// One HTTP request as written here, nothing added or made canonical but Host and Content-Length.
import { request } from "node:http";
import { type GcsServer, type GcsServerOptions, startGcsServer } from "@varve/cloud-servers";

/** A server with one bucket, "bucket", for as long as the work takes. */
export async function withServer<T>(
  options: Partial<GcsServerOptions>,
  work: (server: GcsServer) => Promise<T>,
): Promise<T> {
  const server = await startGcsServer({ buckets: ["bucket"], ...options });
  try {
    return await work(server);
  } finally {
    await server.close();
  }
}

/** What came back. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** The body as JSON; fails the test when it is none. */
  readonly json: Record<string, unknown>;
  /** Of an error: `error.errors[0].reason`. */
  readonly reason: string | undefined;
}

export interface RawRequest {
  readonly headers?: Readonly<Record<string, string>>;
  /** An object goes as JSON. */
  readonly body?: string | Uint8Array | Readonly<Record<string, unknown>>;
}

/** @param line method and path with query, as in "GET /storage/v1/b/bucket" */
export function raw(server: Pick<GcsServer, "port">, line: string, options: RawRequest = {}): Promise<RawAnswer> {
  const [method = "", path = ""] = line.split(" ");
  const given = options.body;
  const isBytes = given === undefined || typeof given === "string" || given instanceof Uint8Array;
  const body = isBytes ? given : JSON.stringify(given);
  return new Promise((resolve, reject) => {
    const headers = { ...(isBytes ? {} : { "content-type": "application/json" }), ...options.headers };
    const outgoing = request(
      { host: "127.0.0.1", port: server.port, method, path, headers: { ...lengthOf(body), ...headers }, agent: false },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () => {
          const { statusCode: status = 0, headers: received } = incoming;
          resolve(rawAnswer(status, received as Record<string, string | undefined>, Buffer.concat(chunks)));
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function lengthOf(body: string | Uint8Array | undefined): Record<string, string> {
  return body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
}

function rawAnswer(status: number, headers: Record<string, string | undefined>, body: Buffer): RawAnswer {
  return {
    status,
    headers,
    body,
    get json() {
      return JSON.parse(body.toString()) as Record<string, unknown>;
    },
    get reason() {
      if (body.length === 0) return undefined;
      const { error } = JSON.parse(body.toString()) as {
        error?: { code: number; message: string; errors: { domain: string; reason: string; message: string }[] };
      };
      if (error !== undefined && error.code !== status) return `the envelope says ${error.code}`;
      return error?.errors[0]?.reason;
    },
  };
}

/** A generation far from any that the server gives. */
export const otherGeneration = "17";

/** Puts an object and returns its resource. */
export async function put(
  server: GcsServer,
  name: string,
  bytes: string | Uint8Array,
  contentType: string = "text/plain",
): Promise<Record<string, unknown>> {
  const answer = await raw(
    server,
    `POST /upload/storage/v1/b/bucket/o?uploadType=media&name=${encodeURIComponent(name)}`,
    { body: bytes, headers: { "content-type": contentType } },
  );
  if (answer.status !== 200) throw new Error(`put ${name}: ${answer.status} ${answer.body.toString()}`);
  return answer.json;
}

/** A body of two parts. @param boundary that is in neither */
export function related(metadata: object, media: string | Uint8Array, boundary: string = "cut-here"): RawRequest {
  const body = Buffer.concat([
    Buffer.from(
      `--${boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify(metadata)}\r\n`,
    ),
    Buffer.from(`--${boundary}\r\nContent-Type: text/plain\r\n\r\n`),
    Buffer.from(media),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  return { body, headers: { "content-type": `multipart/related; boundary=${boundary}` } };
}

/** Starts a resumable upload; the answer's Location without the origin. */
export async function start(
  server: GcsServer,
  name: string,
  options: RawRequest & { readonly query?: string } = {},
): Promise<string> {
  const answer = await raw(
    server,
    `POST /upload/storage/v1/b/bucket/o?uploadType=resumable&name=${encodeURIComponent(name)}${options.query ?? ""}`,
    options,
  );
  if (answer.status !== 200) throw new Error(`start ${name}: ${answer.status} ${answer.body.toString()}`);
  return (answer.headers["location"] ?? "").slice(server.url.length);
}

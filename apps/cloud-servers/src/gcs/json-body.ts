/** Reading a request's body as JSON. */
import { ApiError, invalid, notImplemented } from "./api-error.ts";

const maxJsonBytes = 1024 * 1024;

/** Nothing is read as an empty object. @throws ApiError 400 for what is not a JSON object, 413 beyond 1 MiB */
export async function readJson(
  body: AsyncIterable<Uint8Array>,
  headers: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await readAll(body, maxJsonBytes);
  if (bytes.length === 0) return {};
  const type = headers["content-type"];
  if (type !== undefined && !/^application\/json *(;|$)/i.test(type)) {
    throw new ApiError(400, "badContent", `Unsupported content with type: ${type}`);
  }
  return parseJsonObject(bytes);
}

/** @throws ApiError 400 */
export function parseJsonObject(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new ApiError(400, "parseError", "Parse Error");
  }
  if (!isRecord(value)) throw invalid("The body is not a JSON object.");
  return value;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws ApiError 413 beyond `maxBytes` */
export async function readAll(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new ApiError(413, "uploadTooLarge", `The body has more than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Headers that would change what a request means, and that no handler here acts on. */
const leftOutHeaders =
  /^(content-encoding|if-match|if-none-match|if-modified-since|if-unmodified-since|if-range|x-goog-encryption-.*|x-goog-copy-source-encryption-.*|x-goog-meta-.*|x-goog-if-.*|x-http-method-override)$/;

/** @throws ApiError 501 */
export function refuseHeaders(headers: Readonly<Record<string, string>>): void {
  const name = Object.keys(headers).find((header) => leftOutHeaders.test(header));
  if (name !== undefined && !(name === "content-encoding" && headers[name] === "identity")) {
    throw notImplemented(`the header ${name}`);
  }
}

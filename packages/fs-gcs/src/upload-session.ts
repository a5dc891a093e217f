/** Single requests to one resumable upload. What to send is decided in `resumable-uploads.ts`. */
import { StoreError, type WriteCondition } from "@varve/fs-core";
import { formatCrc32c } from "./crc32c.ts";
import { type GcsClient, parseJson } from "./gcs-client.ts";
import type { HttpAnswer } from "./gcs-request.ts";
import { notTheStore } from "./map-gcs-error.ts";
import { parseWritten, type WrittenObject } from "./object-resource.ts";
import { contentRange, persistedBytes } from "./upload-range.ts";

/** How far an upload is. */
export type UploadStatus =
  | { readonly isComplete: false; readonly persisted: number }
  | { readonly isComplete: true; readonly written: WrittenObject };

/** "Resume Incomplete", which HTTP at large knows as a redirect. */
const incomplete = 308;
/** "Client Closed Request": what a session that was deleted answers. */
const cancelled = 499;

/**
 * The address of an upload, from its id. An id may come from outside, and requests carry a token: only Google's hosts and
 * the endpoint itself are believed.
 * @throws StoreError `INVALID_ARGUMENT`, without the id
 */
export function sessionUrl(uploadId: string, endpoint: URL): URL {
  const url = URL.canParse(uploadId) ? new URL(uploadId) : undefined;
  const isGoogles = (host: string): boolean => /(?:^|\.)googleapis\.com$/.test(host);
  const isTrusted =
    url !== undefined &&
    url.username + url.password === "" &&
    (url.origin === endpoint.origin ||
      (url.protocol === "https:" && url.port === "" && isGoogles(url.hostname) && isGoogles(endpoint.hostname)));
  if (!isTrusted) throw new StoreError("INVALID_ARGUMENT", "uploadId: not an upload of this endpoint");
  return url;
}

export interface SessionCall {
  readonly client: GcsClient;
  readonly session: URL;
  readonly signal: AbortSignal;
}

/** Asks without changing anything. @throws StoreError `NOT_FOUND` */
export async function askStatus({ client, session, signal }: SessionCall): Promise<UploadStatus> {
  const answer = await client.send({
    method: "PUT",
    target: { session },
    headers: { "content-range": contentRange(0, 0, undefined) },
    changes: false,
    accepts: [incomplete],
    signal,
  });
  return statusOf(answer, false);
}

/** A piece that is not the last. The upload cannot become an object by it. */
export async function sendPiece(
  { client, session, signal }: SessionCall,
  offset: number,
  bytes: Uint8Array,
): Promise<UploadStatus> {
  const answer = await client.send({
    method: "PUT",
    target: { session },
    headers: { "content-range": contentRange(offset, bytes.byteLength, undefined) },
    body: [bytes],
    changes: true,
    accepts: [incomplete],
    signal,
  });
  return statusOf(answer, true);
}

export interface Ending {
  readonly offset: number;
  /** All that is still to be sent; may be empty. */
  readonly bytes: Uint8Array;
  readonly total: number;
  /** CRC-32C of the whole: the store refuses another. */
  readonly crc32c: number;
  readonly condition: WriteCondition;
}

/** Makes the object appear. @throws StoreError `ALREADY_EXISTS`, `VERSION_MISMATCH`, `CORRUPT`, `NOT_FOUND`, … */
export async function endUpload(
  { client, session, signal }: SessionCall,
  { offset, bytes, total, crc32c, condition }: Ending,
): Promise<UploadStatus> {
  const answer = await client.send({
    method: "PUT",
    target: { session },
    headers: {
      "content-range": contentRange(offset, bytes.byteLength, total),
      "x-goog-hash": `crc32c=${formatCrc32c(crc32c)}`,
    },
    body: [bytes],
    changes: true,
    condition,
    declaresChecksum: "of-upload",
    accepts: [incomplete],
    signal,
  });
  return statusOf(answer, true);
}

/** Idempotent. */
export async function cancelUpload({ client, session, signal }: SessionCall): Promise<void> {
  await client.send({
    method: "DELETE",
    target: { session },
    changes: true,
    accepts: [cancelled, 404, 410],
    signal,
  });
}

function statusOf(answer: HttpAnswer, changes: boolean): UploadStatus {
  if (answer.status !== incomplete) {
    return { isComplete: true, written: parseWritten(parseJson(answer, { changes }), changes) };
  }
  const persisted = persistedBytes(answer.headers.range);
  if (persisted === undefined) throw notTheStore("308 with a Range that is none", changes, answer.status);
  return { isComplete: false, persisted };
}

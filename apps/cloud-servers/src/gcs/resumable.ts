/** Resumable uploads: starting, feeding, asking, cancelling. https://cloud.google.com/storage/docs/resumable-uploads */
import { ApiError, invalid, invalidParameter } from "./api-error.ts";
import { parseResource } from "./attributes.ts";
import type { Answer, Call } from "./call.ts";
import { checksumsInHeaders } from "./checksums.ts";
import { parseConditions } from "./conditions.ts";
import { ContentSink } from "./content.ts";
import { type ContentRange, parseContentRange } from "./content-range.ts";
import { withContentEncoding } from "./insert.ts";
import { readAll, readJson } from "./json-body.ts";
import { checkObjectName } from "./object-name.ts";
import { bucketOf, newId, type Service } from "./service.ts";
import { resourceOf } from "./stored-object.ts";
import { chunkUnitBytes, UploadSession } from "./upload-session.ts";

/** POST: makes a session. Its address is its own credential, and says everything that this request said. */
export async function startUpload(service: Service, call: Call): Promise<Answer> {
  const { query, headers } = call;
  const bucket = bucketOf(service, call.target.bucket);
  const { attributes, checksums, ...parsed } = parseResource(await readJson(call.body, headers));
  const name = query.get("name") ?? parsed.name ?? query.require("name");
  checkObjectName(name);
  const contentType = attributes.text.contentType ?? headers["x-upload-content-type"] ?? "application/octet-stream";
  const session = new UploadSession(
    {
      id: newId(service.random),
      bucket,
      name,
      attributes: withContentEncoding({ ...attributes, text: { ...attributes.text, contentType } }, query),
      checksums: [checksums, checksumsInHeaders(headers)],
      conditions: parseConditions(query),
      totalBytes: declaredTotal(headers["x-upload-content-length"]),
      startedUs: service.clock.monotonicUs(),
    },
    new ContentSink(service.budget, service.discardBodies),
  );
  service.sessions.add(session);
  const { id } = session.start;
  // As the client sees the server: it may have come through a proxy.
  const origin = headers["host"] === undefined ? service.origin : `http://${headers["host"]}`;
  const location = `${origin}/upload/storage/v1/b/${encodeURIComponent(bucket.name)}/o?${query.text}&upload_id=${id}`;
  return { status: 200, headers: { location, "x-guploader-uploadid": id }, bytes: [] };
}

function declaredTotal(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (!/^\d{1,15}$/.test(header)) throw invalid(`Invalid X-Upload-Content-Length: ${header}`);
  return Number(header);
}

/** PUT: bytes of the object, or the question how many are there. */
export async function putUpload(service: Service, call: Call): Promise<Answer> {
  const session = sessionOf(service, call);
  const range = parseContentRange(call.headers["content-range"]);
  const ended = answerOfEnd(service, session);
  if (ended !== undefined) return ended;
  const { bytes, total } = range;
  if (total !== undefined) session.setTotal(total);
  if (bytes === undefined) {
    if ((await readAll(call.body, chunkUnitBytes)).length > 0) {
      throw invalid("A request that asks how far the upload is has no body.");
    }
    if (total === undefined || total > session.persistedBytes) return incomplete(session);
  } else {
    const length = call.headers["content-length"];
    if (bytes.last !== undefined && length !== undefined && Number(length) !== bytes.last + 1 - bytes.first) {
      throw invalid(`Content-Range does not fit to Content-Length ${length}.`);
    }
    const isTooLong = bytes.last !== undefined && bytes.last >= (session.totalBytes ?? Infinity);
    if (isTooLong) throw invalid(`Content-Range goes beyond the ${session.totalBytes} bytes of the upload.`);
    if (bytes.first > session.persistedBytes) throw gap(bytes.first, session.persistedBytes);
  }
  const writer = session.takeOver();
  if (bytes !== undefined && !(await persist(session, writer, call.body, bytes, total))) return incomplete(session);
  const object = session.complete(writer, checksumsInHeaders(call.headers));
  return { status: 200, resource: resourceOf(object, service.origin) };
}

/**
 * Appends what is new of the body, in units of 256 KiB while it arrives: what came before a connection broke stays.
 * @returns whether the upload has all its bytes
 */
async function persist(
  session: UploadSession,
  writer: number,
  body: AsyncIterable<Uint8Array>,
  { first, last }: NonNullable<ContentRange["bytes"]>,
  total: number | undefined,
): Promise<boolean> {
  // Bytes that are persisted already are passed over.
  let skip = session.persistedBytes - first;
  let received = 0;
  const limit = (last === undefined ? (session.totalBytes ?? Infinity) : last + 1) - first;
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  for await (const chunk of body) {
    received += chunk.length;
    if (received > limit) throw invalid(`The body goes beyond byte ${first + limit}.`);
    const fresh = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - fresh.length;
    if (fresh.length > 0) pending.push(fresh);
    pendingBytes += fresh.length;
    const whole = pendingBytes - (pendingBytes % chunkUnitBytes);
    if (whole === 0) continue;
    pendingBytes -= whole;
    pending = appendFirst(session, writer, pending, whole);
  }
  if (last !== undefined && received < limit) throw invalid(`Content-Range does not fit to ${received} bytes.`);
  const end = first + received;
  if (last === undefined && total === undefined) session.setTotal(end);
  if (end !== session.totalBytes) return false;
  for (const chunk of pending) session.append(writer, chunk);
  return true;
}

/** @returns the rest of `pending` after its first `bytes` */
function appendFirst(session: UploadSession, writer: number, pending: Uint8Array[], bytes: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  let left = bytes;
  for (const chunk of pending) {
    const now = Math.min(left, chunk.length);
    if (now > 0) session.append(writer, chunk.subarray(0, now));
    if (now < chunk.length) rest.push(chunk.subarray(now));
    left -= now;
  }
  return rest;
}

/** DELETE: ends an upload without an object. */
export async function cancelUpload(service: Service, call: Call): Promise<Answer> {
  const session = sessionOf(service, call);
  const ended = answerOfEnd(service, session);
  if (ended !== undefined) return ended;
  session.abandon("cancelled");
  return { status: 499, bytes: [] };
}

function sessionOf(service: Service, call: Call): UploadSession {
  const session = service.sessions.get(call.query.require("upload_id"));
  if (session.start.bucket.name !== call.target.bucket) throw invalidParameter("upload_id", "of another bucket");
  return session;
}

function answerOfEnd(service: Service, { end }: UploadSession): Answer | undefined {
  if (end?.kind === "failed") throw end.error;
  if (end?.kind === "complete") return { status: 200, resource: resourceOf(end.object, service.origin) };
  return undefined;
}

/** 308, which the service calls "Resume Incomplete": Range says what is persisted, and is absent for nothing. */
function incomplete(session: UploadSession): Answer {
  const bytes = session.persistedBytes;
  return { status: 308, headers: bytes === 0 ? {} : { range: `bytes=0-${bytes - 1}` }, bytes: [] };
}

function gap(offset: number, persisted: number): ApiError {
  return new ApiError(
    503,
    "backendError",
    `Invalid request. By its Content-Range the upload is at byte ${offset}, but only ${persisted} are persisted.`,
  );
}

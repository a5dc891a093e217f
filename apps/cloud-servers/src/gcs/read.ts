/** Reading one object, and the bucket. https://cloud.google.com/storage/docs/json_api/v1/objects/get */
import { ApiError, notImplemented } from "./api-error.ts";
import { parseRange } from "./byte-range.ts";
import type { Answer, Call } from "./call.ts";
import { checkReadConditions, parseConditions } from "./conditions.ts";
import { sliceChunks } from "./content.ts";
import { crc32cText } from "./crc32c.ts";
import { bucketOf, type Service } from "./service.ts";
import { etagOf, resourceOf, type StoredObject, timeText } from "./stored-object.ts";

/** The metadata. */
export async function getObject(service: Service, call: Call): Promise<Answer> {
  const object = readable(service, call);
  return { status: 200, headers: { etag: etagOf(object) }, resource: resourceOf(object, service.origin) };
}

/** alt=media: the bytes, or a range of them. */
export async function getMedia(service: Service, call: Call): Promise<Answer> {
  const object = readable(service, call);
  const { content, attributes } = object;
  if (content.chunks === undefined) throw notImplemented("downloads: it was started to discard bodies");
  if (needsTranscoding(object, call)) throw notImplemented("decompression of what was stored with gzip");
  const range = parseRange(call.headers["range"], content.size);
  const { start, end } = range ?? { start: 0, end: content.size };
  const { cacheControl, contentDisposition, contentEncoding, contentLanguage, contentType } = attributes.text;
  const headers: Record<string, string | undefined> = {
    "accept-ranges": "bytes",
    "cache-control": cacheControl,
    "content-disposition": contentDisposition ?? "attachment",
    "content-encoding": contentEncoding,
    "content-language": contentLanguage,
    "content-range": range === undefined ? undefined : `bytes ${start}-${end - 1}/${content.size}`,
    "content-type": contentType ?? "application/octet-stream",
    etag: etagOf(object),
    "last-modified": new Date(object.updatedUs / 1000).toUTCString(),
    "x-goog-generation": String(object.generation),
    // Of the whole object, also with a range.
    "x-goog-hash": `crc32c=${crc32cText(content.crc32c)}${content.md5 === undefined ? "" : `,md5=${content.md5}`}`,
    "x-goog-metageneration": String(object.metageneration),
    "x-goog-storage-class": attributes.storageClass,
    "x-goog-stored-content-encoding": contentEncoding ?? "identity",
    "x-goog-stored-content-length": String(content.size),
  };
  return {
    status: range === undefined ? 200 : 206,
    headers: Object.fromEntries(
      Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    bytes: sliceChunks(content.chunks, start, end),
  };
}

function readable(service: Service, call: Call): StoredObject {
  const { query, target } = call;
  const conditions = parseConditions(query);
  const object = bucketOf(service, target.bucket).get(target.object ?? "", query.int64("generation"));
  try {
    checkReadConditions(conditions, object);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 304) throw error;
    throw new ApiError(304, "", error.message, { headers: { etag: etagOf(object) } });
  }
  return object;
}

/** Whether the service would send other bytes than it stores. https://cloud.google.com/storage/docs/transcoding */
function needsTranscoding({ attributes }: StoredObject, call: Call): boolean {
  const { contentEncoding, cacheControl } = attributes.text;
  const isZipped = contentEncoding?.toLowerCase() === "gzip";
  const takesIt = /\bgzip\b/i.test(call.headers["accept-encoding"] ?? "");
  return isZipped && !takesIt && !/\bno-transform\b/i.test(cacheControl ?? "");
}

/** The bucket's metadata; nothing here changes it, so its metageneration is 1. */
export async function getBucket(service: Service, call: Call): Promise<Answer> {
  const bucket = bucketOf(service, call.target.bucket);
  const versions = { generation: 1n, metageneration: 1n };
  checkReadConditions(parseConditions(call.query), versions);
  return {
    status: 200,
    resource: {
      kind: "storage#bucket",
      id: bucket.name,
      selfLink: `${service.origin}/storage/v1/b/${encodeURIComponent(bucket.name)}`,
      name: bucket.name,
      location: "US",
      locationType: "multi-region",
      storageClass: "STANDARD",
      metageneration: "1",
      etag: etagOf(versions),
      timeCreated: timeText(bucket.createdUs),
      updated: timeText(bucket.createdUs),
    },
  };
}

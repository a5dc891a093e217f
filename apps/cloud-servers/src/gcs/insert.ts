/** Uploads in one request. https://cloud.google.com/storage/docs/json_api/v1/objects/insert */
import { type Attributes, noAttributes, parseResource } from "./attributes.ts";
import type { Answer, Call } from "./call.ts";
import { checksumsInHeaders, type ExpectedChecksums, verifyChecksums } from "./checksums.ts";
import { parseConditions } from "./conditions.ts";
import { type Budget, ContentSink } from "./content.ts";
import { parseJsonObject } from "./json-body.ts";
import { boundaryOf, parseRelated } from "./multipart.ts";
import { checkObjectName } from "./object-name.ts";
import type { Query } from "./query.ts";
import { bucketOf, type Service } from "./service.ts";
import { resourceOf } from "./stored-object.ts";

/** uploadType=media: the body is the object, the query has its name. */
export async function insertMedia(service: Service, call: Call): Promise<Answer> {
  const contentType = call.headers["content-type"] ?? "application/octet-stream";
  const attributes = { ...noAttributes, text: { contentType } };
  return insert(service, call, { name: call.query.require("name"), attributes, checksums: {}, body: call.body });
}

/** uploadType=multipart: metadata and bytes in one body. */
export async function insertMultipart(service: Service, call: Call): Promise<Answer> {
  const boundary = boundaryOf(call.headers["content-type"]);
  const body = await readWithin(service.budget, call.body);
  const { metadata, media, mediaType } = parseRelated(body, boundary);
  const { attributes, checksums, ...parsed } = parseResource(parseJsonObject(metadata));
  const contentType = attributes.text.contentType ?? mediaType ?? "application/octet-stream";
  return insert(service, call, {
    name: call.query.get("name") ?? parsed.name ?? call.query.require("name"),
    attributes: { ...attributes, text: { ...attributes.text, contentType } },
    checksums,
    body: [media],
  });
}

/** The whole body. While it arrives its bytes count; the parts that are kept count on. @throws ApiError 413 */
async function readWithin(budget: Budget, body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let taken = 0;
  try {
    for await (const chunk of body) {
      budget.take(chunk.length);
      taken += chunk.length;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } finally {
    budget.give(taken);
  }
}

interface Upload {
  readonly name: string;
  readonly attributes: Attributes;
  readonly checksums: ExpectedChecksums;
  readonly body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

async function insert(service: Service, call: Call, upload: Upload): Promise<Answer> {
  const bucket = bucketOf(service, call.target.bucket);
  checkObjectName(upload.name);
  const conditions = parseConditions(call.query);
  const expected = checksumsInHeaders(call.headers);
  const attributes = withContentEncoding(upload.attributes, call.query);
  const sink = new ContentSink(service.budget, service.discardBodies);
  try {
    for await (const chunk of upload.body) sink.append(chunk);
    const content = sink.finish();
    verifyChecksums(content, upload.checksums, expected);
    const object = bucket.put(upload.name, { content, attributes }, conditions);
    return { status: 200, resource: resourceOf(object, service.origin) };
  } catch (error) {
    sink.release();
    throw error;
  }
}

/** The query's contentEncoding goes before the metadata's. */
export function withContentEncoding(attributes: Attributes, query: Query): Attributes {
  const contentEncoding = query.get("contentEncoding");
  return contentEncoding === undefined ? attributes : { ...attributes, text: { ...attributes.text, contentEncoding } };
}

/**
 * Copies within the server: rewrite, copy, move. A copy without a body takes the source's metadata, one with a body
 * has that body's and nothing of the source's.
 */
import { invalidParameter } from "./api-error.ts";
import { parseResource } from "./attributes.ts";
import type { Bucket, NewObject } from "./bucket.ts";
import type { Answer, Call } from "./call.ts";
import { checkConditions, type Conditions, conditionNames, parseConditions } from "./conditions.ts";
import { readJson } from "./json-body.ts";
import { checkObjectName } from "./object-name.ts";
import type { Query } from "./query.ts";
import type { RewriteRequest } from "./rewrite-tokens.ts";
import { bucketOf, newId, type Service } from "./service.ts";
import { resourceOf, type StoredObject } from "./stored-object.ts";

const mebibyte = 1024n * 1024n;

/** Query parameters that all calls of one rewrite share. */
export const rewriteParameters: readonly string[] = [
  ...conditionNames(""),
  ...conditionNames("Source"),
  "sourceGeneration",
  "maxBytesRewrittenPerCall",
];

/** https://cloud.google.com/storage/docs/json_api/v1/objects/rewrite */
export async function rewriteObject(service: Service, call: Call): Promise<Answer> {
  // The vendor's client for Node repeats its token in the body, where the service does not look.
  const { token: _, ...body } = await readJson(call.body, call.headers);
  const token = call.query.get("rewriteToken");
  const request: RewriteRequest = { target: call.target, query: call.query, body };
  const progress = token === undefined ? undefined : service.rewriteTokens.resume(token, request, rewriteParameters);
  const first = progress?.first ?? request;
  const copy = prepareCopy(service, first, progress?.generation);
  const { size } = copy.source.content;
  const rewritten = Math.min(size, (progress?.rewrittenBytes ?? 0) + bytesPerCall(service, first.query));
  const figures = { kind: "storage#rewriteResponse", totalBytesRewritten: String(rewritten), objectSize: String(size) };
  if (rewritten < size) {
    // Checked at every call; the last one decides.
    checkConditions(copy.conditions, copy.destination.find(copy.name));
    const rewriteToken = newId(service.random);
    const { generation } = copy.source;
    service.rewriteTokens.add(rewriteToken, { first, generation, rewrittenBytes: rewritten });
    return { status: 200, resource: { ...figures, done: false, rewriteToken } };
  }
  const object = copy.destination.putShared(copy.name, copy.from, copy.conditions);
  return { status: 200, resource: { ...figures, done: true, resource: resourceOf(object, service.origin) } };
}

function bytesPerCall(service: Service, query: Query): number {
  const asked = query.int64("maxBytesRewrittenPerCall");
  if (asked === undefined) return service.rewriteBytesPerCall;
  if (asked === 0n || asked % mebibyte !== 0n) {
    throw invalidParameter("maxBytesRewrittenPerCall", "not a multiple of 1 MiB");
  }
  return Math.min(Number(asked), service.rewriteBytesPerCall);
}

/** https://cloud.google.com/storage/docs/json_api/v1/objects/copy */
export async function copyObject(service: Service, call: Call): Promise<Answer> {
  const body = await readJson(call.body, call.headers);
  const copy = prepareCopy(service, { target: call.target, query: call.query, body });
  const object = copy.destination.putShared(copy.name, copy.from, copy.conditions);
  return { status: 200, resource: resourceOf(object, service.origin) };
}

interface Copy {
  readonly source: StoredObject;
  readonly destination: Bucket;
  readonly name: string;
  readonly from: NewObject;
  readonly conditions: Conditions;
}

/** Checks whatever does not depend on the destination. No await between this and the change. */
function prepareCopy(service: Service, { query, target, body }: RewriteRequest, pinnedGeneration?: bigint): Copy {
  const destination = bucketOf(service, target.destinationBucket);
  const name = target.destinationObject ?? "";
  checkObjectName(name);
  const asked = query.int64("sourceGeneration");
  const source = bucketOf(service, target.bucket).get(target.object ?? "", pinnedGeneration ?? asked);
  checkConditions(parseConditions(query, "Source"), source);
  const { content, componentCount } = source;
  const attributes = Object.keys(body).length === 0 ? source.attributes : parseResource(body).attributes;
  return {
    source,
    destination,
    name,
    from: componentCount === undefined ? { content, attributes } : { content, attributes, componentCount },
    conditions: parseConditions(query),
  };
}

/** https://cloud.google.com/storage/docs/json_api/v1/objects/move */
export async function moveObject(service: Service, { query, target }: Call): Promise<Answer> {
  const name = target.destinationObject ?? "";
  checkObjectName(name);
  const bucket = bucketOf(service, target.bucket);
  const object = bucket.move(target.object ?? "", name, parseConditions(query, "Source"), parseConditions(query));
  return { status: 200, resource: resourceOf(object, service.origin) };
}

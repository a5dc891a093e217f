/** Changes of one object in place: its metadata, its end. */
import { patchAttributes } from "./attributes.ts";
import type { Answer, Call } from "./call.ts";
import { parseConditions } from "./conditions.ts";
import { readJson } from "./json-body.ts";
import { bucketOf, type Service } from "./service.ts";
import { etagOf, resourceOf } from "./stored-object.ts";

/** https://cloud.google.com/storage/docs/json_api/v1/objects/patch */
export async function patchObject(service: Service, call: Call): Promise<Answer> {
  const { query, target } = call;
  const conditions = parseConditions(query);
  const generation = query.int64("generation");
  const patch = await readJson(call.body, call.headers);
  const object = bucketOf(service, target.bucket).setAttributes(
    target.object ?? "",
    generation,
    (before) => patchAttributes(before, patch),
    conditions,
  );
  return { status: 200, headers: { etag: etagOf(object) }, resource: resourceOf(object, service.origin) };
}

/** https://cloud.google.com/storage/docs/json_api/v1/objects/delete */
export async function deleteObject(service: Service, call: Call): Promise<Answer> {
  const { query, target } = call;
  const conditions = parseConditions(query);
  bucketOf(service, target.bucket).delete(target.object ?? "", query.int64("generation"), conditions);
  return { status: 204, bytes: [] };
}

/** Copies and renames inside of a bucket, by the store itself. */
import { type DriverCopy, type DriverPutResult, isStoreError, StoreError } from "@varve/fs-core";
import type { GcsCall, GcsClient } from "./gcs-client.ts";
import { generationOf, writeConditionQuery } from "./generation.ts";
import { notTheStore } from "./map-gcs-error.ts";
import { objectPath, withQuery } from "./object-address.ts";
import { parseWritten, record, resourceOf, writtenFields } from "./object-resource.ts";

/** Names in one bucket. */
export interface CopyNames {
  readonly bucket: string;
  readonly from: string;
  readonly to: string;
}

/**
 * The store copies as much as it can in one request and gives a token to go on with; only the last request makes the
 * object appear, and it checks the condition once more.
 */
export async function copyObject(
  client: GcsClient,
  names: CopyNames,
  request: DriverCopy,
  signal: AbortSignal,
): Promise<DriverPutResult> {
  const { bucket, from, to } = names;
  const query = {
    ifSourceGenerationMatch: generationOf(request.ifSourceMatch),
    fields: `done,rewriteToken,resource(${writtenFields})`,
    ...writeConditionQuery(request),
  };
  const path = `${objectPath(bucket, from)}/rewriteTo${objectPath(bucket, to).slice("/storage/v1".length)}`;
  let rewriteToken: string | undefined;
  for (;;) {
    const value = await sendWithSource(client, names, request, {
      method: "POST",
      target: { path: withQuery(path, { ...query, rewriteToken }) },
      headers: { "content-type": "application/json; charset=UTF-8" },
      body: [Buffer.from(resourceOf(undefined, request))],
      changes: true,
      condition: request,
      signal,
    });
    const { done, rewriteToken: next, resource } = record(value);
    if (done === true) return { version: parseWritten(resource, true).generation };
    if (done !== false || typeof next !== "string" || next === "") throw notTheStore("a copy without an end", true);
    rewriteToken = next;
  }
}

/** @throws StoreError `NOT_FOUND`, `ALREADY_EXISTS` */
export async function renameObject(
  client: GcsClient,
  { bucket, from, to }: CopyNames,
  condition: { readonly ifAbsent: boolean },
  signal: AbortSignal,
): Promise<void> {
  const path = `${objectPath(bucket, from)}/moveTo/o/${encodeURIComponent(to)}`;
  const value = await client.sendForJson({
    method: "POST",
    target: { path: withQuery(path, { fields: writtenFields, ...writeConditionQuery(condition) }) },
    changes: true,
    condition,
    signal,
  });
  parseWritten(value, true);
}

/** A 412 does not say whether it is about the source or about the destination, so the source is looked at. */
async function sendWithSource(
  client: GcsClient,
  { bucket, from }: CopyNames,
  { ifSourceMatch }: DriverCopy,
  call: GcsCall,
): Promise<unknown> {
  try {
    return await client.sendForJson(call);
  } catch (error) {
    if (!isStoreError(error) || error.status !== 412) throw error;
    const path = withQuery(objectPath(bucket, from), { fields: writtenFields });
    const value = await client.sendForJson({ method: "GET", target: { path }, changes: false, signal: call.signal });
    if (parseWritten(value, false).generation === ifSourceMatch) throw error;
    throw new StoreError("VERSION_MISMATCH", "the source is another version by now", { status: 412, cause: error });
  }
}

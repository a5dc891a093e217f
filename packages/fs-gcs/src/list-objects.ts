/** Pages of a listing, in order of UTF-8 bytes. */
import type { DriverList, DriverListPage } from "@varve/fs-core";
import type { GcsClient } from "./gcs-client.ts";
import { notTheStore } from "./map-gcs-error.ts";
import { objectsPath, withQuery } from "./object-address.ts";
import { listFields, parseListed, record } from "./object-resource.ts";

const listKind = "storage#objects";

/** @param request names of the bucket, not keys of the driver; so are those of the page */
export async function listObjects(
  client: GcsClient,
  bucket: string,
  request: DriverList,
  signal: AbortSignal,
): Promise<DriverListPage> {
  const { prefix, startAfter, delimiter, pageSize, pageToken } = request;
  const page = await send(client, bucket, signal, {
    prefix: prefix === "" ? undefined : prefix,
    // Inclusive, so the key itself may come too.
    startOffset: startAfter,
    delimiter,
    maxResults: pageSize,
    pageToken,
    fields: listFields,
  });
  const objects = page.items.filter(({ key }) => key !== startAfter);
  const prefixes: string[] = [];
  for (const folder of page.prefixes) {
    const mayBeEmpty = startAfter?.startsWith(folder) === true;
    if (!mayBeEmpty || (await hasMore(client, bucket, folder, startAfter, signal))) prefixes.push(folder);
  }
  return { objects, prefixes, nextPageToken: page.nextPageToken };
}

/** Whether a folder has an object after `startAfter`, which lies in it: else it is shown only because of that one. */
async function hasMore(
  client: GcsClient,
  bucket: string,
  folder: string,
  startAfter: string,
  signal: AbortSignal,
): Promise<boolean> {
  const query = { prefix: folder, startOffset: startAfter, maxResults: 2, fields: listFields };
  const { items, nextPageToken } = await send(client, bucket, signal, query);
  // A page may hold fewer than it was asked for: what comes with the next one is not known, and a folder may be shown.
  return nextPageToken !== undefined || items.some(({ key }) => key !== startAfter);
}

interface Page {
  readonly items: readonly ReturnType<typeof parseListed>[];
  readonly prefixes: readonly string[];
  readonly nextPageToken: string | undefined;
}

async function send(
  client: GcsClient,
  bucket: string,
  signal: AbortSignal,
  query: Parameters<typeof withQuery>[1],
): Promise<Page> {
  const path = withQuery(objectsPath(bucket), query);
  const value = await client.sendForJson({ method: "GET", target: { path }, changes: false, signal });
  // What is empty is left out.
  const { kind, items = [], prefixes = [], nextPageToken } = record(value);
  // Any other document would read as a listing of nothing.
  if (kind !== listKind || !Array.isArray(items) || !Array.isArray(prefixes)) throw notTheStore("no listing", false);
  return {
    items: items.map(parseListed),
    prefixes: prefixes.map(String),
    nextPageToken: typeof nextPageToken === "string" && nextPageToken !== "" ? nextPageToken : undefined,
  };
}

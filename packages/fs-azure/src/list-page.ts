/** Listings: the service's names and pages as the driver's, one request a page. */
import type { DriverList, DriverListPage } from "@varve/fs-core";
import type { BlobItem, BlobPrefix, ContainerClient, ContainerListBlobsOptions } from "@azure/storage-blob";
import { versionOf } from "./version.ts";

interface Page {
  readonly segment: { readonly blobItems: readonly BlobItem[]; readonly blobPrefixes?: readonly BlobPrefix[] };
  readonly continuationToken?: string;
}

/** @param folder of all keys, empty or ending in `/` */
export async function listPage(
  container: ContainerClient,
  folder: string,
  isHierarchical: boolean,
  request: DriverList,
  signal: AbortSignal,
): Promise<DriverListPage> {
  const start = startFrom(request);
  if (start === null) return { objects: [], prefixes: [], nextPageToken: undefined };
  const page = await requestPage(container, request, signal, {
    prefix: folder + request.prefix,
    ...(start === undefined ? {} : { startFrom: folder + start }),
    // Only metadata tells a folder from an object.
    ...(isHierarchical ? { includeMetadata: true } : {}),
  });
  const { blobItems, blobPrefixes = [] } = page.segment;
  return {
    objects: blobItems
      .filter((item) => !isHierarchical || !isFolder(item.metadata))
      .map(({ name, properties }) => ({
        key: name.slice(folder.length),
        size: properties.contentLength ?? 0,
        version: versionOf(properties.etag),
        lastModifiedMs: properties.lastModified.getTime(),
      })),
    prefixes: blobPrefixes.map(({ name }) => name.slice(folder.length)),
    nextPageToken: page.continuationToken || undefined,
  };
}

/** Folders of a hierarchical namespace look like empty blobs. */
export function isFolder(metadata: Readonly<Record<string, string>> | undefined): boolean {
  return Object.entries(metadata ?? {}).some(
    ([name, value]) => name.toLowerCase() === "hdi_isfolder" && value.toLowerCase() === "true",
  );
}

/**
 * Where the listing begins, which the service takes inclusively, only within the prefix, and with a delimiter only down to
 * one level below it. What comes too early is left out by the caller, so it may begin earlier than asked for: before the first
 * character from which on UTF-8, by which callers count, and UTF-16 order keys differently.
 * @returns undefined: at the prefix; null: there can be nothing after `startAfter`
 */
function startFrom({
  prefix,
  startAfter,
  delimiter,
}: Pick<DriverList, "prefix" | "startAfter" | "delimiter">): string | undefined | null {
  if (startAfter === undefined) return undefined;
  if (!startAfter.startsWith(prefix)) {
    return Buffer.compare(Buffer.from(startAfter), Buffer.from(prefix)) < 0 ? undefined : null;
  }
  const end = /[\ud800-\uffff]/.exec(startAfter)?.index ?? startAfter.length;
  if (end <= prefix.length) return undefined;
  const start = startAfter.slice(0, end);
  const slash = delimiter === undefined ? -1 : start.indexOf("/", prefix.length);
  return slash < 0 ? start : start.slice(0, slash);
}

async function requestPage(
  container: ContainerClient,
  { delimiter, pageSize, pageToken }: Pick<DriverList, "delimiter" | "pageSize" | "pageToken">,
  signal: AbortSignal,
  options: ContainerListBlobsOptions,
): Promise<Page> {
  const all = { ...options, abortSignal: signal };
  const settings = { maxPageSize: pageSize, ...(pageToken === undefined ? {} : { continuationToken: pageToken }) };
  const pages: AsyncIterable<Page> =
    delimiter === undefined
      ? container.listBlobsFlat(all).byPage(settings)
      : container.listBlobsByHierarchy(delimiter, all).byPage(settings);
  for await (const page of pages) return page;
  return { segment: { blobItems: [] } };
}

/**
 * Uploads that were begun. The service lists blobs that have nothing but blocks waiting, and below each blob the blocks, whose
 * ids name the upload. Blocks that wait to replace an object are only found where that object is empty.
 */
import type { IncompleteUpload } from "@varve/fs-core";
import type { BlobItem, ContainerClient } from "@azure/storage-blob";
import { uploadOf } from "./block-id.ts";

/** Each blob takes a request of its own: so many that a page is done in seconds. */
const pageSize = 100;

/** Uploads of other programs have this id. */
const foreignUpload = "foreign";

export async function listUploadsPage(
  container: ContainerClient,
  folder: string,
  { prefix, pageToken }: { readonly prefix: string; readonly pageToken: string | undefined },
  signal: AbortSignal,
): Promise<{ readonly uploads: readonly IncompleteUpload[]; readonly nextPageToken: string | undefined }> {
  const pages = container
    .listBlobsFlat({ prefix: folder + prefix, includeUncommitedBlobs: true, abortSignal: signal })
    .byPage({ maxPageSize: pageSize, ...(pageToken === undefined ? {} : { continuationToken: pageToken }) });
  for await (const { segment, continuationToken } of pages) {
    const uploads: IncompleteUpload[] = [];
    for (const item of segment.blobItems) {
      // A blob of nothing but waiting blocks has no bytes.
      if (item.properties.contentLength === 0) uploads.push(...(await uploadsBelow(container, folder, item, signal)));
    }
    return { uploads, nextPageToken: continuationToken || undefined };
  }
  return { uploads: [], nextPageToken: undefined };
}

async function uploadsBelow(
  container: ContainerClient,
  folder: string,
  { name, properties }: BlobItem,
  signal: AbortSignal,
): Promise<IncompleteUpload[]> {
  let blocks: readonly { readonly name: string }[];
  try {
    const list = await container.getBlockBlobClient(name).getBlockList("uncommitted", { abortSignal: signal });
    blocks = list.uncommittedBlocks ?? [];
  } catch (error) {
    // Gone since it was listed, or of a kind without blocks.
    const { statusCode } = error as { readonly statusCode?: unknown };
    if (statusCode === 404 || statusCode === 409) return [];
    throw error;
  }
  const ids = new Set(blocks.map((block) => uploadOf(block.name) ?? foreignUpload));
  const startedMs = (properties.createdOn ?? properties.lastModified).getTime();
  return [...ids].map((uploadId) => ({ key: name.slice(folder.length), uploadId, startedMs }));
}

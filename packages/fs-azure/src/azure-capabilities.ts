import type { StoreCapabilities } from "@varve/fs-core";
import type { ResolvedAzureSettings } from "./azure-settings.ts";

const mebibyte = 2 ** 20;

/** Of the service version that the SDK speaks; sizes from the vendor's "Scalability and performance targets for Blob storage". */
export function azureCapabilities({ prefix, dfsEndpoint }: ResolvedAzureSettings): StoreCapabilities {
  const isHierarchical = dfsEndpoint !== undefined;
  return Object.freeze({
    putIfAbsent: true,
    completeIfAbsent: true,
    copyIfAbsent: true,
    putIfMatch: true,
    deleteIfMatch: true,
    rename: isHierarchical,
    uniqueVersions: true,
    // The vendor promises alphabetical order and does not define it beyond U+FFFF, where UTF-16 and UTF-8 differ (the
    // emulator's is UTF-16); and a hierarchical namespace is walked folder by folder, `a/b` before `a-b`.
    orderedList: false,
    listStartAfter: !isHierarchical,
    listAnyPrefix: true,
    nestedKeys: !isHierarchical,
    parallelParts: true,
    listUploads: true,
    // Blocks that were not committed are dropped by the service after a week, or by the next write of the blob.
    abortUploads: false,
    checksum: "crc64nvme",
    durable: true,
    limits: Object.freeze({
      putBytesMax: 5000 * mebibyte,
      partBytesMin: 1,
      partBytesMax: 4000 * mebibyte,
      partBytesMultiple: 1,
      partsMax: 50_000,
      objectBytesMax: 50_000 * 4000 * mebibyte,
      copyBytesMax: 256 * mebibyte,
      deleteManyMax: 1,
      // The service counts characters: so many bytes always fit.
      keyBytesMax: 1024 - Buffer.byteLength(prefix),
      metadataBytesMax: 8192,
    }),
  });
}

import type { StoreCapabilities } from "@varve/fs-core";
import { pieceBytesMultiple } from "./upload-range.ts";

const GiB = 2 ** 30;
const TiB = 2 ** 40;

/**
 * What Cloud Storage promises, https://cloud.google.com/storage/quotas and
 * https://cloud.google.com/storage/docs/consistency.
 * @param prefixBytes of every name, taken by the store's folder
 */
export function gcsCapabilities(prefixBytes: number): StoreCapabilities {
  return {
    putIfAbsent: true,
    completeIfAbsent: true,
    copyIfAbsent: true,
    putIfMatch: true,
    deleteIfMatch: true,
    rename: true,
    uniqueVersions: true,
    orderedList: true,
    listStartAfter: true,
    listAnyPrefix: true,
    nestedKeys: true,
    parallelParts: false,
    listUploads: false,
    abortUploads: true,
    checksum: "crc32c",
    durable: true,
    limits: {
      // An object may have 5 TiB; in one request that cannot be resumed, a thousandth is plenty.
      putBytesMax: 5 * GiB,
      partBytesMin: pieceBytesMultiple,
      partBytesMax: 5 * GiB,
      partBytesMultiple: pieceBytesMultiple,
      partsMax: 1_000_000,
      objectBytesMax: 5 * TiB,
      copyBytesMax: 5 * TiB,
      deleteManyMax: 1,
      keyBytesMax: 1024 - prefixBytes,
      metadataBytesMax: 8192,
    },
  };
}

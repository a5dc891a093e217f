import type { StoreCapabilities } from "@varve/fs-core";
import type { ResolvedS3Settings } from "./s3-settings.ts";

const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;
const partsMax = 10_000;

/** What the S3 API promises, less what the settings deny; a server may keep less still, which `probe()` finds out. */
export function s3Capabilities(settings: ResolvedS3Settings): StoreCapabilities {
  const { isExpress, isCustomEndpoint, checksumMode, prefix, conditions } = settings;
  return {
    ...conditions,
    rename: isExpress,
    // ETags are digests of the bytes, but random in directory buckets.
    uniqueVersions: isExpress,
    orderedList: !isExpress,
    listStartAfter: !isExpress,
    listAnyPrefix: !isExpress,
    nestedKeys: true,
    parallelParts: true,
    listUploads: true,
    abortUploads: true,
    checksum: checksumMode === "store" ? "crc64nvme" : "none",
    durable: true,
    limits: {
      putBytesMax: 5 * gibibyte,
      partBytesMin: 5 * mebibyte,
      partBytesMax: 5 * gibibyte,
      partBytesMultiple: 1,
      partsMax,
      // https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html: as many parts of the largest size as there may be.
      objectBytesMax: isCustomEndpoint ? 5 * 1024 * gibibyte : partsMax * 5 * gibibyte,
      copyBytesMax: 5 * gibibyte,
      deleteManyMax: 1000,
      keyBytesMax: 1024 - Buffer.byteLength(prefix),
      metadataBytesMax: 2048,
    },
  };
}

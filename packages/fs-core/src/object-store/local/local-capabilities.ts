import type { StoreCapabilities } from "../store-capabilities.ts";

/** Of a directory. Sizes are those of the file systems that a log meets, not of the largest. */
export const localCapabilities: StoreCapabilities = {
  putIfAbsent: true,
  completeIfAbsent: true,
  copyIfAbsent: true,
  putIfMatch: true,
  deleteIfMatch: true,
  // A name in the object's place, then none in the old: two steps.
  rename: false,
  uniqueVersions: true,
  orderedList: true,
  listStartAfter: true,
  listAnyPrefix: true,
  nestedKeys: false,
  parallelParts: true,
  listUploads: true,
  abortUploads: true,
  checksum: "crc64nvme",
  durable: true,
  limits: {
    putBytesMax: 2 ** 32,
    partBytesMin: 1,
    partBytesMax: 2 ** 32,
    partBytesMultiple: 1,
    partsMax: 100_000,
    objectBytesMax: 8 * 2 ** 40,
    copyBytesMax: 8 * 2 ** 40,
    deleteManyMax: 1,
    keyBytesMax: 900,
    metadataBytesMax: 2048,
  },
};

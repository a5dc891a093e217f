/**
 * What a store can do, as data. What is false here is refused with `UNSUPPORTED` before a request is sent; what is true
 * was promised by the vendor, and `probe()` tells whether the endpoint at hand keeps it.
 */
export interface StoreCapabilities {
  /** `put` with `ifAbsent`. */
  readonly putIfAbsent: boolean;
  /** Completing an upload in parts with `ifAbsent`. */
  readonly completeIfAbsent: boolean;
  /** `copy` with `ifAbsent`. */
  readonly copyIfAbsent: boolean;
  /** `put` with `ifMatch`. */
  readonly putIfMatch: boolean;
  /** Completing an upload in parts with `ifMatch`. Left out: as `putIfMatch`. */
  readonly completeIfMatch?: boolean;
  /** `delete` with `ifMatch`. */
  readonly deleteIfMatch: boolean;
  /** `rename` in one atomic request. */
  readonly rename: boolean;
  /** Two puts of equal bytes give two versions. False where a version is a digest of the content. */
  readonly uniqueVersions: boolean;
  /** `list` is in order of the keys' UTF-8 bytes. */
  readonly orderedList: boolean;
  /** `list` takes any `startAfter`. */
  readonly listStartAfter: boolean;
  /** `list` takes any `prefix`; false: only one that ends in `/`. */
  readonly listAnyPrefix: boolean;
  /** One key may be the folder of another: `a` beside `a/b`. */
  readonly nestedKeys: boolean;
  /** Parts of one upload may be sent at once and in any order. */
  readonly parallelParts: boolean;
  /** `listIncompleteUploads`. */
  readonly listUploads: boolean;
  /** `abortUpload` frees what was sent; false: the store forgets it by itself after some days. */
  readonly abortUploads: boolean;
  /** What the store itself verifies of what it receives. */
  readonly checksum: "crc64nvme" | "crc32c" | "none";
  /** What was acknowledged survives the end of the process. */
  readonly durable: boolean;
  readonly limits: StoreLimits;
}

/** Sizes in bytes, unless named otherwise. */
export interface StoreLimits {
  /** Of one `put` request. */
  readonly putBytesMax: number;
  /** Of every part but the last. */
  readonly partBytesMin: number;
  readonly partBytesMax: number;
  /** Every part but the last is a multiple of this. */
  readonly partBytesMultiple: number;
  readonly partsMax: number;
  readonly objectBytesMax: number;
  /** Of one `copy` request; larger objects are copied in parts. */
  readonly copyBytesMax: number;
  /** Keys of one `deleteMany` request; 1 where there is no such request. */
  readonly deleteManyMax: number;
  /** Of a key's UTF-8 form. */
  readonly keyBytesMax: number;
  /** Of all metadata names and values together. */
  readonly metadataBytesMax: number;
}

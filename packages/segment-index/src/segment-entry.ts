import type { SegmentStatus } from "./segment-status.ts";

/**
 * What an index knows about one segment. Ids, sizes, counts and times are whole numbers in 0..2^53-1; checksums are
 * CRC-64/NVME in 0..2^64-1. Entries handed out are frozen.
 */
export interface SegmentEntry {
  /** Id of the first record, 1 or more. Identifies the segment. */
  readonly baseId: number;
  /** Id of the last record; `baseId - 1` while the segment is empty. Lags behind the file while it is active. */
  readonly lastId: number;
  /** Records in the segment, at most `lastId - baseId + 1`. */
  readonly recordCount: number;
  /** Wall clock, milliseconds since 1970. A label. */
  readonly createdAt: number;
  readonly finalizedAt?: number;
  readonly archivedAt?: number;
  /** Timestamp of the first record, microseconds since 1970; 0 while the segment is empty. */
  readonly firstTimestampUs: number;
  /** Highest timestamp in the segment, microseconds since 1970; 0 while it is empty. */
  readonly lastTimestampUs: number;
  /** Bytes of header and records. */
  readonly dataLength: number;
  /** Bytes of the whole local file, offset table and footer included. */
  readonly originalSize: number;
  /** Bytes of the archived object. */
  readonly compressedSize?: number;
  /** Of the local file. */
  readonly uncompressedChecksum: bigint;
  /** Of the archived object. */
  readonly compressedChecksum?: bigint;
  /** The writer's epoch when the segment was begun. */
  readonly epoch: number;
  readonly status: SegmentStatus;
  /** Relative to the log's directory; absent once the local file is gone. At most 512 bytes. */
  readonly localPath?: string;
  /** Where the remote copy is. Present on every `archived` entry. At most 1024 bytes. */
  readonly archiveKey?: string;
  /** Identity of the store that holds it. At most 128 bytes. */
  readonly archiveStoreId?: string;
  /** The store's entity tag of the verified copy. At most 256 bytes. */
  readonly archiveEtag?: string;
  /** Names the key the segment is encrypted with; never the key. At most 256 bytes. */
  readonly keyId?: string;
  /** How the remote copy is compressed, for example `zstd`. At most 32 bytes. */
  readonly codec?: string;
  /**
   * The index revision that last changed this entry. Compare for equality only: revisions never repeat, not even
   * when an entry is removed and added again.
   */
  readonly version: number;
}

/** An entry before an index gave it a version. */
export type NewSegmentEntry = Omit<SegmentEntry, "version">;

/** Fields to change. `undefined` removes an optional field. Status changes go through `transition`. */
export type SegmentPatch = {
  readonly [Field in Exclude<
    keyof SegmentEntry,
    "baseId" | "version" | "status"
  >]?: undefined extends SegmentEntry[Field] ? SegmentEntry[Field] | undefined : SegmentEntry[Field];
};

/** The optional whole-number fields, in their order on disk. */
export const optionalNumbers = ["finalizedAt", "archivedAt", "compressedSize"] as const;

/** The text fields in their order on disk, each with its limit in UTF-8 bytes. */
export const textFields = [
  // What every file system of interest takes, with room for a few directories.
  ["localPath", 512],
  // The longest key that S3, Azure and GCS all take.
  ["archiveKey", 1024],
  ["archiveStoreId", 128],
  ["archiveEtag", 256],
  ["keyId", 256],
  ["codec", 32],
] as const;

/** Bytes of the local file per byte in the archive, above 1 when compression helped; undefined before it is archived. */
export function compressionRatio(entry: Pick<SegmentEntry, "originalSize" | "compressedSize">): number | undefined {
  const { originalSize, compressedSize } = entry;
  return compressedSize === undefined || compressedSize === 0 ? undefined : originalSize / compressedSize;
}

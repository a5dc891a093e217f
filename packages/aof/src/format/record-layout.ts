/** Where the fields of a record stand; see FORMAT.md "Record". */

export const recordHeaderBytes = 32;
/** The only record version this code writes or reads. Zero is never a version: zeroes are never a record. */
export const recordVersion = 1;
/** Payload sizes are u32 on disk; segments are at most 4 GiB, which bounds them first. */
export const maxRecordId: number = Number.MAX_SAFE_INTEGER;

export const recordFlag = {
  compressed: 1,
  encrypted: 2,
  /** More records of the same atomic batch follow. */
  batchContinues: 4,
  /** Written by a repair in place of a record that could not be saved; the payload is empty. */
  lost: 8,
} as const;

/** Flags this version can read. Any other bit in a record with a good checksum is `FORMAT_TOO_NEW`. */
export const knownRecordFlags: number = recordFlag.batchContinues | recordFlag.lost;

/** Bytes a payload of `size` takes in a segment: header, payload, padding to 8. */
export function recordBytes(size: number): number {
  return recordHeaderBytes + size + (-size & 7);
}

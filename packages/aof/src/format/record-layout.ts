/** Where the fields of a record stand; see FORMAT.md "Record" and "What a record's body holds". */

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
  /** The body begins with the time at which the record expires. */
  expires: 16,
  /** The content begins with attributes: headers, a dedupe key. */
  attributes: 32,
} as const;

/** Flags this version can read. Any other bit in a record with a good checksum is `FORMAT_TOO_NEW`. */
const knownRecordFlags: number = 63;

/** Flags of records whose body is not just the payload. */
export const bodyFlags: number =
  recordFlag.compressed | recordFlag.encrypted | recordFlag.expires | recordFlag.attributes;

/** Bytes of the expiry in front of a body with the flag `expires`. */
export const expiryBytes = 8;

/** How a compressed body is compressed: the low four of the codec and key bits. */
export const recordCodec = { none: 0, zstd: 1 } as const;
/** How an encrypted body is encrypted: the next four. */
export const recordCipher = { none: 0, aes256Gcm: 1 } as const;

/** The u16 of codec and key bits. @param keyGeneration 1..255 of an encrypted body, else 0 */
export function codecBits(codec: number, cipher: number, keyGeneration: number): number {
  return codec | (cipher << 4) | (keyGeneration << 8);
}

/** Whether flags and codec bits are a combination that this version writes. */
export function isKnownBody(flags: number, bits: number): boolean {
  if ((flags & ~knownRecordFlags) !== 0) return false;
  // A placeholder holds nothing: a record that does hold something must not be hidden by one bit.
  if ((flags & recordFlag.lost) !== 0) return bits === 0 && (flags & bodyFlags) === 0;
  if (bits === 0) return (flags & (recordFlag.compressed | recordFlag.encrypted)) === 0;
  const codec = bits & 15;
  const cipher = (bits >>> 4) & 15;
  const isCompressed = (flags & recordFlag.compressed) !== 0;
  const isEncrypted = (flags & recordFlag.encrypted) !== 0;
  return (
    codec === (isCompressed ? recordCodec.zstd : recordCodec.none) &&
    cipher === (isEncrypted ? recordCipher.aes256Gcm : recordCipher.none) &&
    isEncrypted === bits >>> 8 > 0
  );
}

/** Bytes a body of `size` takes in a segment: header, body, padding to 8. */
export function recordBytes(size: number): number {
  return recordHeaderBytes + size + (-size & 7);
}

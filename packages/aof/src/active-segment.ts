/**
 * The segment at the end of the log, as memory knows it: where its records are and how far they got. No I/O.
 *
 * It exists logically (records are being encoded for it) before it exists on disk: the file is begun when the first
 * of its bytes are about to be written, after everything in the segment before it is durable.
 *
 * Always true:
 *  I1  64 ≤ durableEnd ≤ writtenEnd ≤ end, all multiples of 8; each is the end of a record, and of a batch
 *  I2  ids are consecutive: the record at index i has id baseId + i and begins at units[i] × 8
 *  I3  checksum is the CRC of the file's bytes [0, writtenEnd)
 */
import { crc64Nvme, type FileHandle } from "@varve/fs-core";
import { segmentHeaderBytes } from "./format/segment-header.ts";
import { segmentName } from "./segment-name.ts";

export class ActiveSegment {
  readonly baseId: number;
  readonly name: string;
  readonly salt: bigint;
  /** The salt's halves as int32: what the checksum engine takes. */
  readonly saltLow: number;
  readonly saltHigh: number;
  readonly createdAtUs: number;
  /** Set when the file exists, is named in MANIFEST, and may be written. */
  handle: FileHandle | undefined;
  /** End of the encoded records. */
  end: number = segmentHeaderBytes;
  writtenEnd: number = segmentHeaderBytes;
  durableEnd: number = segmentHeaderBytes;
  /** Bytes [0, zeroedEnd) of the file are allocated and written, so a data sync there commits no metadata. */
  zeroedEnd: number = segmentHeaderBytes;
  checksum = 0n;
  count = 0;
  firstTimestampUs = 0;
  lastTimestampUs = 0;
  /** Records with an expiry of their own, and the latest of those expiries. */
  expiringCount = 0;
  maxExpiresAtUs = 0;
  /** Set when no further record may go here although there is room: too old, or all have expired. */
  isFull = false;
  #units = new Uint32Array(1024);

  constructor(baseId: number, salt: bigint, createdAtUs: number) {
    this.baseId = baseId;
    this.name = segmentName(baseId);
    this.salt = salt;
    this.saltLow = Number(BigInt.asIntN(32, salt));
    this.saltHigh = Number(BigInt.asIntN(32, salt >> 32n));
    this.createdAtUs = createdAtUs;
  }

  /** The id of its newest record, `baseId - 1` when empty. */
  get lastId(): number {
    return this.baseId + this.count - 1;
  }

  /** The file exists with this header, and MANIFEST names it. */
  begin(handle: FileHandle, header: Uint8Array): void {
    this.handle = handle;
    this.checksum = crc64Nvme(header);
  }

  /** Notes a record of `bytes` at the end. */
  push(bytes: number, timestampUs: number): void {
    if (this.count === this.#units.length) this.#grow();
    if (this.count === 0) this.firstTimestampUs = timestampUs;
    this.lastTimestampUs = timestampUs;
    this.#units[this.count++] = this.end / 8;
    this.end += bytes;
  }

  /** Notes that the record just pushed has an expiry of its own. */
  pushExpiry(expiresAtUs: number): void {
    this.expiringCount++;
    this.maxExpiresAtUs = Math.max(this.maxExpiresAtUs, expiresAtUs);
  }

  /** Byte offset of record `id`; of the end for `lastId + 1`. */
  offsetOf(id: number): number {
    const index = id - this.baseId;
    return index < this.count ? (this.#units[index] as number) * 8 : this.end;
  }

  /** The offsets / 8 of all records; the first `count` are set. Borrowed: valid until the next `push`. */
  get units(): Uint32Array {
    return this.#units;
  }

  #grow(): void {
    const larger = new Uint32Array(this.#units.length * 2);
    larger.set(this.#units);
    this.#units = larger;
  }
}

/**
 * The one judgement of whether bytes in checksum memory are a record. Every read path uses it. No I/O, no allocation.
 */
import { type ChecksumMemory, createChecksumMemory } from "@varve/fs-core";
import { expiryBytes, isKnownBody, recordFlag, recordHeaderBytes, recordVersion } from "./format/record-layout.ts";

/** Negative answers of {@link RecordChecker.check}. A positive one is the record's length in the segment. */
export const notARecord = {
  /** A header of zeroes: nothing was ever written here. */
  zeroes: -1,
  /** The header claims more bytes than are at hand: judge again with more, or take it as bad at the end. */
  incomplete: -2,
  /** Checksum, id or size is wrong. */
  bad: -3,
  /** Checksum and id are right, but the version or a flag is unknown. */
  newer: -4,
} as const;

/** Bytes of checksum memory that scans and point reads share: blocks are at most this long. */
export const checkBytes: number = 1024 * 1024;

const cachedViewMax = 2048;

export class RecordChecker {
  readonly memory: ChecksumMemory;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly #unsigned: Uint32Array;
  readonly #recordViews: Uint8Array[] = [];

  constructor(memory: ChecksumMemory = createChecksumMemory(checkBytes)) {
    this.memory = memory;
    this.bytes = new Uint8Array(memory.buffer);
    this.words = new Int32Array(memory.buffer);
    this.#unsigned = new Uint32Array(memory.buffer);
  }

  /** First byte for the caller's data. */
  get base(): number {
    return this.memory.base;
  }

  /**
   * The `length` bytes from `base` on. Views of small lengths are made once: making one costs a tenth of a read from the
   * page cache.
   */
  view(length: number): Uint8Array {
    const start = this.memory.base;
    if (length > cachedViewMax) return this.bytes.subarray(start, start + length);
    const views = this.#recordViews;
    return (views[length] ??= this.bytes.subarray(start, start + length));
  }

  /**
   * Judges the bytes at `at` (a multiple of 8), of which `available` are at hand.
   * @param expectedId the only id that is right here
   */
  check(at: number, available: number, expectedId: number, saltLow: number, saltHigh: number): number {
    if (available < recordHeaderBytes) return notARecord.incomplete;
    const words = this.words;
    const word = at >>> 2;
    const size = this.#unsigned[word + 1] as number;
    const last = words[word + 6] as number;
    if (last === 0 && size === 0 && this.#isZeroHeader(word)) return notARecord.zeroes;
    const length = recordHeaderBytes + size;
    if (length > available) return notARecord.incomplete;
    const checksum = this.memory.engine.foldedAt(at + 4, length - 4, saltLow, saltHigh);
    if (checksum !== this.#unsigned[word] || this.idAt(at) !== expectedId) return notARecord.bad;
    if (!this.isKnownAt(at)) return notARecord.newer;
    const padded = (length + 7) & ~7;
    return padded > available ? notARecord.incomplete : padded;
  }

  /** {@link check} of a record whose checksum is known to be right and whose bytes are all at hand. */
  judgeSound(at: number, expectedId: number): number {
    if (this.idAt(at) !== expectedId) return notARecord.bad;
    if (!this.isKnownAt(at)) return notARecord.newer;
    return (recordHeaderBytes + this.sizeAt(at) + 7) & ~7;
  }

  /** Whether this version can read a record with this version, flags and codec bits. */
  isKnownAt(at: number): boolean {
    const last = this.words[(at >>> 2) + 6] as number;
    return (last & 0xff) === recordVersion && isKnownBody((last >>> 8) & 0xff, last >>> 16);
  }

  /** Whether the sound record at `at` is number `id` and takes `length` bytes with its padding. */
  isRecordAt(at: number, id: number, length: number): boolean {
    return ((recordHeaderBytes + this.sizeAt(at) + 7) & ~7) === length && this.idAt(at) === id;
  }

  sizeAt(at: number): number {
    return this.#unsigned[(at >>> 2) + 1] as number;
  }

  idAt(at: number): number {
    const word = at >>> 2;
    return (this.#unsigned[word + 2] as number) + (this.#unsigned[word + 3] as number) * 0x100000000;
  }

  timestampAt(at: number): number {
    const word = at >>> 2;
    return (this.#unsigned[word + 4] as number) + (this.#unsigned[word + 5] as number) * 0x100000000;
  }

  flagsAt(at: number): number {
    return ((this.words[(at >>> 2) + 6] as number) >>> 8) & 0xff;
  }

  /** Codec, cipher and key generation; see `codecBits`. */
  codecBitsAt(at: number): number {
    return (this.words[(at >>> 2) + 6] as number) >>> 16;
  }

  /** When the record expires, µs since 1970; 0 when it carries no expiry. Its body's first bytes must be at hand. */
  expiresAt(at: number): number {
    if ((this.flagsAt(at) & recordFlag.expires) === 0 || this.sizeAt(at) < expiryBytes) return 0;
    const word = (at + recordHeaderBytes) >>> 2;
    return (this.#unsigned[word] as number) + (this.#unsigned[word + 1] as number) * 0x100000000;
  }

  /** Bytes between the synced end of the segment and this record, when it was encoded. */
  durableDistanceAt(at: number): number {
    return (this.#unsigned[(at >>> 2) + 7] as number) * 8;
  }

  #isZeroHeader(word: number): boolean {
    for (let index = 0; index < 8; index++) if (this.words[word + index] !== 0) return false;
    return true;
  }
}

let shared: RecordChecker | undefined;

/**
 * The checker whose memory synchronous readers of this thread share: fill it, check, copy out, without an `await` in
 * between.
 */
export function sharedRecordChecker(): RecordChecker {
  shared ??= new RecordChecker();
  return shared;
}

/** Idle checkers for readers that await while they use one. Their memory is dear to make: keep a few. */
const idle: RecordChecker[] = [];
const idleMax = 2;

/** Lends a checker to `use` for as long as it runs. */
export async function withRecordChecker<T>(use: (checker: RecordChecker) => Promise<T>): Promise<T> {
  const checker = idle.pop() ?? new RecordChecker();
  try {
    return await use(checker);
  } finally {
    if (idle.length < idleMax) idle.push(checker);
  }
}

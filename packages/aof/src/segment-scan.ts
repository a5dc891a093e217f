/**
 * Walks a segment's bytes from its header to where the records end, and looks at what stands behind that point.
 * Used where no index or footer can be trusted: recovery, verification, and the tail of a read-only log.
 *
 * Memory: one checker's block (1 MiB) and four bytes a record. A record larger than the block is checked in pieces.
 */
import type { FileHandle } from "@varve/fs-core";
import { expiryBytes, recordFlag, recordHeaderBytes } from "./format/record-layout.ts";
import { segmentHeaderBytes } from "./format/segment-header.ts";
import { checkBytes, notARecord, type RecordChecker, withRecordChecker } from "./record-check.ts";

/** Why the records ended. */
export type ScanStop =
  /** The limit, exactly after a record. */
  | "end"
  /** A header of zeroes. */
  | "zeroes"
  /** Bytes that are no record, or a record that is cut off by the limit. */
  | "bad"
  /** A sound record of a later version. */
  | "newer";

export interface ScanResult {
  readonly count: number;
  /** Offsets / 8; the first `count` are set. */
  readonly units: Uint32Array;
  /** Offset where the last good record ends. */
  readonly end: number;
  readonly stop: ScanStop;
  /** Highest offset that a good record promises to be synced; at least the header's end. */
  readonly promise: number;
  /** CRC-64/NVME of `[0, end)`. */
  readonly checksum: bigint;
  readonly firstTimestampUs: number;
  readonly lastTimestampUs: number;
  /** Records with an expiry of their own, and the latest of those expiries. */
  readonly expiringCount: number;
  readonly maxExpiresAtUs: number;
  /** When the last record's batch is unfinished: index of that batch's first record. */
  readonly openBatchIndex: number | undefined;
  /** Indexes of records that a repair left in place of lost ones. */
  readonly lostIndexes: readonly number[];
}

export interface ScanOptions {
  readonly baseId: number;
  readonly salt: bigint;
  /** Begin here instead of behind the header; `baseId` is then the id expected there. */
  readonly from?: number;
  /** Stop here even if more bytes follow. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
  /** Called with the offset reached, after each block. */
  readonly onProgress?: ((offset: number) => void) | undefined;
}

/** Scans `[64, limit)`. The header is read for the checksum only; decode it elsewhere. */
export async function scanSegment(handle: FileHandle, options: ScanOptions): Promise<ScanResult> {
  // Not the shared checker: this one is filled by asynchronous reads.
  return withRecordChecker((checker) => new SegmentScan(handle, options, checker).run());
}

class SegmentScan {
  readonly #handle: FileHandle;
  readonly #options: ScanOptions;
  readonly #checker: RecordChecker;
  readonly #saltLow: number;
  readonly #saltHigh: number;
  #units = new Uint32Array(1024);
  #count = 0;
  #end = segmentHeaderBytes;
  #promise = segmentHeaderBytes;
  #firstTimestampUs = 0;
  #lastTimestampUs = 0;
  #expiringCount = 0;
  #maxExpiresAtUs = 0;
  #openBatchIndex: number | undefined;
  readonly #lost: number[] = [];

  constructor(handle: FileHandle, options: ScanOptions, checker: RecordChecker) {
    this.#handle = handle;
    this.#options = options;
    this.#checker = checker;
    this.#end = options.from ?? segmentHeaderBytes;
    this.#saltLow = Number(BigInt.asIntN(32, options.salt));
    this.#saltHigh = Number(BigInt.asIntN(32, options.salt >> 32n));
  }

  async run(): Promise<ScanResult> {
    const { memory, bytes, base } = this.#checker;
    const header = await this.#handle.readAt(0, bytes.subarray(base, base + segmentHeaderBytes));
    memory.engine.setSlot(0, 0n);
    memory.engine.updateSlot(0, base, header);
    let stop: ScanStop | undefined;
    while (stop === undefined) {
      this.#options.signal?.throwIfAborted();
      const room = Math.min(checkBytes, this.#options.limit - this.#end);
      const got = await this.#handle.readAt(this.#end, bytes.subarray(base, base + room));
      stop = await this.#block(got, got < checkBytes);
      this.#options.onProgress?.(this.#end);
    }
    return {
      count: this.#count,
      units: this.#units,
      end: this.#end,
      stop,
      promise: this.#promise,
      checksum: memory.engine.slot(0),
      firstTimestampUs: this.#firstTimestampUs,
      lastTimestampUs: this.#lastTimestampUs,
      expiringCount: this.#expiringCount,
      maxExpiresAtUs: this.#maxExpiresAtUs,
      openBatchIndex: this.#openBatchIndex,
      lostIndexes: this.#lost,
    };
  }

  /** Takes the whole records of a block; undefined means read on from the new end. */
  async #block(length: number, isLast: boolean): Promise<ScanStop | undefined> {
    const checker = this.#checker;
    const { base } = checker;
    let at = base;
    let stop: ScanStop | undefined;
    for (;;) {
      const available = base + length - at;
      if (available === 0 && isLast) {
        stop = "end";
        break;
      }
      const found = checker.check(at, available, this.#options.baseId + this.#count, this.#saltLow, this.#saltHigh);
      if (found > 0) {
        this.#note(
          this.#end + (at - base),
          checker.timestampAt(at),
          checker.flagsAt(at),
          checker.durableDistanceAt(at),
          checker.expiresAt(at),
        );
        at += found;
        continue;
      }
      if (found === notARecord.zeroes) stop = "zeroes";
      else if (found === notARecord.newer) stop = "newer";
      else if (found === notARecord.bad || isLast) stop = "bad";
      break;
    }
    checker.memory.engine.updateSlot(0, base, at - base);
    const advanced = at - base;
    this.#end += advanced;
    if (stop === undefined && advanced === 0) return this.#largeRecord();
    return stop;
  }

  #note(offset: number, timestampUs: number, flags: number, durableDistance: number, expiresAtUs: number): void {
    if (this.#count === this.#units.length) {
      const larger = new Uint32Array(this.#units.length * 2);
      larger.set(this.#units);
      this.#units = larger;
    }
    if (this.#count === 0) this.#firstTimestampUs = timestampUs;
    this.#lastTimestampUs = timestampUs;
    if ((flags & recordFlag.lost) !== 0) this.#lost.push(this.#count);
    if ((flags & recordFlag.batchContinues) !== 0) this.#openBatchIndex ??= this.#count;
    else this.#openBatchIndex = undefined;
    if (expiresAtUs > 0) {
      this.#expiringCount++;
      this.#maxExpiresAtUs = Math.max(this.#maxExpiresAtUs, expiresAtUs);
    }
    this.#promise = Math.max(this.#promise, offset - durableDistance);
    this.#units[this.#count++] = offset / 8;
  }

  /** A record that does not fit the block: its bytes are checked piece by piece. */
  async #largeRecord(): Promise<ScanStop | undefined> {
    const checker = this.#checker;
    const { engine } = checker.memory;
    const { bytes, base } = checker;
    const offset = this.#end;
    const length = recordHeaderBytes + checker.sizeAt(base);
    const padded = Math.ceil(length / 8) * 8;
    if (offset + padded > this.#options.limit) return "bad";
    const header = bytes.slice(base, base + recordHeaderBytes + expiryBytes);
    engine.setSlot(1, this.#options.salt);
    engine.setSlot(2, engine.slot(0));
    for (let done = 0; done < padded; ) {
      this.#options.signal?.throwIfAborted();
      const want = Math.min(checkBytes, padded - done);
      const got = await this.#handle.readAt(offset + done, bytes.subarray(base, base + want));
      if (got < want) return "bad";
      const skip = done === 0 ? 4 : 0;
      engine.updateSlot(1, base + skip, Math.max(0, Math.min(want, length - done) - skip));
      engine.updateSlot(2, base, want);
      done += want;
    }
    // The header and expiry again at the front, so that the checker's field readers serve.
    bytes.set(header, base);
    const crc = engine.slot(1);
    const folded = Number((crc ^ (crc >> 32n)) & 0xffffffffn);
    const view = new DataView(header.buffer);
    const sound = folded === view.getUint32(0, true) && checker.idAt(base) === this.#options.baseId + this.#count;
    if (!sound) return "bad";
    if (!checker.isKnownAt(base)) return "newer";
    engine.setSlot(0, engine.slot(2));
    this.#note(
      offset,
      checker.timestampAt(base),
      checker.flagsAt(base),
      checker.durableDistanceAt(base),
      checker.expiresAt(base),
    );
    this.#end = offset + padded;
    return undefined;
  }
}

/** What stands behind the point where the records ended. */
export interface BeyondResult {
  /** End of the last byte that is not zero, the start of the search when all are. */
  readonly nonZeroEnd: number;
  /** Highest promise of a sound record found behind the point, 0 when there is none. */
  readonly promise: number;
  /** Offset of the first sound record behind the point. */
  readonly firstRecordAt: number | undefined;
  readonly firstRecordId: number | undefined;
  readonly newer: boolean;
}

/**
 * Looks for sound records at every multiple of 8 in `[from, limit)`, with ids from `minId` on: a bad spot in front of
 * one that promises it is damage, and the promises of records behind it count.
 * A record larger than a block is not looked for: its successors are, and they promise as much.
 */
export async function scanBeyond(
  handle: FileHandle,
  options: ScanOptions & { readonly from: number; readonly minId: number },
): Promise<BeyondResult> {
  return withRecordChecker((checker) => scanBeyondWith(checker, handle, options));
}

async function scanBeyondWith(
  checker: RecordChecker,
  handle: FileHandle,
  options: ScanOptions & { readonly from: number; readonly minId: number },
): Promise<BeyondResult> {
  const { bytes, base } = checker;
  const saltLow = Number(BigInt.asIntN(32, options.salt));
  const saltHigh = Number(BigInt.asIntN(32, options.salt >> 32n));
  // No more records than this fit in front of the limit, so no higher id can be genuine.
  const maxId = options.minId + Math.ceil((options.limit - options.from) / recordHeaderBytes);
  const words = new Int32Array(checker.memory.buffer);
  let nonZeroEnd = options.from;
  let promise = 0;
  let firstRecordAt: number | undefined;
  let firstRecordId: number | undefined;
  let newer = false;
  for (let position = options.from; position < options.limit; ) {
    options.signal?.throwIfAborted();
    const want = Math.min(checkBytes, options.limit - position);
    const got = await handle.readAt(position, bytes.subarray(base, base + want));
    if (got === 0) break;
    // The next block overlaps by half, so that a record of up to half a block is whole in one of them.
    const isLast = got < want || position + got >= options.limit;
    const stride = isLast ? got : checkBytes / 2;
    for (let at = base; at + 8 <= base + stride; at += 8) {
      const word = at >>> 2;
      if (words[word] === 0 && words[word + 1] === 0) continue;
      nonZeroEnd = Math.max(nonZeroEnd, position + (at - base) + 8);
      const available = base + got - at;
      if (available < recordHeaderBytes) continue;
      const id = checker.idAt(at);
      if (id < options.minId || id > maxId) continue;
      const found = checker.check(at, available, id, saltLow, saltHigh);
      if (found === notARecord.newer) newer = true;
      if (found <= 0) continue;
      const offset = position + (at - base);
      firstRecordAt ??= offset;
      firstRecordId ??= id;
      promise = Math.max(promise, offset - checker.durableDistanceAt(at));
    }
    for (let at = base + stride - (stride % 8); at < base + stride; at++) {
      if (bytes[at] !== 0) nonZeroEnd = Math.max(nonZeroEnd, position + (at - base) + 1);
    }
    position += stride;
  }
  return { nonZeroEnd, promise, firstRecordAt, firstRecordId, newer };
}

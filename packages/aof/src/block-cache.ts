/**
 * Blocks of segment files in memory, for reads by id: a hit costs a few array reads and the copy of the payload.
 *
 * Always true, for every slot in use:
 *  I1  bytes [0, end) of the slot are bytes [block × slotBytes, + end) of the owner's file as they were written; nothing
 *      behind `end` is believed, and `end` is never beyond what its segment had written when the slot was filled.
 *      Written bytes of a segment never change, so a slot may only grow.
 *  I2  the owner's table names the slot, and no other table does
 *  I3  a record's bit is set only if its checksum was found right over bytes that the slots it lies in still hold. Of a
 *      record in several slots the first has its bit, the others have `headChecked`: a slot that is filled anew clears
 *      its own, so all of them are set only when a check saw all of the present bytes. Which record it is, and how long,
 *      is asked at every read: a damaged offset table must not pass off one sound record for another.
 *
 * Admission: while slots are free, every miss is admitted. Then a block is admitted at its second miss within a window
 * (the ghost queue of 2Q, kept as a stamp a block instead of a list), and only as fast as misses earn it: what is read
 * for admissions stays below `missCreditBytes` and a quarter of the record's own length a miss. Random reads over far more data
 * than fits cost what they cost without a cache. Eviction: CLOCK.
 */
import { createChecksumMemory } from "@varve/fs-core";
import { RecordChecker } from "./record-check.ts";
import type { OpenSegment } from "./segment-cache.ts";

/** Bytes of a slot: see bench/README.md, "Reading by id". */
const blockCacheSlotBytes = 16 * 1024;
/** Records over more slots than this are read directly: they would evict much, and making their copy costs the most. */
const recordSlotsMax = 3;
const missCreditBytes = 1024;
/** Lengths of records are at least this, so no two begin within one unit of this many bytes. */
const bitUnitBytes = 32;

/** Which blocks of one open segment are in memory. */
export class SegmentBlocks {
  /** By block: slot + 1, or 0. */
  slots: Int32Array;
  /** By block: the window in which it was missed last, or 0. */
  stamps: Uint8Array;

  constructor(count: number) {
    this.slots = new Int32Array(count);
    this.stamps = new Uint8Array(count);
  }

  /** Makes room for block `count - 1`: the active segment grows. */
  grow(count: number): void {
    const slots = new Int32Array(Math.max(count, this.slots.length * 2));
    slots.set(this.slots);
    const stamps = new Uint8Array(slots.length);
    stamps.set(this.stamps);
    this.slots = slots;
    this.stamps = stamps;
  }
}

/** Counters since the cache was made; `bytes` is what it holds now. */
export interface BlockCacheCounters {
  readonly hits: number;
  readonly misses: number;
  readonly evictions: number;
  readonly bytes: number;
}

export class BlockCache {
  /** Judges and reads records at the addresses that {@link find} answers. */
  readonly checker: RecordChecker;
  readonly #slotBytes: number;
  readonly #slotCount: number;
  readonly #base: number;
  /** Where a record that lies in several slots is put together. */
  readonly #joinAt: number;
  readonly #recordBytesMax: number;
  readonly #owners: (OpenSegment | undefined)[];
  readonly #blocks: Uint32Array;
  readonly #ends: Uint32Array;
  /** CLOCK: read since the hand passed. */
  readonly #used: Uint8Array;
  readonly #headChecked: Uint8Array;
  readonly #bits: Int32Array;
  readonly #bitWords: number;
  readonly #free: number[] = [];
  /** Slots from here on were never used: their memory is not touched yet. */
  #untouched = 0;
  #hand = 0;
  #window = 1;
  #missesInWindow = 0;
  #creditBytes = 0;
  #hits = 0;
  #misses = 0;
  #evictions = 0;

  /**
   * @param cacheBytes at least `slotBytes`; memory is touched as slots are first used
   * @param slotBytes a power of two from 512
   */
  constructor(cacheBytes: number, slotBytes: number = blockCacheSlotBytes) {
    const slotCount = Math.max(1, Math.floor(cacheBytes / slotBytes));
    const joinBytes = Math.min(recordSlotsMax, slotCount) * slotBytes;
    this.checker = new RecordChecker(createChecksumMemory(slotCount * slotBytes + joinBytes));
    this.#slotBytes = slotBytes;
    this.#slotCount = slotCount;
    this.#base = this.checker.base;
    this.#joinAt = this.#base + slotCount * slotBytes;
    this.#recordBytesMax = joinBytes;
    this.#owners = new Array<OpenSegment | undefined>(slotCount).fill(undefined);
    this.#blocks = new Uint32Array(slotCount);
    this.#ends = new Uint32Array(slotCount);
    this.#used = new Uint8Array(slotCount);
    this.#headChecked = new Uint8Array(slotCount);
    this.#bitWords = Math.ceil(slotBytes / bitUnitBytes / 32);
    this.#bits = new Int32Array(slotCount * this.#bitWords);
  }

  get counters(): BlockCacheCounters {
    return {
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#evictions,
      bytes: (this.#untouched - this.#free.length) * this.#slotBytes,
    };
  }

  /**
   * Where the whole, checked record lies in the checker's memory, until the next call; -1 when it is to be read from
   * the file: it is not in memory, or what is there is not sound, of which the file gives a better account.
   * @param length of the record with its padding, as the offset table has it
   */
  find(open: OpenSegment, start: number, length: number, id: number): number {
    const block = Math.floor(start / this.#slotBytes);
    const offset = start - block * this.#slotBytes;
    if (offset + length > this.#slotBytes) return this.#findJoined(open, start, length, id);
    const slot = (open.blocks?.slots[block] ?? 0) - 1;
    if (slot < 0 || offset + length > (this.#ends[slot] as number)) {
      this.#misses++;
      if (!this.#fill(open, block, block, offset + length, length)) return -1;
      return this.#checked(open, (open.blocks as SegmentBlocks).slots[block] as number, offset, length, id);
    }
    this.#hits++;
    return this.#checked(open, slot + 1, offset, length, id);
  }

  /** Lets go of everything that was read through `open`. */
  forget(open: OpenSegment): void {
    const { blocks } = open;
    if (blocks === undefined) return;
    for (const slot of blocks.slots) if (slot > 0) this.#release(slot - 1);
    open.blocks = undefined;
  }

  #checked(open: OpenSegment, slotPlusOne: number, offset: number, length: number, id: number): number {
    const slot = slotPlusOne - 1;
    this.#used[slot] = 1;
    const at = this.#base + slot * this.#slotBytes + offset;
    const unit = offset >>> 5;
    const word = slot * this.#bitWords + (unit >>> 5);
    const bit = 1 << (unit & 31);
    // What is remembered is that a sound record begins here; whether it is this one the table may be wrong about.
    if (((this.#bits[word] as number) & bit) !== 0) return this.checker.isRecordAt(at, id, length) ? at : -1;
    if (this.checker.check(at, length, id, open.saltLow, open.saltHigh) !== length) return this.#drop(open, slot);
    this.#bits[word] = (this.#bits[word] as number) | bit;
    return at;
  }

  /** A record over several slots. */
  #findJoined(open: OpenSegment, start: number, length: number, id: number): number {
    if (length > this.#recordBytesMax) return -1;
    const slotBytes = this.#slotBytes;
    const first = Math.floor(start / slotBytes);
    const last = Math.floor((start + length - 1) / slotBytes);
    if (last - first >= Math.min(recordSlotsMax, this.#slotCount)) return -1;
    const endInLast = start + length - last * slotBytes;
    if (this.#holds(open, first, last, endInLast)) this.#hits++;
    else {
      this.#misses++;
      if (!this.#fill(open, first, last, endInLast, length)) return -1;
    }
    const { slots } = open.blocks as SegmentBlocks;
    const offset = start - first * slotBytes;
    const head = (slots[first] as number) - 1;
    const word = head * this.#bitWords + (offset >>> 10);
    const bit = 1 << ((offset >>> 5) & 31);
    let isChecked = ((this.#bits[word] as number) & bit) !== 0;
    const { bytes } = this.checker;
    let to = this.#joinAt;
    for (let block = first; block <= last; block++) {
      const slot = (slots[block] as number) - 1;
      this.#used[slot] = 1;
      if (block > first && this.#headChecked[slot] === 0) isChecked = false;
      const from = this.#base + slot * slotBytes;
      const begin = block === first ? offset : 0;
      const end = block === last ? endInLast : slotBytes;
      bytes.copyWithin(to, from + begin, from + end);
      to += end - begin;
    }
    if (isChecked) return this.checker.isRecordAt(this.#joinAt, id, length) ? this.#joinAt : -1;
    if (this.checker.check(this.#joinAt, length, id, open.saltLow, open.saltHigh) !== length) {
      for (let block = first; block <= last; block++) this.#drop(open, (slots[block] as number) - 1);
      return -1;
    }
    this.#bits[word] = (this.#bits[word] as number) | bit;
    for (let block = first + 1; block <= last; block++) this.#headChecked[(slots[block] as number) - 1] = 1;
    return this.#joinAt;
  }

  /** Whether blocks `[first, last]` are in memory, the last up to `endInLast` and the others whole. */
  #holds(open: OpenSegment, first: number, last: number, endInLast: number): boolean {
    const slots = open.blocks?.slots;
    if (slots === undefined) return false;
    for (let block = first; block <= last; block++) {
      const slot = (slots[block] ?? 0) - 1;
      if (slot < 0 || (this.#ends[slot] as number) < (block === last ? endInLast : this.#slotBytes)) return false;
    }
    return true;
  }

  /**
   * Reads what is missing of blocks `[first, last]`, if they are admitted.
   * @returns whether all of them are in memory now
   */
  #fill(open: OpenSegment, first: number, last: number, endInLast: number, length: number): boolean {
    const count = Math.max(last + 1, Math.ceil(open.segment.dataLength / this.#slotBytes));
    const blocks = (open.blocks ??= new SegmentBlocks(count));
    if (last >= blocks.slots.length) blocks.grow(last + 1);
    // Not more than was written: behind that stand zeroes, or the rest of a write that is under way.
    const readable = open.segment.live?.writtenEnd ?? open.segment.dataLength;
    this.#creditBytes = Math.min(
      this.#creditBytes + missCreditBytes + (length >>> 2),
      2 * recordSlotsMax * this.#slotBytes,
    );
    if (++this.#missesInWindow >= this.#slotCount) {
      this.#missesInWindow = 0;
      this.#window = (this.#window % 255) + 1;
    }
    for (let block = first; block <= last; block++) {
      const slot = (blocks.slots[block] as number) - 1;
      const end = Math.min(this.#slotBytes, readable - block * this.#slotBytes);
      if (slot >= 0 && (this.#ends[slot] as number) >= end) continue;
      if (slot >= 0) this.#extend(open, slot, end);
      else if (!this.#admits(blocks, block, end) || !this.#read(open, blocks, block, end)) return false;
    }
    return this.#holds(open, first, last, endInLast);
  }

  #admits(blocks: SegmentBlocks, block: number, bytes: number): boolean {
    if (this.#untouched < this.#slotCount || this.#free.length > 0) return true;
    const stamp = blocks.stamps[block] as number;
    const window = this.#window;
    blocks.stamps[block] = window;
    const isRecent = stamp === window || stamp === (window === 1 ? 255 : window - 1);
    if (!isRecent || this.#creditBytes < bytes) return false;
    this.#creditBytes -= bytes;
    return true;
  }

  /** Reads a block into a slot of its own. A failure is not reported: the record itself may be readable. */
  #read(open: OpenSegment, blocks: SegmentBlocks, block: number, end: number): boolean {
    const slot = this.#takeSlot();
    this.#owners[slot] = open;
    this.#blocks[slot] = block;
    this.#ends[slot] = 0;
    this.#used[slot] = 1;
    this.#headChecked[slot] = 0;
    this.#bits.fill(0, slot * this.#bitWords, (slot + 1) * this.#bitWords);
    blocks.slots[block] = slot + 1;
    return this.#extend(open, slot, end);
  }

  /** Reads the bytes of a slot from where it ends to `end`. */
  #extend(open: OpenSegment, slot: number, end: number): boolean {
    const from = this.#ends[slot] as number;
    const at = this.#base + slot * this.#slotBytes;
    const position = (this.#blocks[slot] as number) * this.#slotBytes + from;
    try {
      const got = open.handle.readAtSync(position, this.checker.bytes.subarray(at + from, at + end));
      this.#ends[slot] = from + (got & ~7);
    } catch {
      this.#drop(open, slot);
      return false;
    }
    return true;
  }

  #takeSlot(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#untouched < this.#slotCount) return this.#untouched++;
    while (this.#used[this.#hand] !== 0) {
      this.#used[this.#hand] = 0;
      this.#hand = this.#hand + 1 === this.#slotCount ? 0 : this.#hand + 1;
    }
    const slot = this.#hand;
    this.#hand = slot + 1 === this.#slotCount ? 0 : slot + 1;
    this.#evictions++;
    const { blocks } = this.#owners[slot] as OpenSegment;
    if (blocks !== undefined) blocks.slots[this.#blocks[slot] as number] = 0;
    return slot;
  }

  /** Forgets a slot whose bytes cannot be believed. */
  #drop(open: OpenSegment, slot: number): -1 {
    if (open.blocks !== undefined) open.blocks.slots[this.#blocks[slot] as number] = 0;
    this.#release(slot);
    return -1;
  }

  #release(slot: number): void {
    this.#owners[slot] = undefined;
    this.#ends[slot] = 0;
    this.#free.push(slot);
  }
}

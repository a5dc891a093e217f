/**
 * Where appended records wait to be written: one ring of bytes in checksum memory, and the spans of it that are
 * pending, in order. No I/O.
 *
 * Always true:
 *  I1  spans are in log order; each lies in one piece of memory and belongs to one segment
 *  I2  a record, and an atomic batch, lies in one span: what is written ends at a record and at a batch border
 *  I3  pendingBytes = sum of the spans' lengths ≤ capacity + the one oversize span that may be pending
 *  I4  memory handed to a write is not reused until `release`
 *
 * When everything was released the ring starts again at its first byte, so that a log with few bytes in flight keeps
 * working in the same, cached, memory.
 */
import { type ChecksumMemory, createChecksumMemory } from "@varve/fs-core";
import type { ActiveSegment } from "./active-segment.ts";

/** Bytes of one segment, ready to be written. */
export interface PendingSpan {
  readonly segment: ActiveSegment;
  /** Which memory: the ring, or one made for a record or batch larger than the ring. */
  readonly memory: ChecksumMemory;
  /** Byte offset in `memory`. */
  start: number;
  length: number;
  /** Byte offset in the segment. */
  fileOffset: number;
  /** The last record in the span. */
  lastId: number;
  readonly oversize: boolean;
  /** Whether the segment's running checksum has these bytes. */
  isInChecksum: boolean;
}

export class AppendRing {
  readonly memory: ChecksumMemory;
  /** Bytes. */
  readonly capacity: number;
  /** Where the last successful `reserve` begins in its span's memory. */
  reservedAt = 0;
  readonly #begin: number;
  readonly #end: number;
  /** First byte still in use by the oldest ring span. */
  #head: number;
  /** Next free byte. */
  #tail: number;
  #spans: PendingSpan[] = [];
  /** The newest span, while it may still grow. */
  #open: PendingSpan | undefined;
  #ringBytes = 0;
  #oversizeBytes = 0;

  constructor(capacity: number) {
    this.memory = createChecksumMemory(capacity);
    this.capacity = capacity;
    this.#begin = this.memory.base;
    this.#end = this.memory.base + capacity;
    this.#head = this.#begin;
    this.#tail = this.#begin;
  }

  get pendingBytes(): number {
    return this.#ringBytes + this.#oversizeBytes;
  }

  get isEmpty(): boolean {
    return this.#spans.length === 0;
  }

  /** Whether `bytes` contiguous bytes can be had now. Oversize requests wait until no other is pending. */
  hasRoom(bytes: number): boolean {
    return bytes > this.capacity ? this.#oversizeBytes === 0 : this.#place(bytes) !== -1;
  }

  /**
   * Takes `bytes` (a multiple of 8) for records of `segment` up to `lastId`, to stand at `fileOffset`.
   * Returns the span and leaves the position in {@link reservedAt}; undefined when there is no room.
   */
  reserve(segment: ActiveSegment, bytes: number, fileOffset: number, lastId: number): PendingSpan | undefined {
    if (bytes > this.capacity) return this.#reserveOversize(segment, bytes, fileOffset, lastId);
    const start = this.#place(bytes);
    if (start === -1) return undefined;
    this.reservedAt = start;
    this.#ringBytes += bytes;
    this.#tail = start + bytes;
    const open = this.#open;
    if (open !== undefined && open.segment === segment && open.start + open.length === start) {
      open.length += bytes;
      open.lastId = lastId;
      return open;
    }
    const span: PendingSpan = {
      segment,
      memory: this.memory,
      start,
      length: bytes,
      fileOffset,
      lastId,
      oversize: false,
      isInChecksum: false,
    };
    this.#spans.push(span);
    this.#open = span;
    return span;
  }

  /** The oldest span, closed for growth: it is about to be written. Call {@link release} afterwards. */
  takeFirst(): PendingSpan | undefined {
    const first = this.#spans[0];
    if (first === this.#open) this.#open = undefined;
    return first;
  }

  /** The span that {@link takeFirst} gave was written: its memory may be used again. */
  release(): void {
    const span = this.#spans.shift();
    if (span === undefined) return;
    if (span.oversize) {
      this.#oversizeBytes -= span.length;
    } else {
      this.#ringBytes -= span.length;
      this.#head = span.start + span.length;
    }
    if (this.#ringBytes === 0) this.#rewind();
  }

  /** Forgets everything pending, after a failure. */
  clear(): void {
    this.#spans = [];
    this.#ringBytes = 0;
    this.#oversizeBytes = 0;
    this.#rewind();
  }

  #rewind(): void {
    this.#open = undefined;
    this.#head = this.#begin;
    this.#tail = this.#begin;
  }

  /** Where `bytes` contiguous bytes are free, -1 for nowhere. Head = tail with bytes in use means full. */
  #place(bytes: number): number {
    if (this.#ringBytes === 0) return bytes <= this.capacity ? this.#begin : -1;
    if (this.#tail > this.#head) {
      if (this.#end - this.#tail >= bytes) return this.#tail;
      return this.#head - this.#begin >= bytes ? this.#begin : -1;
    }
    return this.#head - this.#tail >= bytes ? this.#tail : -1;
  }

  #reserveOversize(segment: ActiveSegment, bytes: number, fileOffset: number, lastId: number): PendingSpan | undefined {
    if (this.#oversizeBytes > 0) return undefined;
    const memory = createChecksumMemory(bytes);
    this.reservedAt = memory.base;
    this.#oversizeBytes = bytes;
    this.#open = undefined;
    const span: PendingSpan = {
      segment,
      memory,
      start: memory.base,
      length: bytes,
      fileOffset,
      lastId,
      oversize: true,
      isInChecksum: false,
    };
    this.#spans.push(span);
    return span;
  }
}

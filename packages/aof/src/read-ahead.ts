/**
 * Reads a segment's blocks in order, each while the consumer still works on the one before it.
 *
 * Always true:
 *  I1  at most one read is under way, into a buffer that no batch shows
 *  I2  nothing is read beyond the record that the caller said is visible
 *  I3  buffers are given back exactly once, and only when no read fills them any more: `read` and `close` are called one
 *      after the other, never while a `read` is under way
 *  I4  a read that nobody asks for any more has an owner: its failure is dropped with it
 */
import { type Block, endOf, readBytes, takeRecords } from "./block-read.ts";
import type { LogView } from "./log-view.ts";
import { checkBytes, RecordChecker } from "./record-check.ts";
import type { OpenSegment } from "./segment-cache.ts";

/** Bytes of a buffer: what a record checker's memory holds. */
const readBufferBytes = checkBytes;

/** Shorter runs are read without buffers of their own: a reader at the tail holds none. */
export const readAheadMin: number = 128 * 1024;

/** A block of small records stays in a cache between its check and its use; large records come in larger ones. */
const smallBlockBytes = 256 * 1024;
const largeRecordBytes = 16 * 1024;

/** The buffers that all readers of a log share. */
export class ReadBuffers {
  readonly #max: number;
  #lent = 0;
  readonly #idle: RecordChecker[] = [];

  /** @param budgetBytes bound on buffers that are lent or kept; less than two buffers is none */
  constructor(budgetBytes: number) {
    this.#max = Math.floor(budgetBytes / readBufferBytes);
  }

  /** Buffers lent at the moment, in bytes. */
  get lentBytes(): number {
    return this.#lent * readBufferBytes;
  }

  /** Two buffers, undefined when the budget has no more. */
  take(): [RecordChecker, RecordChecker] | undefined {
    if (this.#lent + 2 > this.#max) return undefined;
    this.#lent += 2;
    return [this.#idle.pop() ?? new RecordChecker(), this.#idle.pop() ?? new RecordChecker()];
  }

  give(buffer: RecordChecker): void {
    this.#lent--;
    // Making one takes about a millisecond.
    if (this.#idle.length < 4 && this.#lent + this.#idle.length < this.#max) this.#idle.push(buffer);
  }
}

/** A read under way. */
interface PendingRead {
  readonly open: OpenSegment;
  readonly id: number;
  readonly offset: number;
  readonly lastId: number;
  readonly end: number;
  readonly want: number;
  readonly bytes: Promise<number>;
}

export class ReadAhead {
  readonly #buffers: ReadBuffers;
  readonly #borrow: boolean;
  /** The one the last batch shows, and the one that is filled. */
  #shown: RecordChecker;
  #filled: RecordChecker;
  #pending: PendingRead | undefined;
  #blockBytes = smallBlockBytes;

  /** @param borrow batches show the buffers themselves, until the next `read` */
  constructor(buffers: ReadBuffers, [shown, filled]: readonly [RecordChecker, RecordChecker], borrow: boolean) {
    this.#buffers = buffers;
    this.#shown = shown;
    this.#filled = filled;
    this.#borrow = borrow;
  }

  /**
   * Records `[id, lastId]` of `open`, as `readBlock`; then the next ones are read.
   * @throws AofError as `readBlock`
   */
  async read(view: LogView, open: OpenSegment, id: number, offset: number, lastId: number): Promise<Block> {
    let pending = this.#pending;
    this.#pending = undefined;
    if (pending !== undefined && (pending.open !== open || pending.id !== id || pending.offset !== offset)) {
      // Its buffer is needed; what became of the read does not matter.
      await pending.bytes.catch(() => {});
      pending = undefined;
    }
    pending ??= this.#begin(open, id, offset, lastId);
    const got = await pending.bytes;
    const checker = this.#filled;
    const isLast = got < pending.want || offset + got >= pending.end;
    const run = { id, offset, lastId: Math.min(lastId, pending.lastId), length: got, isLast };
    const block = takeRecords(view, open, checker, run, (length) => this.#keep(checker, length));
    this.#filled = this.#shown;
    this.#shown = checker;
    this.#adapt(block);
    if (block.nextId <= lastId && block.nextOffset < endOf(open, lastId)) {
      this.#pending = this.#begin(open, block.nextId, block.nextOffset, lastId);
    }
    return block;
  }

  /** Gives the buffers back, the one that is being filled when that has ended. */
  close(): void {
    const pending = this.#pending;
    this.#pending = undefined;
    this.#buffers.give(this.#shown);
    const filled = this.#filled;
    if (pending === undefined) this.#buffers.give(filled);
    else void pending.bytes.catch(() => {}).then(() => this.#buffers.give(filled));
  }

  #begin(open: OpenSegment, id: number, offset: number, lastId: number): PendingRead {
    const end = endOf(open, lastId);
    const want = Math.min(this.#blockBytes, end - offset);
    const { base, bytes: memory } = this.#filled;
    const bytes = readBytes(open, id, offset, memory.subarray(base, base + want));
    // Whoever asks for the block next gets the failure; if nobody does, it never mattered.
    bytes.catch(() => {});
    return { open, id, offset, lastId, end, want, bytes };
  }

  #keep({ base, bytes }: RecordChecker, length: number): Uint8Array {
    const shown = bytes.subarray(base, base + length);
    if (this.#borrow) return shown;
    const copy = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
    copy.set(shown);
    return copy;
  }

  #adapt({ batch }: Block): void {
    if (batch === undefined) return;
    const isLarge = batch.byteLength / batch.count > largeRecordBytes;
    this.#blockBytes = isLarge ? readBufferBytes : smallBlockBytes;
  }
}

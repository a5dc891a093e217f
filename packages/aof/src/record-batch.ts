import { recordHeaderBytes } from "./format/record-layout.ts";
import type { AofRecord } from "./record.ts";

/**
 * Consecutive records as they were read, checked, in one block of memory. The fastest way to read many: no object per
 * record is made until you ask for one. The block is written once and never reused, so views stay good; holding one
 * view holds the whole block (256 KiB, or one larger record).
 */
export class RecordBatch implements Iterable<AofRecord> {
  /** Id of the first record. The others follow without a gap. */
  readonly firstId: number;
  /** At least 1. */
  readonly count: number;
  readonly #block: Uint8Array;
  readonly #view: DataView;
  /** Where each record begins in the block. */
  readonly #starts: Uint32Array;

  /** @param starts the first `count` are positions in `block` */
  constructor(firstId: number, count: number, block: Uint8Array, starts: Uint32Array) {
    this.firstId = firstId;
    this.count = count;
    this.#block = block;
    this.#view = new DataView(block.buffer, block.byteOffset, block.byteLength);
    this.#starts = starts;
  }

  /** A batch of one record that was read by itself. */
  static ofOne(record: AofRecord): RecordBatch {
    const block = new Uint8Array(recordHeaderBytes + record.payload.length);
    const view = new DataView(block.buffer);
    view.setUint32(4, record.payload.length, true);
    view.setBigUint64(16, BigInt(record.timestampUs), true);
    block.set(record.payload, recordHeaderBytes);
    return new RecordBatch(record.id, 1, block, Uint32Array.of(0));
  }

  get lastId(): number {
    return this.firstId + this.count - 1;
  }

  /** A view of the payload at `index`, 0 to `count - 1`. @throws RangeError outside of that */
  payload(index: number): Uint8Array {
    const start = this.#start(index);
    const from = start + recordHeaderBytes;
    return this.#block.subarray(from, from + this.#view.getUint32(start + 4, true));
  }

  timestampUs(index: number): number {
    const start = this.#start(index);
    return this.#view.getUint32(start + 16, true) + this.#view.getUint32(start + 20, true) * 0x100000000;
  }

  record(index: number): AofRecord {
    return { id: this.firstId + index, timestampUs: this.timestampUs(index), payload: this.payload(index) };
  }

  *[Symbol.iterator](): Iterator<AofRecord> {
    for (let index = 0; index < this.count; index++) yield this.record(index);
  }

  /** The records `[from, to)` of this batch, sharing its memory. */
  slice(from: number, to: number): RecordBatch {
    return new RecordBatch(this.firstId + from, to - from, this.#block, this.#starts.subarray(from, to));
  }

  #start(index: number): number {
    const start = index >= 0 && index < this.count ? this.#starts[index] : undefined;
    if (start === undefined) throw new RangeError(`index ${index} is outside of the batch's ${this.count} records`);
    return start;
  }
}

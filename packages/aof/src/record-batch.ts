import type { RecordHeaders } from "./content/attributes.ts";
import { recordOf } from "./content/read-content.ts";
import type { RecordContent } from "./content/record-body.ts";
import { recordHeaderBytes } from "./format/record-layout.ts";
import type { AofRecord } from "./record.ts";

/**
 * Consecutive records as they were read, checked, in one block of memory. The fastest way to read many: no object per
 * record is made until you ask for one. The block is written once and never reused, so views stay good; holding one
 * view holds the whole block (256 KiB, more where records are large). With `borrow` it is lent instead: views end when the
 * next batch is asked for. Records that were compressed or encrypted, or that carry
 * headers or an expiry, are decoded when the batch is read, each into memory of its own: about 4 MiB in a batch at most,
 * or one larger record.
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
  /** By index: of the records whose body is not just the payload. */
  readonly #contents: readonly (RecordContent | undefined)[] | undefined;

  /**
   * @param starts the first `count` are positions in `block`
   * @param contents by index, of the records whose body is not just the payload; undefined when there is none
   */
  constructor(
    firstId: number,
    count: number,
    block: Uint8Array,
    starts: Uint32Array,
    contents?: readonly (RecordContent | undefined)[],
  ) {
    this.firstId = firstId;
    this.count = count;
    this.#block = block;
    this.#view = new DataView(block.buffer, block.byteOffset, block.byteLength);
    this.#starts = starts;
    this.#contents = contents;
  }

  /** A batch of one record that was read by itself. */
  static ofOne(record: AofRecord): RecordBatch {
    const block = new Uint8Array(recordHeaderBytes);
    new DataView(block.buffer).setBigUint64(16, BigInt(record.timestampUs), true);
    return new RecordBatch(record.id, 1, block, Uint32Array.of(0), [record]);
  }

  get lastId(): number {
    return this.firstId + this.count - 1;
  }

  /** Of the records as stored. */
  get byteLength(): number {
    return this.#block.byteLength;
  }

  /** A view of the payload at `index`, 0 to `count - 1`. @throws RangeError outside of that */
  payload(index: number): Uint8Array {
    const start = this.#start(index);
    const content = this.#contents?.[index];
    if (content !== undefined) return content.payload;
    const from = start + recordHeaderBytes;
    return this.#block.subarray(from, from + this.#view.getUint32(start + 4, true));
  }

  timestampUs(index: number): number {
    const start = this.#start(index);
    return this.#view.getUint32(start + 16, true) + this.#view.getUint32(start + 20, true) * 0x100000000;
  }

  /** The headers of the record at `index`, undefined when it has none. */
  headers(index: number): RecordHeaders | undefined {
    this.#start(index);
    return this.#contents?.[index]?.headers;
  }

  /** When the record at `index` expires, µs since 1970; undefined when it carries no expiry of its own. */
  expiresAtUs(index: number): number | undefined {
    this.#start(index);
    return this.#contents?.[index]?.expiresAtUs;
  }

  record(index: number): AofRecord {
    const content = this.#contents?.[index];
    if (content !== undefined) return recordOf(this.firstId + index, this.timestampUs(index), content);
    return { id: this.firstId + index, timestampUs: this.timestampUs(index), payload: this.payload(index) };
  }

  *[Symbol.iterator](): Iterator<AofRecord> {
    for (let index = 0; index < this.count; index++) yield this.record(index);
  }

  /** The records `[from, to)` of this batch, sharing its memory. */
  slice(from: number, to: number): RecordBatch {
    const starts = this.#starts.subarray(from, to);
    return new RecordBatch(this.firstId + from, to - from, this.#block, starts, this.#contents?.slice(from, to));
  }

  #start(index: number): number {
    const start = index >= 0 && index < this.count ? this.#starts[index] : undefined;
    if (start === undefined) throw new RangeError(`index ${index} is outside of the batch's ${this.count} records`);
    return start;
  }
}

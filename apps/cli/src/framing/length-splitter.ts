import { CliError } from "../cli-error.ts";
import { formatCount } from "../values/size.ts";
import { type RecordSplitter, recordTooLong } from "./record-splitter.ts";

const prefixBytes = 4;

/** Records with their length before them, as a little-endian u32. A frame that the input's end cuts is an error. */
export class LengthSplitter implements RecordSplitter {
  readonly #maxRecordBytes: number;
  /** The frame that is not complete, in the pieces in which it came. */
  #pieces: Uint8Array[] = [];
  #pendingBytes = 0;
  /** Bytes of that frame, undefined until its prefix was read. */
  #frameBytes: number | undefined;
  /** Where it begins in the input. */
  #offset = 0;

  constructor(maxRecordBytes: number) {
    this.#maxRecordBytes = maxRecordBytes;
  }

  *push(chunk: Uint8Array): Generator<Uint8Array> {
    let from = 0;
    while (from < chunk.length) {
      const wanted = (this.#frameBytes ?? prefixBytes) - this.#pendingBytes;
      const piece = chunk.subarray(from, from + wanted);
      this.#pieces.push(piece);
      this.#pendingBytes += piece.length;
      from += piece.length;
      if (piece.length < wanted) return;
      if (this.#frameBytes === undefined) this.#readPrefix();
      if (this.#pendingBytes === this.#frameBytes) yield this.#take();
    }
  }

  *end(): Generator<Uint8Array> {
    if (this.#pendingBytes === 0) return;
    const came = Math.max(0, this.#pendingBytes - prefixBytes);
    const detail =
      this.#frameBytes === undefined
        ? `${this.#pendingBytes} of the ${prefixBytes} bytes of its length came`
        : `${formatCount(came)} of its ${formatCount(this.#frameBytes - prefixBytes)} bytes came`;
    throw new CliError("CUT_FRAME", `the input ends inside the record that begins at byte ${this.#offset}: ${detail}`, {
      offset: this.#offset,
    });
  }

  #readPrefix(): void {
    const prefix = this.#joined();
    const length = new DataView(prefix.buffer, prefix.byteOffset, prefixBytes).getUint32(0, true);
    if (length > this.#maxRecordBytes) {
      const offset = this.#offset;
      throw recordTooLong(`the record that begins at byte ${offset}`, length, this.#maxRecordBytes, { offset });
    }
    this.#frameBytes = prefixBytes + length;
  }

  #take(): Uint8Array {
    const frame = this.#joined();
    this.#offset += frame.length;
    this.#pieces = [];
    this.#pendingBytes = 0;
    this.#frameBytes = undefined;
    return frame.subarray(prefixBytes);
  }

  #joined(): Uint8Array {
    const [only] = this.#pieces;
    return this.#pieces.length === 1 && only !== undefined ? only : Buffer.concat(this.#pieces, this.#pendingBytes);
  }
}

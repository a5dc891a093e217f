import { type RecordSplitter, recordTooLong } from "./record-splitter.ts";

const newline = 0x0a;

/**
 * One record a line, without its newline. A carriage return before it stays part of the record: it may be data, and
 * whoever wrote it can take it away again. A last line without a newline counts; an empty one does not exist.
 */
export class LineSplitter implements RecordSplitter {
  readonly #maxRecordBytes: number;
  /** The line that is not complete, in the pieces in which it came: joining them at each chunk would cost the square. */
  #pieces: Uint8Array[] = [];
  #pendingBytes = 0;
  #linesBefore = 0;

  constructor(maxRecordBytes: number) {
    this.#maxRecordBytes = maxRecordBytes;
  }

  *push(chunk: Uint8Array): Generator<Uint8Array> {
    let from = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      const line = this.#pendingBytes === 0 ? chunk.subarray(from, end) : this.#join(chunk.subarray(from, end));
      from = end + 1;
      if (line.length > this.#maxRecordBytes) throw this.#tooLong(line.length);
      yield line;
      this.#linesBefore++;
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
  }

  *end(): Generator<Uint8Array> {
    if (this.#pendingBytes > 0) yield this.#join(new Uint8Array(0));
  }

  #keep(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#pendingBytes += piece.length;
    if (this.#pendingBytes > this.#maxRecordBytes) throw this.#tooLong(undefined);
  }

  #join(last: Uint8Array): Uint8Array {
    const line = Buffer.concat([...this.#pieces, last], this.#pendingBytes + last.length);
    this.#pieces = [];
    this.#pendingBytes = 0;
    return line;
  }

  #tooLong(length: number | undefined): Error {
    const line = this.#linesBefore + 1;
    return recordTooLong(`line ${line}`, length, this.#maxRecordBytes, { line });
  }
}

import { IngestError } from "./errors.ts";

/** Cuts a stream of bytes into the pieces that become records. */
export interface Splitter {
  /** The pieces that are complete now. They may share the chunk's memory: neither is written afterwards. */
  push(chunk: Uint8Array): Iterable<Uint8Array>;
  /** What is left at the end of the stream. */
  end(): Iterable<Uint8Array>;
}

const newline = 0x0a;

/** Lines without their newline, empty ones included. A last line without a newline counts unless it is empty. */
export class LineSplitter implements Splitter {
  /** Lines given out so far, so the number of the newest one, from 1. */
  lines = 0;
  readonly #maxBytes: number;
  /** The beginning of a line whose end has not come yet. */
  #begun: Uint8Array[] = [];
  #begunBytes = 0;

  /** @param maxBytes the longest line accepted */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @throws IngestError `LINE_TOO_LONG` */
  *push(chunk: Uint8Array): Generator<Uint8Array> {
    let from = 0;
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
      yield this.#line(chunk.subarray(from, at));
      from = at + 1;
    }
    if (from < chunk.length) this.#hold(chunk.subarray(from));
  }

  *end(): Generator<Uint8Array> {
    if (this.#begunBytes > 0) yield this.#line(new Uint8Array(0));
  }

  #line(rest: Uint8Array): Uint8Array {
    this.#assertLength(this.#begunBytes + rest.length);
    this.lines++;
    if (this.#begunBytes === 0) return rest;
    const line = Buffer.concat([...this.#begun, rest]);
    this.#begun = [];
    this.#begunBytes = 0;
    return line;
  }

  #hold(part: Uint8Array): void {
    this.#assertLength(this.#begunBytes + part.length);
    this.#begun.push(part);
    this.#begunBytes += part.length;
  }

  #assertLength(bytes: number): void {
    if (bytes <= this.#maxBytes) return;
    throw new IngestError("LINE_TOO_LONG", `line ${this.lines + 1} is longer than ${this.#maxBytes} bytes`);
  }
}

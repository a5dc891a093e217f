import { IngestError } from "./errors.ts";
import type { Splitter } from "./line-splitter.ts";

const code = { quote: 0x22, comma: 0x2c, open: 0x5b, escape: 0x5c, close: 0x5d, openObject: 0x7b, closeObject: 0x7d };

/**
 * The elements of one JSON array, byte for byte as they are written there (parsing and writing them again would turn
 * `0.0` into `0`), without the line breaks between their tokens. Holds one element at a time, whatever the array's length.
 */
export class JsonArraySplitter implements Splitter {
  /** The beginning of an element whose end has not come yet. */
  #begun: Uint8Array[] = [];
  /** 0 outside of the array, 1 between its elements' own brackets. */
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  #isOver = false;

  /** @throws IngestError `INPUT_UNREADABLE` when it is not an array */
  *push(chunk: Uint8Array): Generator<Uint8Array> {
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (this.#inString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === code.escape) this.#isEscaped = true;
        else if (byte === code.quote) this.#inString = false;
      } else if (this.#depth === 0) {
        this.#outside(byte);
        from = at + 1;
      } else if (byte === code.quote) {
        this.#inString = true;
      } else if (byte === code.open || byte === code.openObject) {
        this.#depth++;
      } else if (byte === code.closeObject || (byte === code.close && this.#depth > 1)) {
        this.#depth--;
      } else if ((byte === code.comma || byte === code.close) && this.#depth === 1) {
        const element = this.#element(chunk.subarray(from, at));
        if (element.length > 0) yield element;
        from = at + 1;
        if (byte === code.close) {
          this.#depth = 0;
          this.#isOver = true;
        }
      }
    }
    if (this.#depth > 0 && from < chunk.length) this.#begun.push(chunk.subarray(from));
  }

  /** @throws IngestError `INPUT_UNREADABLE` when the array is not complete */
  end(): Iterable<Uint8Array> {
    if (!this.#isOver) throw new IngestError("INPUT_UNREADABLE", "the JSON array ends early");
    return [];
  }

  #outside(byte: number): void {
    if (isSpace(byte)) return;
    if (byte !== code.open || this.#isOver) throw new IngestError("INPUT_UNREADABLE", "this is not one JSON array");
    this.#depth = 1;
  }

  #element(rest: Uint8Array): Uint8Array {
    const whole = this.#begun.length === 0 ? rest : Buffer.concat([...this.#begun, rest]);
    this.#begun = [];
    let first = 0;
    let end = whole.length;
    while (first < end && isSpace(whole[first] as number)) first++;
    while (end > first && isSpace(whole[end - 1] as number)) end--;
    const element = whole.subarray(first, end);
    // A raw line break is not allowed inside a JSON string, so each one stands between tokens.
    return element.some(isLineBreak) ? element.filter((byte) => !isLineBreak(byte)) : element;
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || isLineBreak(byte);
}

function isLineBreak(byte: number): boolean {
  return byte === 0x0a || byte === 0x0d;
}

import { damaged } from "./errors.ts";

/** Little-endian output that grows. `finish` hands over the bytes; the writer is spent then. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  // Each takes its place first: that may replace the view.
  u8(value: number): void {
    const offset = this.#take(1);
    this.#view.setUint8(offset, value);
  }

  u16(value: number): void {
    const offset = this.#take(2);
    this.#view.setUint16(offset, value, true);
  }

  u32(value: number): void {
    const offset = this.#take(4);
    this.#view.setUint32(offset, value, true);
  }

  /** A u64 from a whole number in 0..2^53-1. */
  u53(value: number): void {
    const offset = this.#take(8);
    putU53(this.#view, offset, value);
  }

  u64(value: bigint): void {
    const offset = this.#take(8);
    this.#view.setBigUint64(offset, value, true);
  }

  raw(bytes: Uint8Array): void {
    const offset = this.#take(bytes.length);
    this.#bytes.set(bytes, offset);
  }

  zeroes(count: number): void {
    this.#take(count);
  }

  /** Overwrites a u32 written before. */
  patchU32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true);
  }

  /** Everything written so far, as a view. */
  soFar(from = 0): Uint8Array {
    return this.#bytes.subarray(from, this.#length);
  }

  #take(count: number): number {
    const offset = this.#length;
    if (offset + count > this.#bytes.length) this.#grow(offset + count);
    this.#length = offset + count;
    return offset;
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Little-endian input that never reads outside its bytes: what is missing is damage. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = viewOf(bytes);
  }

  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.bytes.length - this.#position;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u53(): number {
    return getU53(this.#view, this.#take(8));
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** A view of the next `count` bytes. */
  raw(count: number): Uint8Array {
    const offset = this.#take(count);
    return this.bytes.subarray(offset, offset + count);
  }

  #take(count: number): number {
    const offset = this.#position;
    if (count > this.remaining) throw damaged("bytes end in the middle of a field");
    this.#position = offset + count;
    return offset;
  }
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const twoTo32 = 2 ** 32;

/** Two 32-bit stores: a bigint per field would cost more than the rest of an entry. */
export function putU53(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value % twoTo32, true);
  view.setUint32(offset + 4, Math.floor(value / twoTo32), true);
}

/** @throws IndexError `INDEX_DAMAGED` above 2^53-1 */
export function getU53(view: DataView, offset: number): number {
  const high = view.getUint32(offset + 4, true);
  if (high >= 2 ** 21) throw damaged("a number above 2^53 - 1");
  return high * twoTo32 + view.getUint32(offset, true);
}

const encoder = new TextEncoder();
// Fatal: bytes that are no UTF-8 are damage, not replacement characters. ignoreBOM: a BOM is a character like others.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function toUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** @throws IndexError `INDEX_DAMAGED` */
export function fromUtf8(bytes: Uint8Array): string {
  // Paths and keys mostly are ASCII, and the general decoder takes ten times as long.
  if (bytes.every((byte) => byte < 0x80))
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw damaged("text that is no UTF-8", { cause });
  }
}

export function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) >= 0x80) return false;
  return true;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

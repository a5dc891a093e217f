import { at, type Halves, slicingTables } from "./crc64-polynomial.ts";

/**
 * A running CRC-64/NVME in plain TypeScript: slicing-by-8 over int32 halves, no bigint, no allocation.
 * The halves are a checksum as callers know it; the inversion before and after happens inside {@link update}.
 */
export class Crc64Register implements Halves {
  low = 0;
  high = 0;
  readonly #low: Int32Array;
  readonly #high: Int32Array;

  constructor() {
    const tables = slicingTables();
    this.#low = tables.low;
    this.#high = tables.high;
  }

  /** Continues over bytes `[start, end)` of `view`, which must exist. */
  update(view: DataView, start: number, end: number): void {
    const low = this.#low;
    const high = this.#high;
    let stateLow = ~this.low;
    let stateHigh = ~this.high;
    let position = start;
    // A DataView, because two 32-bit loads at any alignment beat eight single bytes by half.
    for (const last = end - 8; position <= last; position += 8) {
      const first = view.getInt32(position, true) ^ stateLow;
      const second = view.getInt32(position + 4, true) ^ stateHigh;
      const i0 = 1792 + (first & 255);
      const i1 = 1536 + ((first >>> 8) & 255);
      const i2 = 1280 + ((first >>> 16) & 255);
      const i3 = 1024 + (first >>> 24);
      const i4 = 768 + (second & 255);
      const i5 = 512 + ((second >>> 8) & 255);
      const i6 = 256 + ((second >>> 16) & 255);
      const i7 = second >>> 24;
      stateLow =
        at(low, i0) ^ at(low, i1) ^ at(low, i2) ^ at(low, i3) ^ at(low, i4) ^ at(low, i5) ^ at(low, i6) ^ at(low, i7);
      stateHigh =
        at(high, i0) ^
        at(high, i1) ^
        at(high, i2) ^
        at(high, i3) ^
        at(high, i4) ^
        at(high, i5) ^
        at(high, i6) ^
        at(high, i7);
    }
    for (; position < end; position++) {
      const index = (view.getUint8(position) ^ stateLow) & 255;
      stateLow = ((stateLow >>> 8) | (stateHigh << 24)) ^ at(low, index);
      stateHigh = (stateHigh >>> 8) ^ at(high, index);
    }
    this.low = ~stateLow;
    this.high = ~stateHigh;
  }
}

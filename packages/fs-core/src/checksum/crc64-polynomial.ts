/**
 * Arithmetic of CRC-64/NVME: polynomials over GF(2) modulo the generator, as pairs of 32-bit halves.
 *
 * The CRC is reflected: bit 63 of a value is the coefficient of x^0 and bit 0 that of x^63, so multiplying by x is a
 * shift to the right. Halves are int32 because JavaScript's bitwise operators work on those and allocate nothing.
 *
 * The generator is 0xAD93D23594C93659 in normal order, the "64b CRC" of the NVM Express NVM Command Set Specification;
 * all ones are added before and after.
 */

/** The generator, reflected: 0x9A6C9329AC4BC9B5. */
const polynomialLow: number = 0xac4bc9b5 | 0;
const polynomialHigh: number = 0x9a6c9329 | 0;

/** A value modulo the generator, or a running state; the two halves of 64 bits. */
export interface Halves {
  low: number;
  high: number;
}

// Values pass between bigint and halves through here: shifting and masking bigints would allocate at every step.
const exchange = new DataView(new ArrayBuffer(8));

/** Sets `into` to the two halves of an unsigned or signed 64-bit value; higher bits are dropped. Returns `into`. */
export function splitHalves<T extends Halves>(value: bigint, into: T): T {
  exchange.setBigUint64(0, value);
  into.high = exchange.getInt32(0);
  into.low = exchange.getInt32(4);
  return into;
}

/** The unsigned 64-bit value of two int32 halves. */
export function joinHalves(low: number, high: number): bigint {
  exchange.setInt32(0, high);
  exchange.setInt32(4, low);
  return exchange.getBigUint64(0);
}

/** `words[index]` for an index known to be in range. */
export function at(words: Int32Array, index: number): number {
  return words[index] as number;
}

/** Eight tables of 256: entry `256 k + b` is the state byte `b` becomes after k more zero bytes. */
export interface SlicingTables {
  readonly low: Int32Array;
  readonly high: Int32Array;
}

let tables: SlicingTables | undefined;

/** The tables of slicing-by-8, 16 KiB, built on first use. */
export function slicingTables(): SlicingTables {
  tables ??= buildTables();
  return tables;
}

function buildTables(): SlicingTables {
  const low = new Int32Array(2048);
  const high = new Int32Array(2048);
  const state: Halves = { low: 0, high: 0 };
  for (let byte = 0; byte < 256; byte++) {
    state.low = byte;
    state.high = 0;
    for (let bit = 0; bit < 8; bit++) timesX(state);
    low[byte] = state.low;
    high[byte] = state.high;
  }
  for (let index = 256; index < 2048; index++) {
    const shorterLow = at(low, index - 256);
    const shorterHigh = at(high, index - 256);
    const byte = shorterLow & 255;
    low[index] = ((shorterLow >>> 8) | (shorterHigh << 24)) ^ at(low, byte);
    high[index] = (shorterHigh >>> 8) ^ at(high, byte);
  }
  return { low, high };
}

function timesX(value: Halves): void {
  const carry = -(value.low & 1);
  value.low = ((value.low >>> 1) | (value.high << 31)) ^ (polynomialLow & carry);
  value.high = (value.high >>> 1) ^ (polynomialHigh & carry);
}

/** `value` := `value` · `factor`. */
function multiply(value: Halves, factorLow: number, factorHigh: number): void {
  const power: Halves = { low: value.low, high: value.high };
  let low = 0;
  let high = 0;
  for (let bit = 63; bit >= 0; bit--) {
    const chosen = -(((bit < 32 ? factorLow : factorHigh) >>> (bit & 31)) & 1);
    low ^= power.low & chosen;
    high ^= power.high & chosen;
    timesX(power);
  }
  value.low = low;
  value.high = high;
}

/**
 * `value` := `value` · x^(8 `bytes`): what a checksum becomes when `bytes` zero bytes follow, conditioning left out.
 * @param bytes 0..2^53-1; one multiplication per bit set.
 */
export function shiftBytes(value: Halves, bytes: number): void {
  let rest = bytes;
  for (let bit = 0; rest > 0; bit++, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) multiply(value, at(bytePowers(), 2 * bit), at(bytePowers(), 2 * bit + 1));
  }
}

let powers: Int32Array | undefined;

/** x^(8 · 2^k) for k in 0..52, low half then high half. */
function bytePowers(): Int32Array {
  if (powers !== undefined) return powers;
  powers = new Int32Array(2 * 53);
  const value: Halves = { low: 0, high: 1 << (31 - 8) };
  for (let bit = 0; bit < 53; bit++) {
    powers[2 * bit] = value.low;
    powers[2 * bit + 1] = value.high;
    multiply(value, value.low, value.high);
  }
  return powers;
}

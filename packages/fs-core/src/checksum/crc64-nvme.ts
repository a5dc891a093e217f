import { createChecksumMemory } from "./checksum-memory.ts";
import { type Halves, joinHalves, shiftBytes, splitHalves } from "./crc64-polynomial.ts";
import { Crc64Register } from "./crc64-register.ts";

/**
 * CRC-64/NVME of `bytes`, which are only read and only during the call.
 * Bytes that can be made to live in a `ChecksumMemory` are checksummed there faster, without a copy.
 * @param seed the checksum of what came before (0n = nothing), so `crc64Nvme(b, crc64Nvme(a))` is that of a then b
 * @returns an unsigned 64-bit value; AE8B14860A799888 for "123456789"
 */
export function crc64Nvme(bytes: Uint8Array, seed: bigint = 0n): bigint {
  return new Crc64().reset(seed).update(bytes).digest();
}

/** {@link crc64Nvme} over bytes that arrive in pieces. */
export class Crc64 {
  readonly #value: Halves = { low: 0, high: 0 };

  /** Continues over `bytes`, which are not kept. */
  update(bytes: Uint8Array): this {
    continueOver(bytes, this.#value);
    return this;
  }

  /** The checksum so far, unsigned 64 bits. More updates may follow. */
  digest(): bigint {
    return joinHalves(this.#value.low, this.#value.high);
  }

  /** Starts again after content whose checksum is `seed`; 0n for nothing. */
  reset(seed: bigint = 0n): this {
    splitHalves(seed, this.#value);
    return this;
  }
}

/**
 * The checksum of a then b from those of each, without their bytes.
 * @param lengthB length of b in bytes, an integer in 0..2^53-1
 * @throws RangeError for any other length
 */
export function crc64Combine(a: bigint, b: bigint, lengthB: number): bigint {
  if (!Number.isSafeInteger(lengthB) || lengthB < 0) {
    throw new RangeError(`lengthB: got ${lengthB}, want an integer in 0..2^53-1`);
  }
  const shifted = splitHalves(a, { low: 0, high: 0 });
  shiftBytes(shifted, lengthB);
  return joinHalves(shifted.low, shifted.high) ^ BigInt.asUintN(64, b);
}

/** XOR of a 64-bit checksum's two halves: unsigned 32 bits, as log records carry it. */
export function foldTo32(crc: bigint): number {
  const { low, high } = splitHalves(crc, { low: 0, high: 0 });
  return (low ^ high) >>> 0;
}

type Continue = (bytes: Uint8Array, value: Halves) => void;
let continuation: Continue | undefined;

/** Chosen at the first use, because importing the package should cost nothing. */
function continueOver(bytes: Uint8Array, value: Halves): void {
  continuation ??= chooseContinuation();
  continuation(bytes, value);
}

/** Bytes copied at a time: large enough for long folds, small enough for the second-level cache. */
const stagingBytes = 65_536;

function chooseContinuation(): Continue {
  const { engine, buffer, base } = createChecksumMemory(stagingBytes);
  if (engine.kind === "typescript") {
    const register = new Crc64Register();
    return (bytes, value) => {
      register.low = value.low;
      register.high = value.high;
      register.update(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.byteLength);
      value.low = register.low;
      value.high = register.high;
    };
  }
  const staging = new Uint8Array(buffer, base, stagingBytes);
  return (bytes, value) => {
    for (let start = 0; start < bytes.length; start += stagingBytes) {
      const piece = bytes.length <= stagingBytes ? bytes : bytes.subarray(start, start + stagingBytes);
      staging.set(piece);
      engine.foldedAt(base, piece.length, value.low, value.high);
      value.low = engine.lastLow;
      value.high = engine.lastHigh;
    }
  };
}

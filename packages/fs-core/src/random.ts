import { randomFillSync } from "node:crypto";

/** Randomness as a part, so that a seed replays a run. */
export interface Random {
  /** A fraction in [0, 1). */
  next(): number;
  /** A whole number in [0, limit). `limit` is 1..2^53-1. */
  int(limit: number): number;
  /** 64 random bits: segment salts. */
  u64(): bigint;
  /** Fills `bytes` and returns it: identities, keys. */
  fill(bytes: Uint8Array): Uint8Array;
}

/** Bytes at hand: asking for 16 takes as long as for thousands, and every write of an object asks. Zeroed as they go. */
const pool = new Uint8Array(4096);
const pooledMax = 64;
let taken = pool.byteLength;

function fillFromPool(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength > pooledMax) return randomFillSync(bytes);
  if (taken + bytes.byteLength > pool.byteLength) {
    randomFillSync(pool);
    taken = 0;
  }
  const given = pool.subarray(taken, taken + bytes.byteLength);
  bytes.set(given);
  given.fill(0);
  taken += bytes.byteLength;
  return bytes;
}

/** Cryptographically strong. */
export const systemRandom: Random = {
  // 53 bits, all that a fraction can hold: more would round up to 1.
  next: () => Number(systemRandom.u64() >> 11n) / 2 ** 53,
  int: (limit) => Math.floor(systemRandom.next() * limit),
  u64: () => new DataView(fillFromPool(new Uint8Array(8)).buffer).getBigUint64(0, true),
  fill: fillFromPool,
};

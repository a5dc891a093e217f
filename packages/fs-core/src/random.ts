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

/** Cryptographically strong. */
export const systemRandom: Random = {
  // 53 bits, all that a fraction can hold: more would round up to 1.
  next: () => Number(systemRandom.u64() >> 11n) / 2 ** 53,
  int: (limit) => Math.floor(systemRandom.next() * limit),
  u64: () => randomFillSync(new BigUint64Array(1))[0] as bigint,
  fill: (bytes) => randomFillSync(bytes),
};

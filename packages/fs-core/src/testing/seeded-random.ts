import type { Random } from "../random.ts";

/**
 * A {@link Random} that repeats itself for the same seed, on every platform and in every release: seeds are kept in bug
 * reports. xoshiro128** (Blackman and Vigna, https://prng.di.unimi.it), its state filled by splitmix32. Not for keys.
 */
export class SeededRandom implements Random {
  /** As given: print it when a test fails. */
  readonly seed: number;
  readonly #state = new Uint32Array(4);

  /** @param seed a whole number; its low 53 bits count */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed)) throw new RangeError(`seed: got ${seed}, want a safe integer`);
    this.seed = seed;
    let x = (seed ^ Math.imul(Math.floor(seed / 2 ** 32), 0x85ebca6b)) >>> 0;
    for (let i = 0; i < 4; i += 1) {
      x = (x + 0x9e3779b9) >>> 0;
      let z = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      this.#state[i] = z ^ (z >>> 15);
    }
  }

  next(): number {
    const high = this.#u32() >>> 5;
    const low = this.#u32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  int(limit: number): number {
    if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError(`limit: got ${limit}, want 1..2^53-1`);
    return Math.floor(this.next() * limit);
  }

  u64(): bigint {
    return (BigInt(this.#u32()) << 32n) | BigInt(this.#u32());
  }

  fill(bytes: Uint8Array): Uint8Array {
    for (let i = 0; i < bytes.byteLength; i += 4) {
      const word = this.#u32();
      for (let j = i; j < Math.min(i + 4, bytes.byteLength); j += 1) bytes[j] = word >>> (8 * (j - i));
    }
    return bytes;
  }

  /** True with the given chance, 0..1. */
  chance(share: number): boolean {
    return this.next() < share;
  }

  /** One of `items`, which is not empty. */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError("pick: no items");
    return items[this.int(items.length)] as T;
  }

  #u32(): number {
    const s = this.#state;
    const [a, b, c, d] = [s[0] as number, s[1] as number, s[2] as number, s[3] as number];
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    s[2] = c ^ a;
    s[3] = d ^ b;
    s[1] = b ^ s[2];
    s[0] = a ^ s[3];
    s[2] = s[2] ^ (b << 9);
    s[3] = rotate(s[3], 11);
    return result;
  }
}

function rotate(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

import type { SeededRandom } from "@varve/fs-core/testing";

/** One way to spoil a file. */
export interface DamageCase {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Not `slice`: a Buffer's is a view, and the damage would add up. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** Bytes that never were an index. */
export function* replacedWhole(original: Uint8Array, random: SeededRandom): Generator<DamageCase, void, undefined> {
  yield { name: "zeroed", bytes: new Uint8Array(original.length) };
  yield { name: "all ones", bytes: new Uint8Array(original.length).fill(0xff) };
  yield { name: "random", bytes: random.fill(new Uint8Array(original.length)) };
  yield { name: "text", bytes: new TextEncoder().encode("# notes\nnot an index\n".repeat(400)) };
  yield { name: "empty", bytes: new Uint8Array(0) };
  yield { name: "doubled", bytes: Buffer.concat([original, original]) };
  yield { name: "shifted by a byte", bytes: Buffer.concat([Uint8Array.of(0), original]) };
}

/** The file cut at `count` random lengths and around every multiple of `step`; at every length without a count. */
export function* truncated(
  original: Uint8Array,
  random: SeededRandom,
  { step, count }: { readonly step: number; readonly count: number | undefined },
): Generator<DamageCase, void, undefined> {
  const lengths = new Set<number>();
  if (count === undefined) for (let length = 0; length < original.length; length++) lengths.add(length);
  for (let edge = 0; edge <= original.length; edge += step) for (const near of [-1, 0, 1]) lengths.add(edge + near);
  for (let i = 0; i < (count ?? 0); i++) lengths.add(random.int(original.length));
  for (const length of lengths) {
    if (length < 0 || length >= original.length) continue;
    yield { name: `cut to ${length}`, bytes: copyOf(original.subarray(0, length)) };
  }
}

/** One bit flipped, at `count` random places; at every place of the range without a count. */
export function* flipped(
  original: Uint8Array,
  random: SeededRandom,
  {
    from = 0,
    to = original.length,
    count,
  }: { readonly from?: number; readonly to?: number; readonly count: number | undefined },
): Generator<DamageCase, void, undefined> {
  const total = count ?? (to - from) * 8;
  for (let i = 0; i < total; i++) {
    const bit = count === undefined ? i : random.int((to - from) * 8);
    const at = from + (bit >> 3);
    const bytes = copyOf(original);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
    yield { name: `bit ${bit & 7} of byte ${at}`, bytes };
  }
}

/** One bit flipped in each byte of `[from, to)`. */
export function* eachByteFlipped(
  original: Uint8Array,
  random: SeededRandom,
  { from, to }: { readonly from: number; readonly to: number },
): Generator<DamageCase, void, undefined> {
  for (let at = from; at < to; at++) {
    const bytes = copyOf(original);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(8));
    yield { name: `a bit of byte ${at}`, bytes };
  }
}

/** Whole blocks zeroed, filled with noise, or swapped with another. */
export function* blocksSpoiled(
  original: Uint8Array,
  random: SeededRandom,
  { size, count }: { readonly size: number; readonly count: number },
): Generator<DamageCase, void, undefined> {
  const blocks = Math.floor(original.length / size);
  for (let i = 0; i < count; i++) {
    const [a, b] = [random.int(blocks) * size, random.int(blocks) * size];
    const zeroed = copyOf(original);
    zeroed.fill(0, a, a + size);
    yield { name: `zeroes at ${a}`, bytes: zeroed };
    const noisy = copyOf(original);
    random.fill(noisy.subarray(a, a + 1 + random.int(size)));
    yield { name: `noise at ${a}`, bytes: noisy };
    const swapped = copyOf(original);
    swapped.set(original.subarray(b, b + size), a);
    swapped.set(original.subarray(a, a + size), b);
    if (a !== b) yield { name: `swapped ${a} and ${b}`, bytes: swapped };
  }
}

/** Blocks that are what they were in an earlier version of the file: writes that a disk lost. */
export function* blocksOld(
  original: Uint8Array,
  earlier: Uint8Array,
  size: number,
): Generator<DamageCase, void, undefined> {
  for (let at = 0; at + size <= Math.min(original.length, earlier.length); at += size) {
    const old = earlier.subarray(at, at + size);
    if (Buffer.compare(old, original.subarray(at, at + size)) === 0) continue;
    const bytes = copyOf(original);
    bytes.set(old, at);
    yield { name: `old block at ${at}`, bytes };
  }
}

/** Goal: a seed replays for ever, and the numbers are good enough for tests. Method: golden values and simple counts. */
import { describe, expect, test } from "vitest";
import { SeededRandom } from "./seeded-random.ts";

test("a seed gives the same numbers in every release", () => {
  const random = new SeededRandom(42);
  expect([
    random.int(1000),
    random.int(2 ** 40),
    random.u64(),
    [...random.fill(new Uint8Array(6))],
  ]).toMatchInlineSnapshot(`
    [
      153,
      19884164808,
      9866990533672100453n,
      [
        168,
        231,
        44,
        186,
        108,
        187,
      ],
    ]
  `);
});

test("equal seeds agree, other seeds differ, in their high bits too", () => {
  const first = (seed: number): bigint => new SeededRandom(seed).u64();
  expect(first(7)).toBe(first(7));
  expect(new Set([0, 1, 2, 7, -1, 2 ** 31, 2 ** 32, 2 ** 40, 2 ** 41].map(first)).size).toBe(9);
  expect(new SeededRandom(7).seed).toBe(7);
});

test("next is in [0, 1) and even", () => {
  const random = new SeededRandom(1);
  const buckets = Array.from({ length: 10 }, () => 0);
  for (let i = 0; i < 10_000; i += 1) {
    const value = random.next();
    expect(value >= 0 && value < 1).toBe(true);
    const bucket = Math.floor(value * 10);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  for (const count of buckets) expect(Math.abs(count - 1000)).toBeLessThan(150);
});

test("int reaches both ends and keeps to its range", () => {
  const random = new SeededRandom(2);
  const seen = new Set(Array.from({ length: 200 }, () => random.int(5)));
  expect(seen).toEqual(new Set([0, 1, 2, 3, 4]));
  expect(random.int(1)).toBe(0);
  for (let i = 0; i < 100; i += 1) expect(random.int(Number.MAX_SAFE_INTEGER)).toBeLessThan(Number.MAX_SAFE_INTEGER);
});

test("fill fills any length, and only it", () => {
  for (let length = 0; length < 10; length += 1) {
    const bytes = new Uint8Array(12);
    const view = bytes.subarray(1, 1 + length);
    expect(new SeededRandom(3).fill(view)).toBe(view);
    expect([bytes[0], ...bytes.subarray(1 + length)].every((byte) => byte === 0)).toBe(true);
  }
  const large = new SeededRandom(3).fill(new Uint8Array(4096));
  expect(new Set(large).size).toBe(256);
});

describe("conveniences", () => {
  test("pick chooses each item, chance leans", () => {
    const random = new SeededRandom(4);
    expect(new Set(Array.from({ length: 100 }, () => random.pick(["a", "b", "c"]))).size).toBe(3);
    const hits = Array.from({ length: 1000 }, () => random.chance(0.2)).filter(Boolean).length;
    expect(hits).toBeGreaterThan(140);
    expect(hits).toBeLessThan(260);
    expect([random.chance(0), random.chance(1)]).toEqual([false, true]);
  });

  test("refuse what has no answer", () => {
    const random = new SeededRandom(5);
    expect(() => random.pick([])).toThrow(RangeError);
    for (const limit of [0, -1, 1.5, 2 ** 53]) expect(() => random.int(limit)).toThrow(RangeError);
    expect(() => new SeededRandom(0.5)).toThrow(RangeError);
  });
});

// Goal: bytes that come from the pool are as good as those that do not: never the same twice, none left out; draws keep
// their ranges.
// Method: more of them than the pool holds, in all sizes around its limits.
import { expect, test } from "vitest";
import { systemRandom } from "./random.ts";

test("no identity comes twice", () => {
  const seen = new Set<string>();
  for (let index = 0; index < 2000; index++) {
    seen.add(Buffer.from(systemRandom.fill(new Uint8Array(16))).toString("hex"));
    seen.add(systemRandom.u64().toString(16));
  }
  expect(seen.size).toBe(4000);
});

test.for([1, 7, 63, 64, 65, 4095, 4096, 4097, 70_000])("%i bytes, all of them", (size) => {
  // A byte that is never written stays 0 in every round: of 30 rounds that happens to a random byte once in 2^240.
  const written = new Uint8Array(size);
  for (let round = 0; round < 30; round++) {
    const bytes = new Uint8Array(size);
    expect(systemRandom.fill(bytes)).toBe(bytes);
    for (let at = 0; at < size; at++) written[at] = (written[at] as number) | (bytes[at] as number);
  }
  expect(written.every((byte) => byte !== 0)).toBe(true);
});

test("part of a larger buffer is filled, and nothing beside it", () => {
  const whole = new Uint8Array(48);
  for (let round = 0; round < 30; round++) systemRandom.fill(whole.subarray(16, 32));
  expect(whole.subarray(0, 16)).toEqual(new Uint8Array(16));
  expect(whole.subarray(32)).toEqual(new Uint8Array(16));
});

test("draws keep to their ranges", () => {
  for (let index = 0; index < 1000; index++) {
    const fraction = systemRandom.next();
    expect(fraction >= 0 && fraction < 1).toBe(true);
    const whole = systemRandom.int(7);
    expect(Number.isInteger(whole) && whole >= 0 && whole < 7).toBe(true);
  }
  const words = Array.from({ length: 100 }, () => systemRandom.u64());
  expect(words.every((word) => word >= 0n && word < 2n ** 64n)).toBe(true);
  expect(words.some((word) => word >= 2n ** 63n)).toBe(true);
});

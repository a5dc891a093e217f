/** Goal: the system's randomness keeps the Random's ranges. Method: many draws. */
import { expect, test } from "vitest";
import { systemRandom } from "./random.ts";

test("draws keep to their ranges and differ", () => {
  for (let i = 0; i < 1000; i += 1) {
    const fraction = systemRandom.next();
    expect(fraction >= 0 && fraction < 1).toBe(true);
    const whole = systemRandom.int(7);
    expect(Number.isInteger(whole) && whole >= 0 && whole < 7).toBe(true);
  }
  const words = Array.from({ length: 100 }, () => systemRandom.u64());
  expect(new Set(words).size).toBe(100);
  expect(words.every((word) => word >= 0n && word < 2n ** 64n)).toBe(true);
  expect(words.some((word) => word >= 2n ** 63n)).toBe(true);
  const bytes = new Uint8Array(64);
  expect(systemRandom.fill(bytes)).toBe(bytes);
  expect(new Set(bytes).size).toBeGreaterThan(16);
});

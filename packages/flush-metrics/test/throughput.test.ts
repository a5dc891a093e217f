// Goal: the average follows a rate within its time constant, and neither the start, an idle time nor a bad clock yields
// an absurd number. Method: steady, stopped and bursty streams against the closed form.
import { describe, expect, test } from "vitest";
import { Throughput } from "../src/throughput.ts";

const second = 1e6;

describe("Throughput", () => {
  test("a steady stream reads as its rate from the first second on", () => {
    const throughput = new Throughput(10_000, 0);
    for (let s = 1; s <= 60; s += 1) {
      for (let ms = s * 1000 - 999; ms <= s * 1000; ms += 1) throughput.add(5, 500, ms * 1000);
      expect(throughput.recordsPerSecond(s * second) / 5000).toBeCloseTo(1, 3);
      expect(throughput.bytesPerSecond(s * second) / 500_000).toBeCloseTo(1, 3);
    }
  });

  test("after a change of rate, 63 % of the way is gone in one time constant and 95 % in three", () => {
    const throughput = new Throughput(2_000, 0);
    for (let ms = 1; ms <= 60_000; ms += 1) throughput.add(1, 1, ms * 1000);
    expect(throughput.recordsPerSecond(60 * second)).toBeCloseTo(1000, 0);
    for (let ms = 60_001; ms <= 62_000; ms += 1) throughput.add(3, 3, ms * 1000);
    expect((throughput.recordsPerSecond(62 * second) - 1000) / 2000).toBeCloseTo(1 - Math.exp(-1), 2);
    for (let ms = 62_001; ms <= 66_000; ms += 1) throughput.add(3, 3, ms * 1000);
    expect((throughput.recordsPerSecond(66 * second) - 1000) / 2000).toBeCloseTo(1 - Math.exp(-3), 2);
  });

  test("fades to nothing when nothing is flushed", () => {
    const throughput = new Throughput(10_000, 0);
    throughput.add(1000, 1, 10 * second);
    const rate = throughput.recordsPerSecond(10 * second);
    expect(throughput.recordsPerSecond(20 * second)).toBeLessThan(rate / 2);
    expect(throughput.recordsPerSecond(1e6 * second)).toBe(0);
    expect(throughput.recordsPerSecond(10 * second)).toBe(rate);
  });

  test("the first flush does not read as millions a second", () => {
    const throughput = new Throughput(10_000, 0);
    throughput.add(100, 6400, 85);
    expect(throughput.recordsPerSecond(85)).toBeCloseTo(105.1, 1);
    expect(throughput.recordsPerSecond(85)).toBeLessThan(110);
  });

  test("starts at 0, wherever the clock starts", () => {
    const throughput = new Throughput(10_000, 5e15);
    expect(throughput.recordsPerSecond(5e15)).toBe(0);
    throughput.add(10, 10, 5e15 + second);
    expect(throughput.recordsPerSecond(5e15 + second)).toBeGreaterThan(9);
  });

  test("time that stands still or steps back fades nothing and breaks nothing", () => {
    const throughput = new Throughput(10_000, 0);
    throughput.add(100, 100, 20 * second);
    throughput.add(100, 100, 5 * second);
    expect(throughput.recordsPerSecond(-second)).toBeGreaterThan(0);
    const twice = new Throughput(10_000, 0);
    twice.add(200, 200, 20 * second);
    expect(throughput.recordsPerSecond(20 * second)).toBe(twice.recordsPerSecond(20 * second));
    expect(throughput.bytesPerSecond(30 * second)).toBe(twice.bytesPerSecond(30 * second));
  });
});

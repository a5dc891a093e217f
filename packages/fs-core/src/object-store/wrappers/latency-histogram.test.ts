// Goal: each latency is in the bucket that its size says, at every border.
// Method: powers of two, and their neighbours.
import { expect, test } from "vitest";
import { Log2Histogram } from "./latency-histogram.ts";

test("bucket i takes less than 2^i, and not less than half of it", () => {
  for (let power = 0; power < 40; power++) {
    const histogram = new Log2Histogram();
    histogram.record(2 ** power);
    histogram.record(2 ** power * 1.99);
    const { buckets } = histogram.snapshot();
    expect(buckets[power + 1], `2^${power}`).toBe(2);
    expect(buckets.reduce((sum, count) => sum + count, 0)).toBe(2);
  }
});

test("less than one, nothing at all, and more than the last bucket", () => {
  const histogram = new Log2Histogram();
  expect(histogram.snapshot()).toMatchObject({ count: 0, sumUs: 0, maxUs: 0 });
  for (const value of [0, 0.5, 2 ** 41, 2 ** 50]) histogram.record(value);
  const { buckets, count, sumUs, maxUs } = histogram.snapshot();
  expect(buckets[0]).toBe(2);
  expect(buckets.at(-1)).toBe(2);
  expect({ count, sumUs, maxUs }).toEqual({ count: 4, sumUs: 0.5 + 2 ** 41 + 2 ** 50, maxUs: 2 ** 50 });
});

// Goal: each window holds what its definition says and nothing older, whenever it is written or asked.
// Method: random records and pauses beside a list of (time, value), on both engines; edges by hand.
import { ManualClock } from "@varve/fs-core/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { HistogramWindow } from "../src/histogram-view.ts";
import { type CounterBits, Histogram, type HistogramEngine, histogramBytes, resolveEngine } from "../src/histograms.ts";
import { WindowedHistogram } from "../src/windowed-histogram.ts";
import { exactPercentile, seed, unsteadyClock } from "./support.ts";

const range = { highest: 60e6, digits: 2 } as const;
const of =
  (engine: HistogramEngine) =>
  (bits: CounterBits): Histogram =>
    new Histogram(engine, range, bits);
const windows: readonly HistogramWindow[] = ["lifetime", "lastMinute", "lastTenMinutes"];

/** The first moment each window includes at `nowUs`, as documented: whole 10 s and whole minutes since the origin. */
const opens: Readonly<Record<HistogramWindow, (nowUs: number) => number>> = {
  lifetime: () => 0,
  lastMinute: (nowUs) => (Math.floor(nowUs / 10e6) - 5) * 10e6,
  lastTenMinutes: (nowUs) => (Math.floor(nowUs / 60e6) - 9) * 60e6,
};

describe.each<HistogramEngine>(["wasm", "js"])("%s", (engine) => {
  resolveEngine(engine);

  test("beside a list of everything recorded", () => {
    const step = fc.record({
      pauseMs: fc.oneof(fc.constant(0), fc.nat(2000), fc.nat(30_000), fc.nat(900_000)),
      values: fc.array(fc.nat(100_000), { maxLength: 5 }),
    });
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.array(step, { maxLength: 30 }), (originUs, steps) => {
        const clock = new ManualClock({ monotonicUs: originUs + 0.3 });
        const histogram = new WindowedHistogram(of(engine), clock);
        const recorded: { atUs: number; value: number }[] = [];
        let nowUs = 0;
        for (const { pauseMs, values } of steps) {
          clock.advance(pauseMs);
          nowUs += pauseMs * 1000;
          for (const value of values) {
            histogram.record(value, clock.monotonicUs());
            recorded.push({ atUs: nowUs, value });
          }
          for (const window of windows) {
            const from = opens[window](nowUs);
            const inside = recorded.filter(({ atUs }) => atUs >= from).map(({ value }) => value);
            inside.sort((a, b) => a - b);
            const summary = histogram.summary(window);
            expect(summary.count).toBe(inside.length);
            expect(summary.sum).toBe(inside.reduce((sum, value) => sum + value, 0));
            expect([summary.min, summary.max]).toEqual([inside[0], inside.at(-1)]);
            const exact = exactPercentile(inside, 95);
            expect(Math.abs((summary.p95 ?? 0) - (exact ?? 0))).toBeLessThanOrEqual((exact ?? 0) / 100);
            expect(histogram.percentile(95, window)).toBe(summary.p95);
          }
        }
        histogram.close();
      }),
      { seed, numRuns: 40 },
    );
  });

  test("a value leaves the minute after 50 to 60 s, the ten minutes after 9 to 10, and never the lifetime", () => {
    const clock = new ManualClock();
    const histogram = new WindowedHistogram(of(engine), clock);
    const counts = (): number[] => windows.map((window) => histogram.summary(window).count);
    clock.advance(9_999);
    histogram.record(1, clock.monotonicUs());
    clock.advance(50_000);
    expect(counts()).toEqual([1, 1, 1]);
    clock.advance(1);
    expect(counts()).toEqual([1, 0, 1]);
    clock.advance(539_999);
    expect(counts()).toEqual([1, 0, 1]);
    clock.advance(1);
    expect(counts()).toEqual([1, 0, 0]);
    expect(histogram.percentile(50, "lastTenMinutes")).toBeUndefined();
    expect(histogram.summary("lastTenMinutes")).toEqual({ count: 0, sum: 0, clamped: 0 });
    expect(histogram.percentile(50)).toBe(1);
  });

  test("silence costs nothing and forgets every window, however long it lasts", () => {
    const clock = new ManualClock();
    const histogram = new WindowedHistogram(of(engine), clock);
    histogram.record(5, clock.monotonicUs());
    clock.advance(30 * 86_400_000);
    histogram.record(7, clock.monotonicUs());
    expect(windows.map((window) => histogram.summary(window).sum)).toEqual([12, 7, 7]);
  });

  test("memory is bounded by 16 interval histograms and 2 wide ones, and given back by close", () => {
    const clock = new ManualClock();
    const histogram = new WindowedHistogram(of(engine), clock);
    const [narrow, wide] = [histogramBytes(range, 32), histogramBytes(range, 64)];
    expect(windows.map((window) => histogram.summary(window).count)).toEqual([0, 0, 0]);
    expect(histogram.bytes).toBe(0);
    histogram.record(1, clock.monotonicUs());
    expect(histogram.bytes).toBe(narrow);
    let most = 0;
    for (let i = 0; i < 2000; i += 1) {
      clock.advance(3_100);
      histogram.record(i, clock.monotonicUs());
      if (i % 100 === 0) histogram.summary("lastTenMinutes");
      most = Math.max(most, histogram.bytes);
    }
    expect(most).toBe(16 * narrow + 2 * wide);
    histogram.close();
    expect(histogram.bytes).toBe(0);
  });

  test("one that nothing was recorded in answers, refuses and closes like any other", () => {
    const histogram = new WindowedHistogram(of(engine), new ManualClock());
    expect(histogram.percentile(99, "lastMinute")).toBeUndefined();
    expect(() => histogram.percentile(101)).toThrow(RangeError);
    histogram.close();
    expect(histogram.summary()).toEqual({ count: 0, sum: 0, clamped: 0 });
    expect(() => histogram.percentile(99)).toThrow(expect.objectContaining({ code: "FLUSH_METRICS_CLOSED" }));
  });

  test("after close the summaries stay and percentiles are refused by code", () => {
    const clock = new ManualClock();
    const histogram = new WindowedHistogram(of(engine), clock);
    histogram.record(5, clock.monotonicUs());
    const last = histogram.summary("lastMinute");
    histogram.close();
    histogram.close();
    clock.advance(3_600_000);
    expect(histogram.summary("lastMinute")).toEqual(last);
    expect(Object.isFrozen(histogram.summary())).toBe(true);
    expect(() => histogram.percentile(50)).toThrow(expect.objectContaining({ code: "FLUSH_METRICS_CLOSED" }));
  });
});

test("an interval ends once, where division would round its end back into it", () => {
  // (end - origin) / 10 s is 1017.9999999999999 here.
  const originUs = 7e9 + 0.1;
  const endUs = originUs + 1018 * 10e6;
  expect(Math.floor((endUs - originUs) / 10e6)).toBe(1017);
  const clock = unsteadyClock();
  clock.nowUs = originUs;
  const histogram = new WindowedHistogram(of("js"), clock);
  clock.nowUs = endUs - 1;
  histogram.record(5, clock.nowUs);
  clock.nowUs = endUs;
  histogram.record(7, clock.nowUs);
  expect(windows.map((window) => histogram.summary(window).sum)).toEqual([12, 12, 12]);
});

test("a monotonic clock that steps back all the same adds to the current interval", () => {
  const clock = unsteadyClock();
  const histogram = new WindowedHistogram(of("js"), clock);
  clock.nowUs = 125e6;
  histogram.record(1, clock.nowUs);
  clock.nowUs = 3e6;
  histogram.record(2, clock.nowUs);
  expect(windows.map((window) => histogram.summary(window).count)).toEqual([2, 2, 2]);
  clock.nowUs = 185e6;
  expect(windows.map((window) => histogram.summary(window).count)).toEqual([2, 0, 2]);
});

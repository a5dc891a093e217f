// Goal: percentiles are within the promised digits of the exact ones, no value is refused, and both engines agree.
// Method: seeded values beside an exact sort; the edges of the range by hand; sizes against the library's own arrays.
import { SeededRandom } from "@varve/fs-core/testing";
import { Float64Histogram } from "hdr-histogram-js";
import { describe, expect, test } from "vitest";
import { isFlushMetricsError } from "../src/errors.ts";
import {
  Histogram,
  histogramBytes,
  type HistogramDigits,
  type HistogramEngine,
  resolveEngine,
} from "../src/histograms.ts";
import { exactPercentile, seed } from "./support.ts";

const percents = [0, 0.1, 1, 10, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 100];

describe("choosing the engine", () => {
  test("auto takes WebAssembly where there is one", () => {
    expect(resolveEngine("auto")).toBe("wasm");
    expect(resolveEngine("wasm")).toBe("wasm");
    expect(resolveEngine("js")).toBe("js");
  });

  test("auto falls back without WebAssembly, and asking for it is refused by code", () => {
    const kept: unknown = Reflect.get(globalThis, "WebAssembly");
    Reflect.deleteProperty(globalThis, "WebAssembly");
    try {
      expect(resolveEngine("auto")).toBe("js");
      expect(() => resolveEngine("wasm")).toThrow(
        expect.objectContaining({ code: "HISTOGRAM_ENGINE_UNAVAILABLE", cause: expect.any(TypeError) }),
      );
    } finally {
      Reflect.defineProperty(globalThis, "WebAssembly", { value: kept, configurable: true, writable: true });
    }
  });
});

describe.each<HistogramEngine>(["wasm", "js"])("%s", (engine) => {
  test.each<HistogramDigits>([1, 2, 3])("percentiles are within %i digits of an exact sort", (digits) => {
    resolveEngine(engine);
    const random = new SeededRandom(seed + digits);
    for (const [count, spread] of [
      [1, 3],
      [2, 7],
      [100, 12],
      [5000, 25],
      [5000, 6],
    ] as const) {
      const histogram = new Histogram(engine, { highest: 60e6, digits }, 64);
      const values: number[] = [];
      for (let i = 0; i < count; i += 1) {
        const value = Math.floor(2 ** (random.next() * spread));
        values.push(value);
        histogram.record(value);
      }
      values.sort((a, b) => a - b);
      const outside = percents.filter((percent) => {
        const exact = exactPercentile(values, percent) ?? Number.NaN;
        const excess = (histogram.percentile(percent) ?? Number.NaN) - exact;
        return !(excess >= 0 && excess <= exact / 10 ** digits);
      });
      expect({ count, spread, outside }).toEqual({ count, spread, outside: [] });
      expect(histogram.minimum).toBe(values[0]);
      expect(histogram.maximum).toBe(values.at(-1));
      expect(histogram.percentile(0)).toBe(values[0]);
      expect(histogram.percentile(100)).toBe(values.at(-1));
      histogram.destroy();
    }
  });

  test("has no percentile, minimum or maximum while empty, and again after a reset", () => {
    const histogram = new Histogram(engine, { highest: 1000, digits: 2 }, 32);
    const empty = (): unknown[] => [
      histogram.count,
      histogram.sum,
      histogram.minimum,
      histogram.maximum,
      histogram.percentile(99),
    ];
    expect(empty()).toEqual([0, 0, undefined, undefined, undefined]);
    histogram.record(5);
    histogram.record(5000);
    expect(empty()).toEqual([2, 5005, 5, 5000, 1003]);
    histogram.reset();
    expect(empty()).toEqual([0, 0, undefined, undefined, undefined]);
    expect(histogram.clamped).toBe(0);
    histogram.record(7);
    expect(histogram.percentile(50)).toBe(7);
  });

  test("takes zero, fractions and values above the range", () => {
    const histogram = new Histogram(engine, { highest: 1000, digits: 3 }, 32);
    histogram.record(0);
    expect(histogram.percentile(50)).toBe(0);
    histogram.record(99.6);
    histogram.record(99.6);
    expect(histogram.percentile(60)).toBe(99.6);
    expect(histogram.sum).toBeCloseTo(199.2, 10);
    histogram.record(1e15);
    histogram.record(1001);
    expect(histogram).toMatchObject({ count: 5, clamped: 2, maximum: 1e15 });
    expect(histogram.percentile(99)).toBe(1000);
  });

  test("counts as 0 what no clock should ever yield", () => {
    const histogram = new Histogram(engine, { highest: 1000, digits: 2 }, 32);
    histogram.record(-5);
    histogram.record(Number.NaN);
    expect(histogram).toMatchObject({ count: 2, sum: 0, minimum: 0, maximum: 0 });
    histogram.record(Number.POSITIVE_INFINITY);
    expect(histogram).toMatchObject({ count: 3, clamped: 1 });
  });

  test("adds narrow counters to wide ones and wide ones to wide ones", () => {
    const range = { highest: 60e6, digits: 2 } as const;
    const [narrow, wide, sum] = [
      new Histogram(engine, range, 32),
      new Histogram(engine, range, 64),
      new Histogram(engine, range, 64),
    ];
    for (let i = 1; i <= 100; i += 1) narrow.record(i);
    for (let i = 101; i <= 200; i += 1) wide.record(i);
    narrow.record(1e9);
    sum.add(narrow);
    sum.add(wide);
    sum.add(new Histogram(engine, range, 32));
    expect(sum).toMatchObject({ count: 201, minimum: 1, maximum: 1e9, clamped: 1 });
    expect(sum.percentile(50)).toBe(101);
    expect(sum.percentile(25)).toBe(51);
    expect(narrow.percentile(50)).toBe(51);
  });

  test.each([-1, 100.1, Number.NaN])("refuses percentile %d", (percent) => {
    const histogram = new Histogram(engine, { highest: 1000, digits: 2 }, 32);
    expect(() => histogram.percentile(percent)).toThrow(RangeError);
  });
});

test("both engines answer alike", () => {
  const random = new SeededRandom(seed);
  const range = { highest: 2 ** 30, digits: 2 } as const;
  const [wasm, js] = [new Histogram("wasm", range, 64), new Histogram("js", range, 64)];
  for (let i = 0; i < 20_000; i += 1) {
    const value = Math.floor(2 ** (random.next() * 31));
    wasm.record(value);
    js.record(value);
  }
  for (const percent of percents) expect(wasm.percentile(percent)).toBe(js.percentile(percent));
});

test("a destroyed WebAssembly histogram refuses, rather than writing into memory that is no longer its own", () => {
  const histogram = new Histogram("wasm", { highest: 1000, digits: 2 }, 32);
  histogram.destroy();
  expect(() => histogram.record(1)).toThrow(/destroyed/);
});

test("the stated sizes are the library's", () => {
  for (const digits of [1, 2, 3] as const) {
    for (const highest of [2, 255, 256, 257, 1000, 60e6, 2 ** 24, 2 ** 24 - 1, 2 ** 30]) {
      const { countsArrayLength } = new Float64Histogram(1, highest, digits) as unknown as {
        countsArrayLength: number;
      };
      const range = { highest, digits };
      expect({ range, wide: histogramBytes(range, 64), narrow: histogramBytes(range, 32) }).toEqual({
        range,
        wide: countsArrayLength * 8,
        narrow: countsArrayLength * 4,
      });
    }
  }
  expect(histogramBytes({ highest: 60e6, digits: 1 }, 64)).toBe(2944);
  expect(histogramBytes({ highest: 60e6, digits: 2 }, 64)).toBe(20_480);
  expect(histogramBytes({ highest: 60e6, digits: 3 }, 64)).toBe(139_264);
});

test("errors are told apart by code, across copies of the package", () => {
  expect(isFlushMetricsError(new Error("other"))).toBe(false);
  expect(isFlushMetricsError("text")).toBe(false);
  const foreign = Object.assign(new Error("closed"), { name: "FlushMetricsError", code: "FLUSH_METRICS_CLOSED" });
  expect(isFlushMetricsError(foreign)).toBe(true);
  expect(isFlushMetricsError(Object.assign(new Error("?"), { name: "FlushMetricsError", code: "NEW" }))).toBe(false);
});

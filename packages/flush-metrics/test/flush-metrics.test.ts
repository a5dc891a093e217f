// Goal: the numbers a dashboard reads are the true ones, defined when there are none, and safe after close.
// Method: flushes of known length on a manual clock; no wall-clock tolerance anywhere.
import { systemClock } from "@varve/fs-core";
import { ManualClock } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import {
  FlushController,
  FlushMetrics,
  type FlushMetricsSettings,
  flushTriggers,
  resolveFlushStrategy,
} from "../src/index.ts";
import { openBench, unsteadyClock } from "./support.ts";

describe("accuracy", () => {
  test("1000 appends and one flush: one flush more, 1000 records, and its exact latency", () => {
    // The strategy is explicit: the default one would have flushed ten times on the way.
    const { clock, controller, metrics } = openBench({ kind: "async" });
    let bytes = 0;
    for (let i = 0; i < 1000; i += 1) {
      const length = `record ${i}`.length;
      controller.recordAppend(1, length);
      bytes += length;
      expect(controller.shouldFlush()).toBeUndefined();
      clock.advance(0.5);
    }
    expect(metrics).toMatchObject({ totalFlushes: 0, pendingRecords: 1000, pendingBytes: bytes });
    const token = controller.begin("forced");
    clock.advance(1.25);
    controller.succeed(token);
    expect(metrics).toMatchObject({
      totalFlushes: 1,
      successfulFlushes: 1,
      failedFlushes: 0,
      forcedFlushes: 1,
      totalRecordsFlushed: 1000,
      totalBytesFlushed: bytes,
      pendingRecords: 0,
      pendingBytes: 0,
      totalFlushTimeUs: 1250,
      longestFlushUs: 1250,
      shortestFlushUs: 1250,
      averageRecordSize: bytes / 1000,
      flushServiceRate: 800_000,
    });
    expect(metrics.averageFlushLatencyUs()).toBe(1250);
    expect(metrics.getFlushLatencyPercentile(95)).toBe(1250);
    expect(metrics.getFlushLatencyPercentile(99)).toBe(1250);
    expect(metrics.batchEfficiency()).toBe(1000);
  });

  test("the default strategy flushes the same 1000 records ten times", () => {
    const clock = new ManualClock();
    const metrics = new FlushMetrics({}, { clock });
    const controller = new FlushController(resolveFlushStrategy(undefined), { clock, metrics });
    for (let i = 0; i < 1000; i += 1) {
      controller.recordAppend(1, 10);
      const trigger = controller.shouldFlush();
      if (trigger !== undefined) controller.succeed(controller.begin(trigger));
    }
    expect(metrics).toMatchObject({ totalFlushes: 10, batchedFlushes: 10, totalRecordsFlushed: 1000 });
    expect(controller.batchUtilization()).toBe(100);
  });

  test("failures touch no average, extreme or percentile of the successes", () => {
    const { clock, controller, metrics, flush } = openBench();
    flush(10, 640, 100);
    flush(30, 1920, 300);
    for (const [code, ms] of [
      ["NO_SPACE", 50_000],
      ["IO", 2],
      ["IO", 4],
    ] as const) {
      controller.recordAppend(1, 64);
      const token = controller.begin("batched");
      clock.advance(ms);
      controller.fail(token, Object.assign(new Error("disk"), { code }));
    }
    expect(metrics).toMatchObject({
      totalFlushes: 5,
      successfulFlushes: 2,
      failedFlushes: 3,
      consecutiveFailures: 3,
      totalFlushTimeUs: 400,
      longestFlushUs: 300,
      shortestFlushUs: 100,
      totalFailureTimeUs: 50_006_000,
      failuresByCode: { NO_SPACE: 1, IO: 2 },
      pendingRecords: 3,
      totalRecordsFlushed: 40,
    });
    expect(metrics.averageFlushLatencyUs()).toBe(200);
    expect(metrics.flushSuccessRate()).toBe(40);
    expect(metrics.flushLatency.summary()).toMatchObject({ count: 2, sum: 400, mean: 200, min: 100, max: 300 });
    expect(metrics.failureLatency.summary()).toMatchObject({ count: 3, min: 2000, max: 50_000_000 });
    expect(metrics.recordsPerFlush.summary()).toMatchObject({ count: 2, min: 10, max: 30 });
    expect(metrics.bytesPerFlush.summary()).toMatchObject({ count: 2, min: 640, max: 1920 });
    flush(1, 1, 1);
    expect(metrics.consecutiveFailures).toBe(0);
  });

  test("throughput is over real time, the service rate over flush time", () => {
    const { clock, metrics, flush } = openBench();
    for (let second = 0; second < 60; second += 1) {
      flush(100, 6400, 1000);
      clock.advance(999);
    }
    expect(metrics.flushServiceRate).toBe(100_000);
    expect(metrics.currentRecordsPerSecond()).toBeGreaterThan(90);
    expect(metrics.currentRecordsPerSecond()).toBeLessThan(110);
    expect(metrics.bytesPerSecond / metrics.recordsPerSecond).toBeCloseTo(64, 9);
    clock.advance(600_000);
    expect(metrics.currentRecordsPerSecond()).toBeLessThan(1e-9);
  });

  test("windows forget, the lifetime does not", () => {
    const { clock, metrics, flush } = openBench();
    flush(1, 1, 40_000);
    clock.advance(120_000);
    flush(1, 1, 100);
    expect(metrics.getFlushLatencyPercentile(100)).toBe(40_000);
    expect(metrics.getFlushLatencyPercentile(100, "lastTenMinutes")).toBe(40_000);
    expect(metrics.getFlushLatencyPercentile(100, "lastMinute")).toBe(100);
    clock.advance(86_400_000);
    expect(metrics.getFlushLatencyPercentile(50, "lastTenMinutes")).toBeUndefined();
    expect(metrics.getFlushLatencyPercentile(100)).toBe(40_000);
  });

  test("a monotonic clock that steps back yields durations of 0, never negative ones", () => {
    const clock = unsteadyClock();
    clock.nowUs = 5e6;
    const metrics = new FlushMetrics({}, { clock });
    const controller = new FlushController(resolveFlushStrategy({ kind: "sync" }), { clock, metrics });
    controller.recordAppend(1, 1);
    const token = controller.begin("sync");
    clock.nowUs = 1e6;
    controller.succeed(token);
    controller.fail(controller.begin("sync"), new Error("disk"));
    expect(metrics).toMatchObject({
      totalFlushTimeUs: 0,
      shortestFlushUs: 0,
      longestFlushUs: 0,
      totalFailureTimeUs: 0,
    });
    expect(metrics.snapshot().flushLatency.lifetime).toMatchObject({ count: 1, min: 0, p99: 0 });
    expect(Number.isFinite(metrics.recordsPerSecond)).toBe(true);
  });

  test("a wall clock that steps back shows in the label only", () => {
    const { clock, metrics, flush } = openBench();
    flush(1, 1, 100);
    clock.setWallUs(42);
    flush(1, 1, 100);
    expect(metrics.snapshot()).toMatchObject({ capturedAtUs: 142, totalFlushTimeUs: 200, longestFlushUs: 100 });
  });
});

describe("nothing recorded", () => {
  test("what has no value is undefined, never a number", () => {
    const { metrics } = openBench();
    expect(metrics.longestFlushUs).toBeUndefined();
    expect(metrics.shortestFlushUs).toBeUndefined();
    expect(metrics.averageFlushLatencyUs()).toBeUndefined();
    expect(metrics.averageRecordSize).toBeUndefined();
    expect(metrics.batchEfficiency()).toBeUndefined();
    expect(metrics.flushServiceRate).toBeUndefined();
    for (const percent of [0, 50, 100]) expect(metrics.getFlushLatencyPercentile(percent)).toBeUndefined();
    expect(metrics.flushSuccessRate()).toBe(100);
    expect(metrics.currentRecordsPerSecond()).toBe(0);
    expect(metrics.bytesPerSecond).toBe(0);
  });

  test("an empty or instant flush is a flush", () => {
    const { metrics, flush } = openBench();
    flush(0, 0, 0);
    expect(metrics).toMatchObject({ totalFlushes: 1, shortestFlushUs: 0, averageRecordSize: undefined });
    expect(metrics.flushServiceRate).toBeUndefined();
    expect(metrics.batchEfficiency()).toBe(0);
    expect(metrics.recordsPerFlush.percentile(50)).toBe(0);
    expect(metrics.getFlushLatencyPercentile(50)).toBe(0);
  });
});

describe("failure codes", () => {
  test("are bounded and never come from a message", () => {
    const { controller, metrics } = openBench();
    const fail = (error: unknown): void => controller.fail(controller.begin("forced"), error);
    fail("text");
    fail(null);
    fail(new Error("secret"));
    fail(Object.assign(new Error("x"), { code: "lower case" }));
    fail(Object.assign(new Error("x"), { code: 5 }));
    expect(metrics.failuresByCode).toEqual({ UNKNOWN: 5 });
    for (let i = 0; i < 100; i += 1) fail(Object.assign(new Error("x"), { code: `E${i}` }));
    expect(Object.keys(metrics.failuresByCode)).toHaveLength(17);
    expect(metrics.failuresByCode["OTHER"]).toBe(85);
    fail(Object.assign(new Error("x"), { code: "E3" }));
    expect(metrics.failuresByCode["E3"]).toBe(2);
  });
});

describe("snapshot", () => {
  test("is plain, deeply frozen and survives JSON", () => {
    const { metrics, flush, controller } = openBench({ kind: "sync" }, { name: "orders" });
    for (const trigger of flushTriggers) flush(2, 128, 85.5, trigger);
    controller.fail(controller.begin("sync"), Object.assign(new Error("disk"), { code: "IO" }));
    const snapshot = metrics.snapshot();
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
    const frozen = (value: unknown): boolean =>
      typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
    expect(frozen(snapshot)).toBe(true);
    expect(snapshot).toMatchObject({
      name: "orders",
      totalFlushes: 8,
      forcedFlushes: 1,
      periodicFlushes: 1,
      batchedFlushes: 1,
      syncFlushes: 2,
      rotationFlushes: 1,
      shutdownFlushes: 1,
      backpressureFlushes: 1,
      failuresByCode: { IO: 1 },
      flushSuccessRate: 87.5,
      clampedValues: 0,
    });
    expect(snapshot.flushLatency.lastMinute).toEqual(snapshot.flushLatency.lifetime);
    flush(1, 1, 1);
    expect(snapshot.totalFlushes).toBe(8);
  });

  test("agrees with the getters", () => {
    const { metrics, flush } = openBench();
    for (let i = 1; i < 50; i += 1) flush(i, i * 64, i * 10);
    const snapshot = metrics.snapshot();
    const scalars = Object.entries(snapshot).filter(([field, value]) => typeof value === "number" && field in metrics);
    const live = scalars.map(([field]) => {
      const member: unknown = Reflect.get(metrics, field);
      return [field, typeof member === "function" ? Reflect.apply(member, metrics, []) : member];
    });
    expect(live).toEqual(scalars);
    expect(scalars.length).toBeGreaterThan(25);
    expect(snapshot.flushLatency.lifetime.p99).toBe(metrics.getFlushLatencyPercentile(99));
    expect(snapshot.bytesPerFlush.lastTenMinutes).toEqual(metrics.bytesPerFlush.summary("lastTenMinutes"));
  });

  test("values above the ranges are counted as clamped and keep their true maximum", () => {
    const { metrics, flush } = openBench();
    flush(2 ** 25, 2 ** 31, 61e6);
    expect(metrics.snapshot()).toMatchObject({
      clampedValues: 3,
      longestFlushUs: 61e6,
      flushLatency: { lifetime: { max: 61e6, clamped: 1 } },
      recordsPerFlush: { lifetime: { max: 2 ** 25, clamped: 1 } },
      bytesPerFlush: { lifetime: { max: 2 ** 31, clamped: 1 } },
    });
  });
});

describe("close", () => {
  test("freezes every value, drops what comes later without an error, and refuses percentiles by code", () => {
    const { clock, controller, metrics, flush } = openBench();
    flush(10, 640, 100);
    controller.recordAppend(1, 5);
    const late = controller.begin("shutdown");
    metrics.close();
    metrics.close();
    const last = metrics.snapshot();
    clock.advance(60_000);
    controller.succeed(late);
    controller.recordAppend(3, 3);
    controller.fail(controller.begin("forced"), new Error("disk"));
    expect(metrics.snapshot()).toBe(last);
    expect(last).toMatchObject({ totalFlushes: 1, flushesInFlight: 1, pendingRecords: 1 });
    expect(metrics).toMatchObject({ totalFlushes: 1, flushesInFlight: 1, pendingRecords: 1, histogramBytes: 0 });
    expect([metrics.recordsPerSecond, metrics.bytesPerSecond]).toEqual([last.recordsPerSecond, last.bytesPerSecond]);
    expect(metrics.flushLatency.summary("lastMinute")).toEqual(last.flushLatency.lastMinute);
    expect(() => metrics.getFlushLatencyPercentile(50)).toThrow(
      expect.objectContaining({ code: "FLUSH_METRICS_CLOSED" }),
    );
  });

  test("is what `using` calls", () => {
    const { metrics } = openBench();
    metrics[Symbol.dispose]();
    expect(metrics.histogramBytes).toBe(0);
  });
});

describe("settings", () => {
  test("defaults", () => {
    const { metrics } = openBench();
    expect(metrics.settings).toEqual({ name: "default", digits: 2, engine: "auto", throughputTimeConstantMs: 10_000 });
    expect(Object.isFrozen(metrics.settings)).toBe(true);
  });

  test("the engine starts with the first flush, or at construction when it is asked for by name", () => {
    const { metrics, flush } = openBench();
    expect(metrics.snapshot().flushLatency.lifetime.count).toBe(0);
    expect([metrics.engine, metrics.histogramBytes]).toEqual([undefined, 0]);
    flush(1, 1, 1);
    expect(metrics.engine).toBe("wasm");
    expect(metrics.histogramBytes).toBeGreaterThan(0);
    for (const engine of ["js", "wasm"] as const) expect(openBench(undefined, { engine }).metrics.engine).toBe(engine);
  });

  test("without WebAssembly, auto records in JavaScript, and wasm is refused before a log depends on it", () => {
    const kept: unknown = Reflect.get(globalThis, "WebAssembly");
    Reflect.deleteProperty(globalThis, "WebAssembly");
    try {
      const { metrics, flush } = openBench();
      flush(1, 1, 85);
      expect([metrics.engine, metrics.getFlushLatencyPercentile(50)]).toEqual(["js", 85]);
      expect(() => openBench(undefined, { engine: "wasm" })).toThrow(
        expect.objectContaining({ code: "HISTOGRAM_ENGINE_UNAVAILABLE" }),
      );
    } finally {
      Reflect.defineProperty(globalThis, "WebAssembly", { value: kept, configurable: true, writable: true });
    }
  });

  test("every broken rule is named at once", () => {
    const bad = { name: "", digits: 4, engine: "native", throughputTimeConstantMs: Number.NaN, precision: 3 };
    expect(() => new FlushMetrics(bad as unknown as FlushMetricsSettings, { clock: systemClock })).toThrow(
      new RangeError(
        [
          "name: got , want a string of 1..200 characters",
          "digits: got 4, want 1, 2 or 3",
          "engine: got native, want auto, wasm or js",
          "throughputTimeConstantMs: got NaN, want 100..3600000",
          "precision: not a setting, want name, digits, engine, throughputTimeConstantMs",
        ].join("\n"),
      ),
    );
  });

  test("the edges of the ranges are inside, and one step further is not", () => {
    const { clock } = openBench();
    const open = (settings: FlushMetricsSettings) => () => new FlushMetrics(settings, { clock }).close();
    for (const name of ["x", "x".repeat(200)]) expect(open({ name })).not.toThrow();
    expect(open({ name: "x".repeat(201) })).toThrow(RangeError);
    for (const throughputTimeConstantMs of [100, 3_600_000]) expect(open({ throughputTimeConstantMs })).not.toThrow();
    for (const throughputTimeConstantMs of [99.9, 3_600_000.1]) {
      expect(open({ throughputTimeConstantMs })).toThrow(RangeError);
    }
  });

  test("digits decide precision and memory", () => {
    const value = 123_456;
    const sizes = ([1, 2, 3] as const).map((digits) => {
      const { metrics, flush } = openBench(undefined, { digits });
      flush(1, 1, value);
      flush(1, 1, value * 3);
      const error = Math.abs((metrics.getFlushLatencyPercentile(50) ?? 0) - value) / value;
      expect(error).toBeLessThanOrEqual(10 ** -digits);
      return metrics.histogramBytes;
    });
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
  });

  test("the time constant decides how fast throughput fades", () => {
    const rateAfter = (throughputTimeConstantMs: number): number => {
      const { clock, metrics, flush } = openBench(undefined, { throughputTimeConstantMs });
      clock.advance(100_000);
      flush(1000, 1, 0);
      const before = metrics.recordsPerSecond;
      clock.advance(1000);
      return metrics.recordsPerSecond / before;
    };
    expect(rateAfter(1000)).toBeCloseTo(Math.exp(-1), 6);
    expect(rateAfter(10_000)).toBeCloseTo(Math.exp(-0.1), 4);
  });
});

test("the age of the last flush is of successes only, and stands still after close", () => {
  const { clock, metrics, controller, flush } = openBench();
  expect(metrics.lastFlushAgeUs).toBeUndefined();
  flush(1, 1, 100);
  clock.advance(2);
  expect(metrics.snapshot().lastFlushAgeUs).toBe(2000);
  const token = controller.begin("forced");
  clock.advance(1);
  controller.fail(token, new Error("no"));
  expect(metrics.lastFlushAgeUs).toBe(3000);
  metrics.close();
  clock.advance(1);
  expect(metrics.lastFlushAgeUs).toBe(3000);
});

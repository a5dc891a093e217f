// Goal: what a log counts is exactly what happened, to the record, byte and microsecond. Method: a device that takes
// three milliseconds for a sync, on a manual clock, so that no tolerance is needed.
import { MemoryFileSystem } from "@varve/fs-core";
import { FaultPlan, FaultyFileSystem, ManualClock, SeededRandom } from "@varve/fs-core/testing";
import { expect, test } from "vitest";
import { Aof, cacheHitRate } from "../src/index.ts";
import { logSettings } from "./support/log-harness.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a thousand appends and one flush are a thousand records and one flush, with its exact latency", async () => {
  const clock = new ManualClock();
  const plan = new FaultPlan();
  const log = await Aof.open(
    {
      ...logSettings,
      segmentSizeBytes: 2 ** 20,
      bufferBytes: 2 ** 20,
      flushStrategy: { kind: "batched", batchSize: 1e6 },
    },
    { fileSystem: new FaultyFileSystem(new MemoryFileSystem(), plan, { clock }), clock, random: new SeededRandom(1) },
  );
  const before = log.performanceMetrics();
  const payload = new Uint8Array(100);
  for (let i = 0; i < 1000; i++) log.append(payload);
  expect(log.flushMetrics().snapshot()).toMatchObject({
    totalFlushes: before.flush.totalFlushes,
    pendingRecords: 1000,
  });

  const rule = plan.add({ operation: "sync", fault: { kind: "delay", ms: 3 } });
  const flushed = log.flush();
  while (rule.injected === 0) await turn();
  await clock.advanceAsync(3);
  expect(await flushed).toBe(1000);
  rule.remove();

  const after = log.metrics;
  expect(after.totalAppends - before.totalAppends).toBe(1000);
  expect(after.totalAppendedBytes - before.totalAppendedBytes).toBe(100_000);
  expect(after.flush).toMatchObject({
    totalFlushes: before.flush.totalFlushes + 1,
    forcedFlushes: before.flush.forcedFlushes + 1,
    totalRecordsFlushed: 1000,
    pendingRecords: 0,
    pendingBytes: 0,
    longestFlushUs: 3000,
    failuresByCode: {},
  });
  expect(after.flush.flushLatency.lastMinute).toMatchObject({ count: 1, sum: 3000, min: 3000, max: 3000 });
  expect(after.flush.recordsPerFlush.lifetime).toMatchObject({ count: 1, sum: 1000 });

  const flushes = log.flushMetrics();
  expect(flushes.averageFlushLatencyUs()).toBe(3000);
  expect(flushes.flushSuccessRate()).toBe(100);
  expect(flushes.batchEfficiency()).toBe(1000);
  for (const percent of [50, 95, 99, 99.9]) expect(flushes.getFlushLatencyPercentile(percent)).toBe(3000);
  expect(flushes.currentRecordsPerSecond()).toBeGreaterThanOrEqual(0);
  await log.close();
});

test("the cache's hit rate is none before the first look-up, then hits in percent of look-ups", async () => {
  const log = await Aof.open(
    { ...logSettings, segmentCacheSize: 1, flushStrategy: { kind: "sync" } },
    { fileSystem: new MemoryFileSystem(), random: new SeededRandom(1) },
  );
  expect(cacheHitRate(log.metrics)).toBeUndefined();
  while (log.segments().length < 4) log.append(new Uint8Array(500));
  const [first = 1, second = 1] = log.segments().map(({ baseId }) => baseId);
  const from = log.metrics;
  const changes = (): readonly number[] => {
    const { cacheHits, cacheMisses, cacheEvictions } = log.metrics;
    return [cacheHits - from.cacheHits, cacheMisses - from.cacheMisses, cacheEvictions - from.cacheEvictions];
  };
  log.getSync(first);
  log.getSync(first + 1);
  const [hits = 0, misses = 0, evictions = 0] = changes();
  expect(hits + misses).toBe(2);
  expect(hits).toBeGreaterThanOrEqual(1);
  log.getSync(second);
  log.getSync(first);
  expect(changes()).toEqual([hits, misses + 2, evictions + 2]);
  expect(cacheHitRate({ cacheHits: 3, cacheMisses: 1 })).toBe(75);
  await log.close();
});

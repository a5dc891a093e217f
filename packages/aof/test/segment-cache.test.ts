// Goal: the cache of open segments closes none that a reader holds, keeps to its size otherwise, and counts truly; every way
// in which a reader can end gives its place back.
// Method: caches of one and two segments under many readers of many segments, each checked byte for byte; readers ended in
// every way there is, under a limit of one.
import { MemoryFileSystem } from "@varve/fs-core";
import { FaultPlan, FaultyFileSystem, SeededRandom } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import { type Aof, type AofSettings } from "../src/index.ts";
import { openOn } from "./support/log-harness.ts";

const seed = Number(process.env["VARVE_SEED"] ?? 20261126);
const count = 400;

function payloadOf(id: number): Buffer {
  return Buffer.from(`record ${id} `.repeat(20));
}

async function filled(
  settings: Partial<AofSettings>,
  fileSystem: ConstructorParameters<typeof FaultyFileSystem>[0] = new MemoryFileSystem(),
): Promise<Aof> {
  const log = await openOn(fileSystem, { blockCacheBytes: 0, readAheadBytes: 0, ...settings });
  for (let id = 1; id <= count; id++) {
    log.append(payloadOf(id));
    if (id % 10 === 0) await log.flush();
  }
  expect(log.segments().length).toBeGreaterThan(10);
  return log;
}

test.each([1, 2, 3])("readers of all segments at once, with room for %i", async (segmentCacheSize) => {
  const log = await filled({ segmentCacheSize });
  const random = new SeededRandom(seed);
  const readers = Array.from({ length: 25 }, (_, index) => {
    const from = 1 + Math.floor((index * count) / 25);
    return { reader: log.readBatches({ from }), next: from };
  });
  for (let step = 0; step < 600; step++) {
    const each = readers[random.int(readers.length)] as (typeof readers)[number];
    const { value } = await each.reader.next();
    for (const { id, payload } of value ?? []) {
      expect(id).toBe(each.next++);
      expect(Buffer.compare(payload, payloadOf(id))).toBe(0);
    }
    const id = 1 + random.int(count);
    expect(Buffer.compare(log.getSync(id)?.payload as Uint8Array, payloadOf(id))).toBe(0);
  }
  for (const { reader } of readers) await reader.return();
  const { cacheHits, cacheMisses, cacheEvictions, openReaders } = log.performanceMetrics();
  expect(openReaders).toBe(0);
  expect(cacheHits).toBeGreaterThan(0);
  expect(cacheMisses).toBeGreaterThan(10);
  // Each miss opens a segment and each eviction closes one; what is left is what fits, and the active one.
  expect(cacheMisses - cacheEvictions).toBeLessThanOrEqual(segmentCacheSize + 1);
  await log.close();
});

test("a segment that is read again and again is found open", async () => {
  const log = await filled({ segmentCacheSize: 4 });
  log.getSync(1);
  const before = log.performanceMetrics();
  for (let round = 0; round < 50; round++) log.getSync(1 + (round % 3));
  const after = log.performanceMetrics();
  expect(after.cacheMisses).toBe(before.cacheMisses);
  expect(after.cacheHits - before.cacheHits).toBe(50);
  await log.close();
});

describe("with one reader allowed, its place comes back after", () => {
  const plan = new FaultPlan();
  const endings: Readonly<Record<string, (log: Aof) => Promise<unknown>>> = {
    "reading to the end": async (log) => {
      for await (const _record of log.read());
    },
    "leaving the loop": async (log) => {
      for await (const _record of log.read()) break;
    },
    "a limit": async (log) => {
      for await (const _record of log.read({ limit: 2 }));
    },
    "a return before the first next": (log) => log.read().return(),
    "disposing twice": async (log) => {
      const reader = log.readBatches();
      await reader.next();
      await reader[Symbol.asyncDispose]();
      await reader[Symbol.asyncDispose]();
    },
    "an abort before the first next": (log) =>
      expect(log.read({ signal: AbortSignal.abort() }).next()).rejects.toMatchObject({ code: "ABORTED" }),
    "an abort at the tail": async (log) => {
      const stop = new AbortController();
      const waiting = log.read({ from: "tail", follow: true, signal: stop.signal }).next();
      stop.abort();
      await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
    },
    "a failed read": async (log) => {
      const rule = plan.add({ operation: ["readAt", "openFile"], fault: { kind: "error", errno: "EIO" } });
      await expect(log.read().next()).rejects.toMatchObject({ code: "IO" });
      rule.remove();
    },
    "a start that was trimmed": (log) =>
      expect(async () => log.read({ from: 1 }).next()).rejects.toMatchObject({ code: "RECORD_TRIMMED" }),
    "options that are refused": async (log) => {
      expect(() => log.read({ limit: -1 })).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }) as Error);
    },
  };

  test.each(Object.keys(endings))("%s", async (name) => {
    const log = await filled(
      { maxReaders: 1, segmentCacheSize: 1 },
      new FaultyFileSystem(new MemoryFileSystem(), plan),
    );
    await log.trim(2);
    await endings[name]?.(log);
    expect(log.performanceMetrics().openReaders).toBe(0);
    const reader = log.read();
    expect(() => log.read()).toThrow(expect.objectContaining({ code: "READER_LIMIT_EXCEEDED" }) as Error);
    expect((await reader.next()).value?.id).toBe(2);
    await reader.return();
    await log.close();
  });
});

// Goal: the public face of a log does what its documentation says, and refuses what it should, with the right code.
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryFileSystem } from "@varve/fs-core";
import { ManualClock } from "@varve/fs-core/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Aof, type AofSettings, cacheHitRate } from "../src/index.ts";
import { openOn } from "./support/log-harness.ts";

const text = (value: string): Uint8Array => Buffer.from(value);
const words = async (log: Aof, options = {}): Promise<string[]> => {
  const found: string[] = [];
  for await (const { payload } of log.read(options)) found.push(Buffer.from(payload).toString());
  return found;
};

let fs: MemoryFileSystem;
let open: (settings?: Partial<AofSettings>) => Promise<Aof>;
beforeEach(() => {
  fs = new MemoryFileSystem();
  open = (settings = {}) => openOn(fs, settings);
});

describe("appending", () => {
  test.each(["sync", "async", "batched:3", "periodic:5", "batched-or-periodic:3:5"])(
    "%s: ids, order and content survive a reopen",
    async (form) => {
      const { parseFlushStrategy } = await import("@varve/flush-metrics");
      const flushStrategy = parseFlushStrategy(form);
      const log = await open({ flushStrategy });
      expect(log.nextId).toBe(1);
      for (let id = 1; id <= 200; id++) expect(log.append(text(`r${id}`))).toBe(id);
      expect(await log.appendDurable(text("r201"))).toBe(201);
      expect(log.durableId).toBe(201);
      expect(log.appendBatch([text("r202"), text("r203")])).toEqual({ firstId: 202, lastId: 203 });
      expect(await log.appendBatchDurable([text("r204"), text("r205")])).toEqual({ firstId: 204, lastId: 205 });
      await log.close();
      const again = await open({ flushStrategy });
      expect(again.recovery).toMatchObject({ outcome: "clean", lastId: 205, epoch: 2, previousEpoch: 1 });
      expect(await words(again)).toEqual(Array.from({ length: 205 }, (_, index) => `r${index + 1}`));
      await again.close();
    },
  );

  test("under sync, a record is durable when append returns", async () => {
    const log = await open({ flushStrategy: { kind: "sync" } });
    for (let id = 1; id <= 50; id++) {
      log.append(text("x"));
      expect(log.durableId).toBe(id);
    }
    await log.close();
  });

  test("the caller's bytes are copied before append returns", async () => {
    const log = await open({ flushStrategy: { kind: "batched", batchSize: 1000 } });
    const bytes = Buffer.from("before");
    log.append(bytes);
    const durable = log.appendDurable(bytes);
    const batch = log.appendBatchDurable([bytes]);
    bytes.fill("X");
    await Promise.all([durable, batch]);
    expect(await words(log)).toEqual(["before", "before", "before"]);
    await log.close();
  });

  test("empty records are records", async () => {
    const log = await open({ flushStrategy: { kind: "sync" } });
    log.append(new Uint8Array(0));
    log.append(text("a"));
    log.append(new Uint8Array(0));
    expect(await words(log)).toEqual(["", "a", ""]);
    expect(log.getSync(3)?.payload).toHaveLength(0);
    await log.close();
  });

  test("records up to a whole segment, larger than every buffer", async () => {
    const log = await openOn(fs, {
      segmentSizeBytes: 4 * 1024 * 1024,
      bufferBytes: 65536,
      flushStrategy: { kind: "batched", batchSize: 10 },
    });
    const sizes = [4 * 1024 * 1024 - 96, 3_000_001, 65_536, 1_048_577, 1, 2_500_000];
    const bytes = sizes.map((size, index) => Buffer.alloc(size, index + 1));
    for (const one of bytes) await log.appendDurable(one);
    for (const [index, one] of bytes.entries())
      expect(Buffer.compare(Buffer.from(log.getSync(index + 1)?.payload ?? []), one)).toBe(0);
    let id = 0;
    for await (const record of log.read())
      expect(Buffer.compare(Buffer.from(record.payload), bytes[id++] as Buffer)).toBe(0);
    expect(id).toBe(sizes.length);
    await log.close();
    const again = await openOn(fs, { segmentSizeBytes: 4 * 1024 * 1024, bufferBytes: 65536 });
    let reverse = sizes.length;
    for await (const record of again.read({ reverse: true })) expect(record.payload.length).toBe(sizes[--reverse]);
    expect(reverse).toBe(0);
    await again.close();
  });

  test("times never fall, whatever the clock or the caller says", async () => {
    const clock = new ManualClock();
    const log = await Aof.open(
      { dir: "log", flushStrategy: { kind: "sync" }, indexKind: "memory" },
      { fileSystem: fs, clock },
    );
    clock.setWallUs(5_000_000);
    log.append(text("a"));
    clock.setWallUs(1_000_000);
    log.append(text("b"));
    log.append(text("c"), { timestampUs: 3 });
    log.append(text("d"), { timestampUs: 9_000_000 });
    const times: number[] = [];
    for await (const { timestampUs } of log.read()) times.push(timestampUs);
    expect(times).toEqual([5_000_000, 5_000_000, 5_000_000, 9_000_000]);
    await log.close();
  });
});

describe("flushing by itself", () => {
  test("batched: at the count", async () => {
    const log = await open({ flushStrategy: { kind: "batched", batchSize: 3 } });
    log.append(text("a"));
    log.append(text("b"));
    await new Promise((resolve) => setImmediate(resolve));
    expect(log.durableId).toBe(0);
    log.append(text("c"));
    await log.whenDurable(3);
    expect(log.performanceMetrics().flush.batchedFlushes).toBe(1);
    await log.close();
  });

  test("periodic: at the time, by the monotonic clock, and only when something is pending", async () => {
    const clock = new ManualClock();
    const log = await Aof.open(
      { dir: "log", flushStrategy: { kind: "periodic", intervalMs: 100 }, indexKind: "memory" },
      { fileSystem: fs, clock },
    );
    log.append(text("a"));
    clock.setWallUs(0);
    clock.advance(99);
    await new Promise((resolve) => setImmediate(resolve));
    expect(log.durableId).toBe(0);
    clock.advance(1);
    await log.whenDurable(1);
    expect(log.performanceMetrics().flush).toMatchObject({ periodicFlushes: 1, totalFlushes: 1, pendingRecords: 0 });
    clock.advance(1000);
    expect(log.performanceMetrics().flush.totalFlushes).toBe(1);
    await log.close();
  });

  test("async: written in the next turn, durable a second later at most", async () => {
    const clock = new ManualClock();
    const log = await Aof.open(
      { dir: "log", flushStrategy: { kind: "async" }, indexKind: "memory" },
      { fileSystem: fs, clock },
    );
    log.append(text("a"));
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(log).toMatchObject({ writtenId: 1, durableId: 0 });
    expect(await words(log)).toEqual([]);
    expect(await words(log, { visibility: "written" })).toEqual(["a"]);
    clock.advance(1000);
    await log.whenDurable(1);
    await log.close();
  });

  test("many callers share a sync", async () => {
    const log = await open({ flushStrategy: { kind: "batched", batchSize: 100_000 } });
    await Promise.all(Array.from({ length: 500 }, (_, index) => log.appendDurable(text(`${index}`))));
    const { flush } = log.performanceMetrics();
    expect(flush.totalRecordsFlushed).toBe(500);
    expect(flush.totalFlushes).toBeLessThan(25);
    await log.close();
  });
});

describe("buffers are bounded", () => {
  test("append makes room by writing; tryAppend refuses and says when to come back", async () => {
    const log = await open({ flushStrategy: { kind: "batched", batchSize: 1_000_000 }, segmentSizeBytes: 1024 * 1024 });
    const record = new Uint8Array(1000);
    let refused: { code: string; ready?: Promise<void> } | undefined;
    for (let index = 0; index < 100 && refused === undefined; index++) {
      try {
        log.tryAppend(record);
      } catch (error) {
        refused = error as { code: string; ready?: Promise<void> };
      }
    }
    expect(refused).toMatchObject({ code: "WOULD_BLOCK", retryable: true });
    expect(log.performanceMetrics().bufferedBytes).toBeLessThanOrEqual(65536);
    await refused?.ready;
    const id = log.tryAppend(record);
    for (let index = 0; index < 500; index++) log.append(record);
    expect(log.performanceMetrics().bufferedBytes).toBeLessThanOrEqual(65536);
    await log.flush();
    expect(log.durableId).toBe(id + 500);
    await log.close();
  });

  test("under async, appends that outrun the disk get BACKPRESSURE, and none is lost or doubled", async () => {
    const log = await open({
      flushStrategy: { kind: "async", maxPendingBytes: 20_000 },
      segmentSizeBytes: 1024 * 1024,
    });
    let refusals = 0;
    for (let value = 1; value <= 2000; value++) {
      for (;;) {
        try {
          log.append(text(String(value).padEnd(200)));
          break;
        } catch (error) {
          expect(error).toMatchObject({ code: "BACKPRESSURE", retryable: true });
          refusals++;
          await (error as { ready: Promise<void> }).ready;
        }
      }
    }
    await log.flush();
    expect(refusals).toBeGreaterThan(0);
    expect(log.performanceMetrics().backpressureEvents).toBe(refusals);
    expect((await words(log)).map(Number)).toEqual(Array.from({ length: 2000 }, (_, index) => index + 1));
    await log.close();
  });
});

describe("segments", () => {
  test("begin anew by size, by count and by age", async () => {
    const clock = new ManualClock();
    const at = (settings: Partial<AofSettings>, dir: string) =>
      Aof.open({ dir, flushStrategy: { kind: "sync" }, indexKind: "memory", ...settings }, { fileSystem: fs, clock });
    const bySize = await at({ segmentSizeBytes: 4096 }, "size");
    for (let index = 0; index < 100; index++) bySize.append(new Uint8Array(100));
    expect(bySize.segments().length).toBe(4);
    expect(bySize.segments().every(({ dataBytes }) => dataBytes <= 4096)).toBe(true);
    const byCount = await at({ segmentMaxRecords: 10 }, "count");
    for (let index = 0; index < 35; index++) byCount.append(text("x"));
    expect(byCount.segments().map(({ recordCount }) => recordCount)).toEqual([10, 10, 10, 5]);
    const byAge = await at({ segmentMaxAgeMs: 1000 }, "age");
    byAge.append(text("x"));
    clock.advance(1001);
    byAge.append(text("y"));
    byAge.append(text("z"));
    expect(byAge.segments().map(({ recordCount }) => recordCount)).toEqual([2, 1]);
    for (const log of [bySize, byCount, byAge]) await log.close();
  });

  test("are sealed in the background, and on close", async () => {
    const log = await open({ flushStrategy: { kind: "sync" } });
    for (let index = 0; index < 100; index++) log.append(new Uint8Array(100));
    await expect.poll(() => log.segments().filter(({ status }) => status === "finalized").length).toBe(3);
    expect(log.activeSegment).toMatchObject({ status: "active" });
    expect(log.performanceMetrics()).toMatchObject({ segmentsCreated: 4, segmentsFinalized: 3, totalAppends: 100 });
    await log.close();
  });

  test("an empty log leaves no segment behind", async () => {
    for (let index = 0; index < 3; index++) {
      const log = await open();
      await log.close();
    }
    expect((await fs.list("log")).map(({ name }) => name).filter((name) => name.startsWith("segment"))).toEqual([]);
  });

  test("nothing of a next segment that was prepared stays after close", async () => {
    const log = await open({ flushStrategy: { kind: "sync" } });
    for (let index = 0; index < 28; index++) log.append(new Uint8Array(100));
    await new Promise((resolve) => setImmediate(resolve));
    await log.close();
    expect((await fs.list("log")).map(({ name }) => name)).toEqual(["MANIFEST", "segment_00000000000000000001.log"]);
  });
});

describe("bad input is refused before a byte changes", () => {
  test("records and ids of the wrong kind", async () => {
    const log = await open({ flushStrategy: { kind: "sync" } });
    const detached = new Uint8Array(8);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    const bad: unknown[] = [
      "text",
      undefined,
      null,
      5,
      [1, 2],
      new ArrayBuffer(8),
      new DataView(new ArrayBuffer(8)),
      detached,
    ];
    for (const payload of bad) {
      expect(() => log.append(payload as Uint8Array)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
      expect(() => log.tryAppend(payload as Uint8Array)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
      await expect(log.appendDurable(payload as Uint8Array)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      expect(() => log.appendBatch([text("ok"), payload as Uint8Array])).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT" }),
      );
    }
    expect(() => log.appendBatch([])).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    for (const timestampUs of [-1, 1.5, Number.NaN, "now"]) {
      expect(() => log.append(text("x"), { timestampUs: timestampUs as number })).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT" }),
      );
    }
    for (const id of [0, -1, 1.5, Number.NaN, 2 ** 53, "1"]) {
      expect(() => log.getSync(id as number)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    }
    await expect(log.whenDurable(1)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(log).toMatchObject({ lastId: 0, state: "open" });
    expect(() =>
      log.read({ from: 0, until: "x", limit: -1, follow: 1, reverse: "no", visibility: "some" } as never),
    ).toThrow(/from: .*\nuntil: .*\nlimit: .*\nfollow: .*\nreverse: .*\nvisibility: /);
    await log.close();
  });

  test("a record or a batch larger than a segment", async () => {
    const log = await open({ flushStrategy: { kind: "sync" } });
    expect(() => log.append(new Uint8Array(4001))).toThrow(expect.objectContaining({ code: "SEGMENT_FULL" }));
    expect(() => log.appendBatch([new Uint8Array(2000), new Uint8Array(2000)])).toThrow(
      expect.objectContaining({ code: "SEGMENT_FULL" }),
    );
    expect(log.append(new Uint8Array(4000))).toBe(1);
    expect(log.append(text("next"))).toBe(2);
    await log.close();
  });

  test("a second writer", async () => {
    const log = await open();
    await expect(open()).rejects.toMatchObject({ code: "LOCKED", retryable: true });
    await log.close();
    await (await open()).close();
  });

  test("an operation on a closed log", async () => {
    const log = await open();
    await log.close();
    await log.close();
    expect(log.state).toBe("closed");
    expect(() => log.append(text("x"))).toThrow(expect.objectContaining({ code: "CLOSED" }));
    await expect(log.appendDurable(text("x"))).rejects.toMatchObject({ code: "CLOSED" });
    await expect(log.flush()).rejects.toMatchObject({ code: "CLOSED" });
    await expect(log.get(1)).rejects.toMatchObject({ code: "CLOSED" });
    expect(() => log.read()).toThrow(expect.objectContaining({ code: "CLOSED" }));
  });
});

describe("on the real file system", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "varve-log-"));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  test("a directory that is a file", async () => {
    await writeFile(join(dir, "file"), "x");
    await expect(Aof.open({ dir: join(dir, "file") })).rejects.toMatchObject({ code: "NOT_A_LOG" });
  });

  test("a directory with other people's files", async () => {
    await writeFile(join(dir, "notes.txt"), "x");
    await expect(Aof.open({ dir })).rejects.toMatchObject({ code: "NOT_A_LOG", path: "notes.txt" });
  });

  test("a foreign file beside a log is reported and left alone; a symbolic link as a segment is refused", async () => {
    const log = await Aof.open({ dir, flushStrategy: { kind: "sync" } });
    log.append(text("x"));
    await log.close();
    await writeFile(join(dir, "notes.txt"), "x");
    const again = await Aof.open({ dir });
    expect(again.recovery.foreignFiles).toEqual(["notes.txt"]);
    await again.close();
    const name = join(dir, "segment_00000000000000000001.log");
    await rm(join(dir, "index"), { recursive: true });
    await rm(name);
    await symlink("/etc/passwd", name);
    await expect(Aof.open({ dir })).rejects.toMatchObject({ code: "CORRUPTED_SEGMENT" });
  });

  test("a whole life with lmdb, and a fresh index when it is lost or mangled", async () => {
    const settings = {
      dir,
      segmentSizeBytes: 4096,
      flushStrategy: { kind: "sync" } as const,
      indexKind: "lmdb" as const,
    };
    for (let life = 0; life < 3; life++) {
      const log = await Aof.open(settings);
      expect(log.recovery.index).toMatchObject({ kind: "lmdb", outcome: life === 0 ? "created" : "opened" });
      for (let index = 0; index < 60; index++) log.append(Buffer.alloc(100, index));
      await log.close();
    }
    await writeFile(join(dir, "index", "data.mdb"), Buffer.alloc(5000, 7));
    const log = await Aof.open(settings);
    expect(log.recovery.index.outcome).toBe("reset");
    expect((await words(log)).length).toBe(180);
    await log.close();
  });
});

test("metrics count what happened", async () => {
  const log = await open({ flushStrategy: { kind: "sync" } });
  for (let index = 0; index < 100; index++) log.append(new Uint8Array(100));
  log.getSync(1);
  log.getSync(2);
  log.getSync(99);
  const metrics = log.performanceMetrics();
  expect(metrics).toMatchObject({
    totalAppends: 100,
    totalAppendedBytes: 10_000,
    totalReads: 3,
    cacheHits: 1,
    cacheMisses: 2,
  });
  expect(cacheHitRate(metrics)).toBeCloseTo(33.3, 0);
  expect(cacheHitRate({ cacheHits: 0, cacheMisses: 0 })).toBeUndefined();
  expect(metrics.flush).toMatchObject({ syncFlushes: 100, totalRecordsFlushed: 100, pendingRecords: 0 });
  expect(JSON.parse(JSON.stringify(metrics))).toEqual(metrics);
  await log.close();
});

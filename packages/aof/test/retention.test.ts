// Goal: records leave a log exactly when a trim, a limit or their expiry says so, and never because a clock stepped.
// Method: small scripts on a file system in memory, with a clock that moves only when told.
import { MemoryFileSystem } from "@varve/fs-core";
import { ManualClock, SeededRandom } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import { Aof, type AofSettings, openReadOnly, verifyLog } from "../src/index.ts";
import { logSettings, payloadOf } from "./support/log-harness.ts";

const secondUs = 1_000_000;
const wallUs = 1_700_000_000 * secondUs;

interface Bench {
  readonly fs: MemoryFileSystem;
  readonly clock: ManualClock;
  readonly open: (settings?: Partial<AofSettings>) => Promise<Aof>;
}

function bench(): Bench {
  const fs = new MemoryFileSystem();
  const clock = new ManualClock({ wallUs });
  let seed = 1;
  return {
    fs,
    clock,
    open: (settings = {}) =>
      Aof.open(
        { ...logSettings, flushStrategy: { kind: "sync" }, ...settings },
        { fileSystem: fs, clock, random: new SeededRandom(seed++) },
      ),
  };
}

function fill(log: Aof, count: number): void {
  for (let index = 0; index < count; index++) log.append(payloadOf("run", log.nextId));
}

/** Lets sealing and other background work end. */
async function turns(log: Aof): Promise<void> {
  for (let turn = 0; turn < 200; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (log.segments().every(({ status }) => status !== "sealing") && turn > 20) return;
  }
}

async function idsOf(log: Pick<Aof, "read">, options: Parameters<Aof["read"]>[0] = {}): Promise<number[]> {
  const found: number[] = [];
  for await (const { id, payload } of log.read(options)) {
    expect(Buffer.compare(payload, payloadOf("run", id))).toBe(0);
    found.push(id);
  }
  return found;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

async function segmentFiles(fs: MemoryFileSystem): Promise<string[]> {
  return (await fs.list("log")).map(({ name }) => name).filter((name) => /^segment_\d{20}\.log$/.test(name));
}

describe("trim", () => {
  test("removes records at once, files of whole segments too, and ids go on", async () => {
    const { fs, open } = bench();
    const log = await open();
    fill(log, 100);
    await turns(log);
    const [first, second, third] = log.segments();
    const beforeId = (third as { baseId: number }).baseId + 2;
    const report = await log.trim(beforeId);
    expect(report).toMatchObject({ dryRun: false, firstId: beforeId, removedRecords: beforeId - 1 });
    expect(report.removedSegments).toEqual([first?.baseId, second?.baseId]);
    expect(report.removedBytes).toBe((first?.fileBytes ?? 0) + (second?.fileBytes ?? 0));
    expect(report).not.toHaveProperty("heldBackBy");
    expect(() => JSON.stringify(report)).not.toThrow();
    expect(() => log.getSync(beforeId - 1)).toThrow(
      expect.objectContaining({ code: "RECORD_TRIMMED", earliestId: beforeId }),
    );
    expect(await idsOf(log)).toEqual(range(beforeId, 100));
    expect(await idsOf(log, { reverse: true })).toEqual(range(beforeId, 100).reverse());
    expect(log.performanceMetrics()).toMatchObject({
      trimmedRecords: beforeId - 1,
      trimmedSegments: 2,
      trimmedBytes: report.removedBytes,
    });
    expect((await segmentFiles(fs)).length).toBe(log.segments().length);
    await log.close();
    const again = await open();
    expect(again).toMatchObject({ firstId: beforeId, lastId: 100 });
    expect(await idsOf(again)).toEqual(range(beforeId, 100));
    await again.close();
    expect(await verifyLog({ dir: "log" }, {}, { fileSystem: fs })).toMatchObject({
      ok: true,
      firstId: beforeId,
      lastId: 100,
      records: 100 - beforeId + 1,
    });
  });

  test("of everything leaves an empty log whose ids never restart, over any number of opens", async () => {
    const { fs, open } = bench();
    let log = await open();
    fill(log, 30);
    expect(await log.trim(31)).toMatchObject({ firstId: 31, removedRecords: 30 });
    expect(log).toMatchObject({ firstId: 31, lastId: 30, nextId: 31, durableId: 30 });
    expect(await idsOf(log)).toEqual([]);
    expect(await idsOf(log, { reverse: true })).toEqual([]);
    for (let round = 0; round < 3; round++) {
      await log.close();
      expect(await verifyLog({ dir: "log" }, {}, { fileSystem: fs })).toMatchObject({ ok: true, records: 0 });
      log = await open();
      expect(log).toMatchObject({ firstId: 31, lastId: 30, nextId: 31 });
      expect(log.recovery).toMatchObject({ outcome: "clean", firstId: 31, lastId: 30 });
    }
    expect(await segmentFiles(fs)).toHaveLength(1);
    fill(log, 1);
    expect(await idsOf(log)).toEqual([31]);
    await log.close();
  });

  test("refuses what is not durable, and ids that are none, before anything changes", async () => {
    const { open } = bench();
    const log = await open();
    fill(log, 5);
    for (const id of [0, -1, 7, 1.5, Number.NaN, "3" as unknown as number]) {
      await expect(log.trim(id)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
    expect(await log.trim(3)).toMatchObject({ firstId: 3, removedRecords: 2, removedSegments: [] });
    expect(await log.trim(2)).toMatchObject({ firstId: 3, removedRecords: 0 });
    await log.close();
    await expect(log.trim(4)).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("a dry run says the same and changes nothing", async () => {
    const { fs, open } = bench();
    const log = await open();
    fill(log, 100);
    await turns(log);
    const files = await segmentFiles(fs);
    const dry = await log.trim(60, { dryRun: true });
    expect(await segmentFiles(fs)).toEqual(files);
    expect(await idsOf(log)).toEqual(range(1, 100));
    expect(log.firstId).toBe(1);
    expect(await log.trim(60)).toEqual({ ...dry, dryRun: false });
    await log.close();
  });

  test("a segment that was trimmed before it was sealed goes when it is", async () => {
    const { fs, open } = bench();
    const log = await open();
    fill(log, 100);
    // No turn of the loop: sealing has not begun.
    const report = await log.trim(101);
    expect(report.heldBackBy?.every(({ kind }) => kind === "unsealed") ?? true).toBe(true);
    await turns(log);
    expect((await segmentFiles(fs)).length).toBe(1);
    await log.close();
  });
});

describe("readers across a trim", () => {
  test("one that holds a segment keeps its file until it lets go", async () => {
    const { fs, open } = bench();
    const log = await open();
    fill(log, 100);
    await turns(log);
    const [first] = log.segments();
    const reader = log.readBatches();
    await reader.next();
    const report = await log.trim(101);
    expect(report.heldBackBy).toContainEqual({ kind: "reader", segmentId: first?.baseId });
    expect(report.removedSegments).not.toContain(first?.baseId);
    await expect(reader.next()).rejects.toMatchObject({ code: "RECORD_TRIMMED", earliestId: 101 });
    await turns(log);
    expect(await segmentFiles(fs)).not.toContain(first?.path);
    await log.close();
  });

  test("what was read while the trim came is not handed out", async () => {
    const { open } = bench();
    const log = await open();
    fill(log, 100);
    await turns(log);
    const failing = log.readBatches().next();
    const skipping = log.read({ onTrimmed: "skip" });
    const skipped = skipping.next();
    const trimming = log.trim(90);
    await expect(failing).rejects.toMatchObject({ code: "RECORD_TRIMMED" });
    expect((await skipped).value?.id).toBe(90);
    await trimming;
    expect(await idsOf(log, { from: 5, onTrimmed: "skip" })).toEqual(range(90, 100));
    expect(await idsOf(log, { from: 5, onTrimmed: "skip", reverse: true })).toEqual([]);
    await expect(idsOf(log, { from: 5 })).rejects.toMatchObject({ code: "RECORD_TRIMMED", earliestId: 90 });
    expect(() => log.read({ onTrimmed: "perhaps" as "skip" })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
    await skipping.return();
    await log.close();
  });

  test("one that reads backwards ends where the log now begins", async () => {
    const { open } = bench();
    const log = await open();
    fill(log, 100);
    await turns(log);
    const found: number[] = [];
    for await (const batch of log.readBatches({ reverse: true })) {
      found.push(...range(batch.firstId, batch.lastId).reverse());
      if (found.length < 40) await log.trim(51);
    }
    expect(found).toEqual(range(51, 100).reverse());
    await log.close();
  });

  test("a read-only open: typed, never corrupted, and going on when asked to", async () => {
    const { fs, open, clock } = bench();
    const log = await open();
    fill(log, 100);
    await turns(log);
    const other = await openReadOnly({ dir: "log", segmentCacheSize: 1 }, { fileSystem: fs, clock });
    expect(other.lastId).toBe(100);
    await log.trim(80);
    expect(() => other.getSync(3)).toThrow(expect.objectContaining({ code: "RECORD_TRIMMED", earliestId: 80 }));
    await expect(idsOf(other, { from: 40 })).rejects.toMatchObject({ code: "RECORD_TRIMMED", earliestId: 80 });
    fill(log, 60);
    await turns(log);
    await log.trim(150);
    await other.refresh();
    expect(other).toMatchObject({ firstId: 150, lastId: 160 });
    expect(await idsOf(other)).toEqual(range(150, 160));
    expect(other.segments()[0]?.baseId).toBeLessThanOrEqual(150);
    await log.trim(161);
    await other.refresh();
    expect(other).toMatchObject({ firstId: 161, lastId: 160 });
    await log.close();
    await other.refresh();
    expect(await idsOf(other)).toEqual([]);
    const reopened = await open();
    fill(reopened, 3);
    await other.refresh();
    expect(await idsOf(other)).toEqual([161, 162, 163]);
    await reopened.close();
    await other.close();
  });
});

describe("time to live", () => {
  const settings = { ttlMs: 10_000, segmentMaxRecords: 10 };

  test("hides a record on every way of reading the moment it expires", async () => {
    const { fs, open, clock } = bench();
    const log = await open(settings);
    const other = await openReadOnly({ dir: "log", ttlSeconds: 10 }, { fileSystem: fs, clock });
    const unlimited = await openReadOnly({ dir: "log" }, { fileSystem: fs, clock });
    for (let round = 0; round < 5; round++) {
      fill(log, 5);
      clock.advance(1000);
    }
    // Appended at 0, 1, 2, 3, 4 s; now it is 5 s.
    clock.advance(6999);
    await other.refresh();
    for (const source of [log, other]) {
      expect(source.getSync(5)).toBeUndefined();
      expect(source.getSync(10)).toBeUndefined();
      expect(source.getSync(11)?.id).toBe(11);
      expect(await idsOf(source)).toEqual(range(11, 25));
      expect(await idsOf(source, { reverse: true })).toEqual(range(11, 25).reverse());
      expect(await idsOf(source, { from: 3, limit: 4 })).toEqual(range(11, 14));
    }
    clock.advance(1);
    expect(log.getSync(11)).toBeUndefined();
    expect(await idsOf(log)).toEqual(range(16, 25));
    await unlimited.refresh();
    expect(await idsOf(unlimited)).toEqual(range(1, 25));
    await other.close();
    await unlimited.close();
    await log.close();
  });

  test("drops whole segments in the background, once the log was open for a minute", async () => {
    const { fs, open, clock } = bench();
    const log = await open({ ...settings, retention: { intervalMs: 5000 } });
    fill(log, 35);
    await turns(log);
    expect(log.segments()).toHaveLength(4);
    await clock.advanceAsync(59_000);
    await turns(log);
    expect(log.firstId).toBe(1);
    await clock.advanceAsync(6000);
    await turns(log);
    expect(log.firstId).toBe(31);
    expect(await segmentFiles(fs)).toHaveLength(1);
    // The active one is full of expired records: the next append leaves it, and the next look drops it.
    fill(log, 1);
    await turns(log);
    expect(log.segments().map(({ baseId }) => baseId)).toEqual([31, 36]);
    await clock.advanceAsync(5000);
    await turns(log);
    expect(log.segments().map(({ baseId }) => baseId)).toEqual([36]);
    expect(await idsOf(log)).toEqual([36]);
    await log.close();
    expect(clock.pendingTimers).toBe(0);
  });

  test("is asked of the footer after a reopen, when only the index knows the segments", async () => {
    const { open, clock } = bench();
    const first = await open({ ...settings, indexKind: "file" });
    fill(first, 35);
    await first.close();
    clock.advance(60_000);
    const log = await open({ ...settings, indexKind: "file" });
    expect(log.recovery.index.outcome).toBe("opened");
    expect(await idsOf(log)).toEqual([]);
    expect(await log.applyRetention({ dryRun: true })).toMatchObject({ firstId: 36, removedRecords: 35 });
    const report = await log.applyRetention();
    expect(report.due.map(({ baseId, reason }) => [baseId, reason])).toEqual(
      [1, 11, 21, 31].map((id) => [id, "expired"]),
    );
    expect(log).toMatchObject({ firstId: 36, lastId: 35 });
    await log.close();
  });
});

describe("clock steps delete nothing early", () => {
  const settings = { ttlMs: 100_000, segmentMaxRecords: 10, retention: { intervalMs: 1000, maxAgeMs: 100_000 } };

  test("a step ahead while open, and a machine that was suspended", async () => {
    const { open, clock } = bench();
    const log = await open(settings);
    fill(log, 35);
    await clock.advanceAsync(70_000);
    clock.setWallUs(clock.wallUs() + 86_400 * secondUs);
    await clock.advanceAsync(5000);
    expect(await idsOf(log)).toEqual(range(1, 35));
    await log.applyRetention();
    expect(log.firstId).toBe(1);
    await clock.advanceAsync(30_000);
    await turns(log);
    expect(await idsOf(log)).toEqual([]);
    expect(log.firstId).toBe(31);
    await log.close();
  });

  test("a step back is followed", async () => {
    const { open, clock } = bench();
    const log = await open(settings);
    fill(log, 35);
    await clock.advanceAsync(70_000);
    clock.setWallUs(clock.wallUs() - 50_000 * 1000);
    await clock.advanceAsync(1000);
    // Back again: the time in between did not pass.
    clock.setWallUs(clock.wallUs() + 50_000 * 1000);
    await clock.advanceAsync(70_000);
    await turns(log);
    expect(await idsOf(log)).toEqual(range(1, 35));
    expect(log.firstId).toBe(1);
    await clock.advanceAsync(15_000);
    expect(await idsOf(log)).toEqual([]);
    await log.close();
  });

  test("a clock that is ahead at open and corrected within the settling minute", async () => {
    const { open, clock } = bench();
    const first = await open(settings);
    fill(first, 35);
    await first.close();
    clock.setWallUs(wallUs + 86_400 * secondUs);
    const log = await open(settings);
    await clock.advanceAsync(50_000);
    await turns(log);
    expect(log.firstId).toBe(1);
    clock.setWallUs(wallUs + 50 * secondUs);
    await clock.advanceAsync(20_000);
    await turns(log);
    expect(log.firstId).toBe(1);
    expect(await idsOf(log)).toEqual(range(1, 35));
    await clock.advanceAsync(40_000);
    await turns(log);
    expect(log.firstId).toBeGreaterThan(1);
    await log.close();
  });
});

describe("limits", () => {
  test.each([
    ["maxBytes", { maxBytes: 9000 }, "bytes"],
    ["maxRecords", { maxRecords: 25 }, "records"],
    ["maxAgeMs", { maxAgeMs: 5000 }, "age"],
  ])("%s drops the oldest whole segments", async (_name, retention, reason) => {
    const { open, clock } = bench();
    const log = await open({ segmentMaxRecords: 10, retention });
    for (let round = 0; round < 10; round++) {
      fill(log, 10);
      clock.advance(1000);
    }
    await turns(log);
    const dry = await log.applyRetention({ dryRun: true });
    expect(log.firstId).toBe(1);
    const report = await log.applyRetention();
    expect(report).toEqual({ ...dry, dryRun: false });
    expect(report.due.length).toBeGreaterThan(0);
    expect(report.due.every((removal) => removal.reason === reason)).toBe(true);
    expect(report.removedSegments).toEqual(report.due.map(({ baseId }) => baseId));
    const segments = log.segments();
    expect(log.firstId).toBe(segments[0]?.baseId);
    if (reason === "records") expect(log.lastId - log.firstId + 1).toBeLessThanOrEqual(25);
    if (reason === "bytes") {
      const bytes = segments.reduce((sum, { fileBytes, dataBytes }) => sum + (fileBytes ?? dataBytes), 0);
      expect(bytes).toBeLessThanOrEqual(9000);
      expect(bytes).toBeGreaterThan(9000 - 2 * 4096);
    }
    if (reason === "age") expect(report.due.length).toBe(6);
    expect((await log.applyRetention()).due).toEqual([]);
    await log.close();
  });

  test("a log without any of them drops nothing", async () => {
    const { open, clock } = bench();
    const log = await open({ segmentMaxRecords: 10 });
    fill(log, 95);
    await clock.advanceAsync(86_400_000 * 3);
    expect(await log.applyRetention()).toMatchObject({ due: [], removedRecords: 0, isActiveDone: false });
    expect(await idsOf(log)).toEqual(range(1, 95));
    await log.close();
  });

  test("settings are refused all at once", async () => {
    const { open } = bench();
    const broken = {
      ttlMs: 5000,
      ttlSeconds: 4,
      retention: { maxBytes: 0, intervalMs: 5, maxAge: 3 },
    } as Partial<AofSettings>;
    const error = await open(broken).then(
      () => undefined,
      (caught: Error) => caught,
    );
    expect(error).toMatchObject({ code: "INVALID_SETTINGS" });
    for (const name of ["ttlSeconds", "retention.maxBytes", "retention.intervalMs", "retention.maxAge"]) {
      expect(error?.message).toContain(`${name}:`);
    }
    const log = await open({ ttlMs: 5000, ttlSeconds: 5, retention: {} });
    expect(log.options).toMatchObject({ ttlMs: 5000, retention: { intervalMs: 60_000 } });
    await log.close();
  });
});

// Goal: conditional appends, per-append durability and dedupe keys do what they say, across crashes and reopens too.
// Method: tables; a file system that knows what a kill and a power cut leave; a client that tries again until it is told
// an id, over crashes at random moments, whose every request must be in the log exactly once.
import { MemoryFileSystem } from "@varve/fs-core";
import { CrashableFileSystem, FaultPlan, FaultyFileSystem, SeededRandom } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import { Aof, type AofSettings, openReadOnly } from "../src/index.ts";
import { contentOf, logSettings, openOn } from "./support/log-harness.ts";
import { ringOf } from "./support/keyed-log.ts";

const seed = Number(process.env["VARVE_SEED"] ?? 20261125);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const strategies: readonly Partial<AofSettings>[] = [
  { flushStrategy: { kind: "sync" } },
  { flushStrategy: { kind: "batched", batchSize: 1000 } },
  { flushStrategy: { kind: "batched", batchSize: 1000 }, flushOn: "main" },
  { flushStrategy: { kind: "async" } },
];

describe("expectedId", () => {
  test("appends exactly when it is the next id, else names the id there would have been", async () => {
    const log = await openOn(new MemoryFileSystem());
    expect(log.append(text("a"), { expectedId: 1 })).toBe(1);
    for (const expectedId of [1, 3, 100]) {
      const refusal = expect.objectContaining({ code: "UNEXPECTED_ID", nextId: 2, retryable: false });
      expect(() => log.append(text("b"), { expectedId })).toThrow(refusal);
      expect(() => log.tryAppend(text("b"), { expectedId })).toThrow(refusal);
      expect(() => log.appendBatch([text("b"), text("c")], { expectedId })).toThrow(refusal);
      await expect(log.appendDurable(text("b"), { expectedId })).rejects.toEqual(refusal);
      await expect(log.appendBatchDurable([text("b")], { expectedId })).rejects.toEqual(refusal);
    }
    expect(log.lastId).toBe(1);
    expect(log.appendBatch([text("b"), text("c")], { expectedId: 2 })).toEqual({ firstId: 2, lastId: 3 });
    for (const expectedId of [0, -1, 1.5, Number.NaN, "4" as unknown as number]) {
      expect(() => log.append(text("d"), { expectedId })).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT" }),
      );
    }
    await log.close();
  });

  test("of callers that decide on the same state, one succeeds", async () => {
    const log = await openOn(new MemoryFileSystem(), { flushStrategy: { kind: "batched", batchSize: 10 } });
    for (let round = 0; round < 20; round++) {
      const { nextId } = log;
      const results = await Promise.allSettled(
        Array.from({ length: 5 }, (_, k) => log.appendDurable(text(`${round}:${k}`), { expectedId: nextId })),
      );
      expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    }
    expect(log.lastId).toBe(20);
    await log.close();
  });
});

describe.each(strategies)("durability under $flushStrategy.kind on $flushOn", (settings) => {
  test.each(["written", "durable"] as const)("%s is reached when the append returns", async (durability) => {
    const fs = new CrashableFileSystem();
    const log = await openOn(fs, settings);
    const model = durability === "written" ? "all" : "drop";
    for (let index = 0; index < 40; index++) {
      // Several records that nobody asked anything for wait in front of it; segments change on the way.
      for (let k = 0; k < index % 4; k++) log.append(text(`${log.nextId}`));
      const id =
        index % 3 === 0
          ? log.appendBatch([text(`${log.nextId}`), text(`${log.nextId + 1}`)], { durability }).lastId
          : log.append(text(`${log.nextId}`.padEnd(200)), { durability });
      expect(log.writtenId).toBe(id);
      if (durability === "durable") expect(log.durableId).toBe(id);
      if (index % 7 !== 0) continue;
      const survivor = await openOn(fs.crashClone({ model, random: new SeededRandom(seed) }), settings, 2);
      expect(survivor.lastId).toBe(id);
      await contentOf(survivor);
      await survivor.close();
    }
    await log.close();
  });

  test("write() and whenWritten() reach the system, not the disk", async () => {
    const fs = new CrashableFileSystem();
    const log = await openOn(fs, settings);
    const id = log.append(text("one"));
    const waiting = log.whenWritten(id);
    expect(await log.write()).toBe(id);
    await waiting;
    const survivor = await openOn(fs.crashClone({ model: "all", random: new SeededRandom(seed) }), settings, 2);
    expect(survivor.lastId).toBe(1);
    await survivor.close();
    await log.close();
    await expect(log.write()).rejects.toMatchObject({ code: "CLOSED" });
  });
});

test("durability that cannot be reached is the failure itself, and poisons", async () => {
  for (const durability of ["written", "durable"] as const) {
    const plan = new FaultPlan();
    const log = await openOn(new FaultyFileSystem(new CrashableFileSystem(), plan), {
      flushStrategy: { kind: "batched", batchSize: 1000 },
    });
    plan.add({ operation: durability === "written" ? "writeAt" : "sync", fault: { kind: "error", errno: "EIO" } });
    expect(() => log.append(text("x"), { durability })).toThrow(expect.objectContaining({ code: "IO" }));
    expect(() => log.append(text("x"))).toThrow(expect.objectContaining({ code: "POISONED" }));
    await expect(log.close()).rejects.toMatchObject({ code: "IO" });
  }
});

test("durability is refused where it means nothing, and values that are none", async () => {
  const log = await openOn(new MemoryFileSystem());
  const bad = { durability: "disk" as "durable" };
  expect(() => log.append(text("x"), bad)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  const given = { durability: "written" } as object;
  await expect(log.appendDurable(text("x"), given)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  await expect(log.appendBatchDurable([text("x")], given)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  expect(log.lastId).toBe(0);
  await log.close();
});

describe("dedupeKey", () => {
  const window = { dedupeWindow: { maxRecords: 100 } };

  test("a second append answers with the first one's ids, in memory and after a reopen", async () => {
    const fs = new MemoryFileSystem();
    for (const settings of [window, { ...window, compression: { minBytes: 0 } }, { ...window, encryption: true }]) {
      const dir = `log${Object.keys(settings).length}${"encryption" in settings}`;
      const open = (): Promise<Aof> =>
        Aof.open(
          { ...logSettings, ...settings, dir, segmentSizeBytes: 4 * 2 ** 20 },
          { fileSystem: fs, keyProvider: ringOf("one") },
        );
      let log = await open();
      expect(log.append(text("plain"))).toBe(1);
      expect(log.append(text("a"), { dedupeKey: "a" })).toBe(2);
      expect(log.appendBatch([text("b"), text("c"), text("d")], { dedupeKey: "b" })).toEqual({ firstId: 3, lastId: 5 });
      // Larger than any block: read by itself.
      expect(log.append(new Uint8Array(1_500_000).fill(7), { dedupeKey: "large" })).toBe(6);
      const again = async (): Promise<void> => {
        expect(log.append(text("other bytes"), { dedupeKey: "a" })).toBe(2);
        expect(await log.appendDurable(text("a"), { dedupeKey: "a" })).toBe(2);
        expect(log.tryAppend(text("a"), { dedupeKey: "a", expectedId: 2 })).toBe(2);
        expect(log.appendBatch([text("b")], { dedupeKey: "b" })).toEqual({ firstId: 3, lastId: 5 });
        expect(await log.appendBatchDurable([text("b")], { dedupeKey: "b" })).toEqual({ firstId: 3, lastId: 5 });
        expect(log.append(text(""), { dedupeKey: "large" })).toBe(6);
        expect(log.lastId).toBe(6);
        expect(log.performanceMetrics().duplicates).toBe(6);
      };
      await again();
      expect(log.durableId).toBeGreaterThanOrEqual(5);
      await log.close();
      log = await open();
      await again();
      expect(log.getSync(2)?.dedupeKey).toBe("a");
      await log.close();
    }
  });

  test("is forgotten beyond the window's records and age", async () => {
    const log = await openOn(new MemoryFileSystem(), { dedupeWindow: { maxRecords: 3, maxAgeMs: 10 } });
    expect(log.append(text("a"), { dedupeKey: "a", timestampUs: 1000 })).toBe(1);
    log.append(text("-"), { timestampUs: 1000 });
    expect(log.append(text("a"), { dedupeKey: "a", timestampUs: 2000 })).toBe(1);
    log.append(text("-"), { timestampUs: 2000 });
    expect(log.append(text("a"), { dedupeKey: "a", timestampUs: 2000 })).toBe(1);
    log.append(text("-"), { timestampUs: 2000 });
    expect(log.append(text("a"), { dedupeKey: "a", timestampUs: 2000 })).toBe(5);
    expect(log.append(text("a"), { dedupeKey: "a", timestampUs: 12_000 })).toBe(5);
    expect(log.append(text("a"), { dedupeKey: "a", timestampUs: 12_001 })).toBe(6);
    await log.close();
  });

  test("needs the setting, and a key that can be stored", async () => {
    const without = await openOn(new MemoryFileSystem());
    expect(() => without.append(text("a"), { dedupeKey: "a" })).toThrow(/dedupeWindow/);
    await without.close();
    const log = await openOn(new MemoryFileSystem(), window);
    for (const dedupeKey of ["", "x".repeat(256), "\ud800", 5 as unknown as string]) {
      expect(() => log.append(text("a"), { dedupeKey })).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    }
    expect(log.lastId).toBe(0);
    await log.close();
    const broken = { maxRecords: 0, maxAgeMs: 0.5, size: 1 } as object;
    await expect(openOn(new MemoryFileSystem(), { dedupeWindow: broken })).rejects.toThrow(
      /size: no such.*\n.*maxRecords.*\n.*maxAgeMs/,
    );
  });

  test("a client that tries again over crashes gets each request into the log exactly once", {
    timeout: 60_000,
  }, async () => {
    const random = new SeededRandom(seed);
    let fs = new CrashableFileSystem();
    let log = await openOn(fs, { ...window, flushStrategy: { kind: "batched", batchSize: 5 } });
    const answered = new Map<string, number>();
    let crashes = 0;
    for (let request = 0; request < 300; ) {
      const key = `request ${request}`;
      const durability = random.int(2) === 0 ? "durable" : "buffered";
      const id =
        random.int(3) === 0
          ? log.appendBatch([text(key), text(`${key}, more`)], { dedupeKey: key, durability }).firstId
          : log.append(text(key), { dedupeKey: key, durability });
      if (random.int(6) === 0) await new Promise((resolve) => setImmediate(resolve));
      if (random.int(8) === 0) {
        crashes++;
        const before = log;
        fs = fs.crashClone({ model: random.int(2) === 0 ? "drop" : "prefix", random });
        log = await openOn(fs, { ...window, flushStrategy: { kind: "batched", batchSize: 5 } }, 100 + crashes);
        await before.close();
        // Whatever was not known to be durable is tried again, oldest first.
        while (request > 0 && (answered.get(`request ${request - 1}`) ?? 0) > log.lastId) request--;
        continue;
      }
      answered.set(key, id);
      request++;
    }
    expect(crashes).toBeGreaterThan(10);
    await log.flush();
    const seen = new Map<string, number>();
    for await (const { id, dedupeKey } of log.read()) {
      if (dedupeKey === undefined) continue;
      expect(seen.has(dedupeKey), `${dedupeKey} is there twice, seed ${seed}`).toBe(false);
      seen.set(dedupeKey, id);
    }
    expect(seen.size).toBe(300);
    for (const [key, id] of answered) expect(seen.get(key), key).toBe(id);
    await log.close();
    const other = await openReadOnly({ dir: "log" }, { fileSystem: fs });
    expect(other.getSync(1)?.dedupeKey).toBe("request 0");
    await other.close();
  });
});

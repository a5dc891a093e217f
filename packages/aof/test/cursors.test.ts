// Goal: a cursor is where it was last said to be, whatever happened since; it keeps what it has not committed, up to the
// lag that the settings allow; and a damaged CURSORS is refused before anything changes.
// Method: small scripts on a file system in memory; every bit and every truncation of a CURSORS, one at a time.
import { MemoryFileSystem } from "@varve/fs-core";
import { FaultPlan, FaultyFileSystem } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import { type Aof, type AofSettings, type Cursor, repairLog, verifyLog } from "../src/index.ts";
import { bytesOf } from "./support/keyed-log.ts";
import { openOn, payloadOf } from "./support/log-harness.ts";

const sync = { flushStrategy: { kind: "sync" } } as const satisfies Partial<AofSettings>;

async function logOf(records: number, settings: Partial<AofSettings> = {}, fs = new MemoryFileSystem()): Promise<Aof> {
  const log = await openOn(fs, { ...sync, segmentMaxRecords: 10, ...settings });
  for (let index = 0; index < records; index++) log.append(payloadOf("run", log.nextId));
  while (log.segments().some(({ status }) => status === "sealing")) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  return log;
}

async function idsOf(reader: AsyncIterable<{ readonly id: number }>): Promise<number[]> {
  const ids: number[] = [];
  for await (const { id } of reader) ids.push(id);
  return ids;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const positionsOf = (log: Aof): [string, number][] => log.cursors().map(({ name, position }) => [name, position]);

async function replace(fs: MemoryFileSystem, name: string, bytes: Uint8Array): Promise<void> {
  await fs.deleteFile(`log/${name}`);
  const handle = await fs.createFile(`log/${name}`);
  await handle.writeAt(0, bytes);
  await handle.close();
}

async function filesOf(fs: MemoryFileSystem): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const { name, kind } of await fs.list("log"))
    if (kind === "file") files.set(name, await bytesOf(fs, `log/${name}`));
  return files;
}

describe("names", () => {
  test("any text without control characters, of 1 to 200 bytes of UTF-8, each its own cursor", async () => {
    const fs = new MemoryFileSystem();
    const log = await logOf(3, {}, fs);
    const names = ["a", "A", " ", "../../etc", "é", "e\u0301", "日本", "x".repeat(200), "__proto__", "\uFEFFb"];
    for (const [index, name] of names.entries()) await (await log.cursor(name)).commit(index % 4);
    const expected = names.map((name, index): [string, number] => [name, index % 4]);
    const sorted = (pairs: [string, number][]): [string, number][] => pairs.sort(([a], [b]) => (a < b ? -1 : 1));
    expect(positionsOf(log)).toEqual(sorted(expected));
    await log.close();
    const again = await logOf(0, {}, fs);
    expect(positionsOf(again)).toEqual(sorted(expected));
    await again.close();
  });

  test("others are refused", async () => {
    const log = await logOf(0);
    for (const name of [
      "",
      "a\nb",
      "\u0000",
      "\u0085",
      "\u007f",
      "x".repeat(201),
      "é".repeat(101),
      "\ud800",
      7,
      null,
    ]) {
      await expect(log.cursor(name as string)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
    expect(log.cursors()).toEqual([]);
    await log.close();
  });

  test("there are 1000 at most, and room again after one was deleted", async () => {
    const fs = new MemoryFileSystem();
    const log = await logOf(1, {}, fs);
    const made = await Promise.all(range(1, 1000).map((n) => log.cursor(`cursor ${n}`)));
    await expect(log.cursor("one more")).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect((await log.cursor("cursor 7")).position).toBe(0);
    await (made[0] as Cursor).delete();
    await log.cursor("one more");
    expect(log.metrics.cursors).toBe(1000);
    await log.close();
    const again = await logOf(0, {}, fs);
    expect(again.cursors()).toHaveLength(1000);
    await expect(again.cursor("cursor 1")).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await again.close();
  });
});

describe("positions", () => {
  test("begin where they are told to, and an existing cursor stays", async () => {
    const log = await logOf(20);
    await log.trim(6);
    expect((await log.cursor("a")).nextId).toBe(6);
    expect((await log.cursor("b", { from: "tail" })).nextId).toBe(21);
    expect((await log.cursor("c", { from: 9 })).nextId).toBe(9);
    expect((await log.cursor("d", { from: 21 })).nextId).toBe(21);
    expect((await log.cursor("c", { from: "tail" })).nextId).toBe(9);
    const timestampUs = log.getSync(12)?.timestampUs as number;
    const byTime = await log.cursor("e", { from: { timestampUs } });
    expect(log.getSync(byTime.nextId)?.timestampUs).toBe(timestampUs);
    await expect(log.cursor("f", { from: 5 })).rejects.toMatchObject({ code: "RECORD_TRIMMED", earliestId: 6 });
    for (const from of [0, 22, -1, 1.5, Number.NaN, "middle", null, {}]) {
      await expect(log.cursor("f", { from: from as number })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
    expect(log.cursors().map(({ name }) => name)).toEqual(["a", "b", "c", "d", "e"]);
    await log.close();
  });

  test("a commit goes neither back nor beyond what is durable; a reset goes anywhere", async () => {
    const log = await logOf(10, { flushStrategy: { kind: "batched", batchSize: 1000 } });
    await log.flush();
    log.append(new Uint8Array(1));
    expect(log).toMatchObject({ durableId: 10, lastId: 11 });
    const cursor = await log.cursor("a");
    await cursor.commit(7);
    await cursor.commit(7);
    for (const id of [6, 11, 12, 7.5, Number.NaN, "8" as unknown as number]) {
      await expect(cursor.commit(id)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
    await expect(cursor.reset(12)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(cursor).toMatchObject({ position: 7, nextId: 8 });
    await cursor.reset(3);
    expect(await idsOf(cursor.read())).toEqual(range(3, 10));
    expect(cursor.position).toBe(2);
    await log.flush();
    await cursor.commit(11);
    expect(await idsOf(cursor.read())).toEqual([]);
    await cursor.reset("earliest");
    expect(cursor.position).toBe(0);
    await log.close();
  });

  test("survive a reopen; objects of one name are one cursor; a deleted one is none", async () => {
    const fs = new MemoryFileSystem();
    const log = await logOf(10, {}, fs);
    const [one, same] = [await log.cursor("a"), await log.cursor("a")];
    await one.commit(4);
    expect(same.position).toBe(4);
    await (await log.cursor("gone")).delete();
    const deleted = await log.cursor("deleted");
    await deleted.delete();
    expect(() => deleted.position).toThrow(expect.objectContaining({ code: "NOT_FOUND" }));
    expect(() => deleted.read()).toThrow(expect.objectContaining({ code: "NOT_FOUND" }));
    for (const late of [deleted.commit(1), deleted.reset(1), deleted.delete()]) {
      await expect(late).rejects.toMatchObject({ code: "NOT_FOUND" });
    }
    await log.close();
    await expect(one.commit(5)).rejects.toMatchObject({ code: "CLOSED" });
    const again = await logOf(0, {}, fs);
    expect(positionsOf(again)).toEqual([["a", 4]]);
    expect(await idsOf((await again.cursor("a")).read({ limit: 3 }))).toEqual([5, 6, 7]);
    expect(await verifyLog({ dir: "log" }, {}, { fileSystem: fs })).toMatchObject({ ok: true, notes: [] });
    await again.close();
  });

  test("commits that come together share a write, and each is durable when it resolves", async () => {
    const memory = new MemoryFileSystem();
    const log = await openOn(memory, sync);
    for (let id = 1; id <= 200; id++) log.append(payloadOf("run", id));
    const cursors = await Promise.all(range(1, 20).map((n) => log.cursor(`c${n}`)));
    let replacements = 0;
    const rename = memory.renameSync.bind(memory);
    memory.renameSync = (from: string, to: string): void => {
      if (to.endsWith("CURSORS")) replacements++;
      rename(from, to);
    };
    await Promise.all(range(1, 100).flatMap((id) => cursors.map((cursor) => cursor.commit(id))));
    expect(replacements).toBeGreaterThanOrEqual(1);
    expect(replacements).toBeLessThanOrEqual(2);
    expect(cursors.every(({ position }) => position === 100)).toBe(true);
    // Closing waits for what is under way.
    const late = (cursors[0] as Cursor).commit(150);
    await log.close();
    await late;
    const again = await openOn(memory, sync);
    expect((await again.cursor("c1")).position).toBe(150);
    await again.close();
  });

  test("an aborted wait leaves the change booked", async () => {
    const log = await logOf(10);
    const cursor = await log.cursor("a");
    await expect(cursor.commit(3, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
    await cursor.commit(3);
    expect(cursor.position).toBe(3);
    const controller = new AbortController();
    const waiting = cursor.commit(5, { signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
    await log.close();
  });

  test("a commit that could not be written is not there, and the next one may be", async () => {
    const plan = new FaultPlan();
    const memory = new MemoryFileSystem();
    const log = await openOn(new FaultyFileSystem(memory, plan), sync);
    for (let id = 1; id <= 10; id++) log.append(payloadOf("run", id));
    const cursor = await log.cursor("a");
    await cursor.commit(2);
    plan.add({ operation: "createFile", path: /CURSORS/, nth: 1, fault: { kind: "error", errno: "ENOSPC" } });
    const waits = await Promise.allSettled([cursor.commit(5), cursor.commit(6)]);
    expect(waits.map((wait) => (wait.status === "rejected" ? (wait.reason as { code: string }).code : ""))).toEqual([
      "NO_SPACE",
      "NO_SPACE",
    ]);
    expect(cursor.position).toBe(2);
    expect(log.state).toBe("open");
    log.append(payloadOf("run", 11));
    await cursor.commit(3);
    expect(cursor.position).toBe(3);
    await log.close();
  });
});

describe("what a cursor holds", () => {
  test("stays, until it is committed, reset, deleted or overruled", async () => {
    const log = await logOf(45);
    const cursor = await log.cursor("slow");
    await (await log.cursor("fast")).commit(45);
    await cursor.commit(12);
    const hold = { kind: "cursor", cursor: "slow", nextId: 13 };
    expect(await log.trim(40, { dryRun: true })).toMatchObject({ firstId: 13, heldBackBy: [hold] });
    expect(await log.trim(40)).toMatchObject({ firstId: 13, removedRecords: 12, heldBackBy: [hold] });
    expect(await idsOf(cursor.read())).toEqual(range(13, 45));
    await cursor.commit(20);
    expect((await log.trim(40)).firstId).toBe(21);
    await expect(cursor.reset(20)).rejects.toMatchObject({ code: "RECORD_TRIMMED", earliestId: 21 });
    expect((await log.trim(31, { force: true })).firstId).toBe(31);
    expect(cursor.nextId).toBe(21);
    await expect(cursor.read().next()).rejects.toMatchObject({ code: "RECORD_TRIMMED", earliestId: 31 });
    expect(await idsOf(cursor.read({ onTrimmed: "skip" }))).toEqual(range(31, 45));
    await cursor.delete();
    const report = await log.trim(40);
    expect(report.firstId).toBe(40);
    expect(report).not.toHaveProperty("heldBackBy");
    await log.close();
  });

  test.each([
    ["records", { cursorMaxLagRecords: 25 }],
    ["bytes", { cursorMaxLagBytes: 1500 }],
  ])("no longer when it lags too far in %s", async (_unit, caps) => {
    const log = await logOf(20, { retention: { maxRecords: 10, ...caps } });
    const cursor = await log.cursor("slow");
    expect(await log.applyRetention()).toMatchObject({ firstId: 1, heldBackBy: [{ kind: "cursor", cursor: "slow" }] });
    for (let index = 0; index < 25; index++) log.append(Buffer.alloc(200, 1));
    while (log.segments().some(({ status }) => status === "sealing")) await new Promise((done) => setImmediate(done));
    const report = await log.applyRetention();
    expect(report.firstId).toBeGreaterThan(21);
    expect(report.heldBackBy ?? []).not.toContainEqual(expect.objectContaining({ kind: "cursor" }));
    await expect(cursor.read().next()).rejects.toMatchObject({ code: "RECORD_TRIMMED" });
    const [first] = await idsOf(cursor.read({ onTrimmed: "skip" }));
    expect(first).toBe(log.firstId);
    await cursor.commit(log.firstId);
    expect(await log.trim(log.lastId)).toMatchObject({ firstId: cursor.nextId });
    await log.close();
  });

  test("counts the lowest of what is stored, being written and booked", async () => {
    const plan = new FaultPlan();
    const memory = new MemoryFileSystem();
    const log = await openOn(new FaultyFileSystem(memory, plan), sync);
    for (let id = 1; id <= 30; id++) log.append(payloadOf("run", id));
    const cursor = await log.cursor("a");
    await cursor.commit(10);
    // The reset is being written while the commit behind it waits, and fails.
    plan.add({ operation: "createFile", path: /CURSORS/, nth: 2, fault: { kind: "error", errno: "ENOSPC" } });
    const create = memory.createFile.bind(memory);
    const begun = new Promise<void>((resolve) => {
      memory.createFile = (...given): ReturnType<typeof create> => {
        resolve();
        return create(...given);
      };
    });
    const resetting = cursor.reset(6);
    await begun;
    const committing = cursor.commit(20).catch((error: unknown) => error);
    await log.trim(11);
    await resetting;
    expect(await committing).toMatchObject({ code: "NO_SPACE" });
    expect(cursor.nextId).toBe(6);
    expect(await idsOf(cursor.read({ limit: 2 }))).toEqual([6, 7]);
    await log.close();
  });
});

describe("damage", () => {
  async function closedLog(): Promise<{ fs: MemoryFileSystem; cursors: Uint8Array }> {
    const fs = new MemoryFileSystem();
    const log = await logOf(25, {}, fs);
    await (await log.cursor("a")).commit(3);
    await (await log.cursor("bc")).commit(12);
    await log.close();
    return { fs, cursors: await bytesOf(fs, "log/CURSORS") };
  }

  const open = (fs: MemoryFileSystem): Promise<Aof> => openOn(fs, { ...sync, recovery: "truncate-torn-tail" });

  async function assertRefused(fs: MemoryFileSystem, what: string): Promise<void> {
    const before = await filesOf(fs);
    await expect(open(fs), what).rejects.toMatchObject({ code: "CORRUPTED_CURSORS", path: "CURSORS" });
    expect(await filesOf(fs), what).toEqual(before);
  }

  test("any bit", { timeout: 60_000 }, async () => {
    const { fs, cursors } = await closedLog();
    for (let bit = 0; bit < cursors.length * 8; bit++) {
      const bytes = cursors.slice();
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      await replace(fs, "CURSORS", bytes);
      await assertRefused(fs, `bit ${bit}`);
    }
    await replace(fs, "CURSORS", cursors);
    const log = await open(fs);
    expect(positionsOf(log)).toEqual([
      ["a", 3],
      ["bc", 12],
    ]);
    await log.close();
  });

  test("any truncation, any surplus, and its absence", async () => {
    const { fs, cursors } = await closedLog();
    for (let length = 0; length < cursors.length; length++) {
      await replace(fs, "CURSORS", cursors.slice(0, length));
      await assertRefused(fs, `${length} bytes`);
    }
    for (const surplus of [1, 8, 300_000]) {
      await replace(fs, "CURSORS", Buffer.concat([cursors, new Uint8Array(surplus)]));
      await assertRefused(fs, `${surplus} more`);
    }
    await fs.deleteFile("log/CURSORS");
    await assertRefused(fs, "missing");
  });

  test("the file of another log, and damage that meets an unclean end", async () => {
    const { fs } = await closedLog();
    const other = new MemoryFileSystem();
    const foreign = await openOn(other, { ...sync }, 99);
    await foreign.cursor("a");
    await foreign.close();
    await replace(fs, "CURSORS", await bytesOf(other, "log/CURSORS"));
    await assertRefused(fs, "of another log");

    const source = new MemoryFileSystem();
    const running = await logOf(25, {}, source);
    await running.cursor("a");
    const copy = new MemoryFileSystem();
    await copy.mkdir("log");
    for (const [name, bytes] of await filesOf(source)) {
      const handle = await copy.createFile(`log/${name}`);
      await handle.writeAt(0, bytes);
      await handle.close();
    }
    await running.close();
    await replace(copy, "CURSORS", new Uint8Array(50));
    await assertRefused(copy, "after a crash");
  });

  test.each([
    [
      "an open with salvage",
      async (fs: MemoryFileSystem) => (await openOn(fs, { ...sync, recovery: "salvage" })).close(),
    ],
    ["a repair with salvage", (fs: MemoryFileSystem) => repairLog({ dir: "log", mode: "salvage" }, { fileSystem: fs })],
  ])("%s begins with none, keeps the file, and no record is lost", async (_how, mend) => {
    for (const isMissing of [false, true]) {
      const { fs, cursors } = await closedLog();
      const broken = cursors.slice(0, -1);
      if (isMissing) await fs.deleteFile("log/CURSORS");
      else await replace(fs, "CURSORS", broken);
      expect(await verifyLog({ dir: "log" }, {}, { fileSystem: fs })).toMatchObject({
        ok: false,
        problems: [expect.objectContaining({ code: "CORRUPTED_CURSORS" })],
      });
      await mend(fs);
      const kept = [...(await filesOf(fs))].filter(([name]) => name.startsWith("CURSORS"));
      if (isMissing) expect(kept).toEqual([]);
      else expect(kept).toEqual([[expect.stringMatching(/^CURSORS\.broken-\d+$/), new Uint8Array(broken)]]);
      const log = await open(fs);
      expect(log.cursors()).toEqual([]);
      expect(await idsOf(log.read())).toEqual(range(1, 25));
      await (await log.cursor("a")).commit(9);
      await log.close();
      const again = await open(fs);
      expect(positionsOf(again)).toEqual([["a", 9]]);
      await again.close();
    }
  });

  test("a salvage says so", async () => {
    const { fs } = await closedLog();
    await replace(fs, "CURSORS", new Uint8Array(3));
    const log = await openOn(fs, { ...sync, recovery: "salvage" });
    const text = log.recovery.messages.join("\n");
    expect(text).toContain("gave up all cursors");
    expect(text).toMatch(/kept as CURSORS\.broken-\d+/);
    await log.close();
  });
});

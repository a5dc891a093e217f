// Goal: damage to what was durable is a typed refusal that names the place; a torn tail is cut and kept; a repair keeps
// everything that can be read, and no id is used twice (G3, G7, G19, G20).
// Method: every byte and truncation of a small log, one at a time, each judged by scan, by id and in reverse.
import { MemoryFileSystem } from "@varve/fs-core";
import { SeededRandom } from "@varve/fs-core/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { type Aof, isAofError, openReadOnly, repairLog, verifyLog } from "../src/index.ts";
import { contentOf, logSettings, openOn, payloadOf } from "./support/log-harness.ts";

const damageCodes = ["CORRUPTED_RECORD", "CORRUPTED_SEGMENT", "CORRUPTED_MANIFEST", "FORMAT_TOO_NEW", "NOT_A_LOG"];
const count = 75;
let files: Map<string, Uint8Array>;

async function read(fs: MemoryFileSystem, path: string): Promise<Uint8Array> {
  const handle = await fs.openFile(path);
  const bytes = await handle.readAll();
  await handle.close();
  return bytes;
}

async function load(content: ReadonlyMap<string, Uint8Array>): Promise<MemoryFileSystem> {
  const fs = new MemoryFileSystem();
  await fs.mkdir("log");
  for (const [name, bytes] of content) {
    const handle = await fs.createFile(`log/${name}`);
    await handle.writeAt(0, bytes);
    await handle.close();
  }
  return fs;
}

async function snapshot(fs: MemoryFileSystem): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  for (const { name, kind } of await fs.list("log"))
    if (kind === "file") found.set(name, (await read(fs, `log/${name}`)).slice());
  return found;
}

beforeAll(async () => {
  const fs = new MemoryFileSystem();
  const log = await openOn(fs, { flushStrategy: { kind: "sync" } });
  for (let id = 1; id <= count; id++) log.append(payloadOf("kept", id));
  expect(log.segments().length).toBe(3);
  await log.close();
  files = await snapshot(fs);
});

/** The records of a damaged copy, or the code of its refusal. Never wrong bytes, never an untyped error. */
async function judge(fs: MemoryFileSystem): Promise<{ ids: number[] } | { code: string }> {
  let log: Aof | undefined;
  try {
    log = await openOn(fs);
    const content = await contentOf(log);
    for (const [id, payload] of content) expect(Buffer.compare(payload, payloadOf("kept", id)), `record ${id}`).toBe(0);
    const backwards: number[] = [];
    for await (const { id, payload } of log.read({ reverse: true })) {
      expect(Buffer.compare(payload, payloadOf("kept", id))).toBe(0);
      backwards.push(id);
    }
    expect(backwards.reverse()).toEqual([...content.keys()]);
    return { ids: [...content.keys()] };
  } catch (error) {
    if (!isAofError(error)) throw error;
    expect(damageCodes, error.message).toContain(error.code);
    return { code: error.code };
  } finally {
    await log?.close().catch(() => {});
  }
}

describe("every byte of a closed log", () => {
  for (const kind of ["flipped", "cut"] as const) {
    test(kind, { timeout: 240_000 }, async () => {
      const step = process.env["VARVE_FULL"] === "1" ? 1 : 11;
      let complete = 0;
      let refused = 0;
      for (const [name, bytes] of files) {
        // A small file is a header, a footer and little more: every byte of it.
        for (let at = 0; at < bytes.length; at += bytes.length < 200 ? 1 : step) {
          const damaged = kind === "cut" ? bytes.slice(0, at) : bytes.slice();
          if (kind === "flipped") damaged[at] = (damaged[at] as number) ^ (1 << (at % 8));
          const found = await judge(await load(new Map(files).set(name, damaged)));
          if ("code" in found) refused++;
          // A closed log never comes back with fewer records.
          else expect(found.ids.length, `${name} ${kind} at ${at}`).toBe(count);
          if ("ids" in found) complete++;
        }
      }
      expect(refused).toBeGreaterThan(50);
      expect(complete).toBeGreaterThan(5);
    });
  }
});

test("a missing, renamed or swapped file", async () => {
  for (const name of files.keys()) {
    const without = new Map(files);
    without.delete(name);
    expect(await judge(await load(without)), `without ${name}`).toHaveProperty("code");
  }
  const [one, two] = [...files.keys()].filter((name) => name.startsWith("segment")) as [string, string];
  const swapped = new Map(files).set(one, files.get(two) as Uint8Array).set(two, files.get(one) as Uint8Array);
  expect(await judge(await load(swapped))).toHaveProperty("code");
  const stray = new Map(files).set("segment_00000000000000009999.log", files.get(two) as Uint8Array);
  expect(await judge(await load(stray))).toEqual({ ids: Array.from({ length: count }, (_, index) => index + 1) });
  const alien = new Map(files)
    .set("MANIFEST~", files.get("MANIFEST") as Uint8Array)
    .set("segment_1.log", new Uint8Array(5));
  expect(await judge(await load(alien))).toHaveProperty("ids");
});

test("an old copy of MANIFEST over a longer log is refused, not obeyed", async () => {
  const fs = await load(files);
  const old = files.get("MANIFEST") as Uint8Array;
  const log = await openOn(fs, { flushStrategy: { kind: "sync" } });
  for (let id = count + 1; id <= count + 10; id++) log.append(payloadOf("kept", id));
  await log.close();
  const later = await snapshot(fs);
  expect(await judge(await load(later.set("MANIFEST", old)))).toEqual({ code: "CORRUPTED_MANIFEST" });
});

test("a log that was killed: damage below a promise is refused, above it a torn tail is cut, kept and reported", {
  timeout: 120_000,
}, async () => {
  const fs = new MemoryFileSystem();
  const log = await openOn(fs, { flushStrategy: { kind: "sync" }, segmentSizeBytes: 65536, preAllocateEnabled: false });
  for (let id = 1; id <= 40; id++) log.append(payloadOf("kept", id));
  const killed = await snapshot(fs);
  const name = "segment_00000000000000000001.log";
  const bytes = killed.get(name) as Uint8Array;
  const lastStart = bytes.length - Math.ceil((32 + payloadOf("kept", 40).length) / 8) * 8;
  let torn = 0;
  let refused = 0;
  for (let at = 64; at < bytes.length; at += 5) {
    const flipped = bytes.slice();
    flipped[at] = (flipped[at] as number) ^ 0x10;
    const copy = await load(new Map(killed).set(name, flipped));
    try {
      const reopened = await openOn(copy);
      // Zeroes that fill a record up to 8 bytes carry nothing: all 40 records are there.
      if (reopened.recovery.lastId < 40) {
        torn++;
        expect(at).toBeGreaterThanOrEqual(lastStart);
        const { tornTail } = reopened.recovery;
        expect(tornTail).toMatchObject({ offset: lastStart, firstCutId: 40 });
        const kept = await read(copy, `log/${tornTail?.keptAs}`);
        expect(Buffer.compare(kept, flipped.subarray(lastStart, lastStart + kept.length))).toBe(0);
        expect(reopened.recovery.messages.join()).toContain(tornTail?.keptAs);
      }
      await reopened.close();
      if (reopened.recovery.tornTail === undefined) continue;
      const strict = openOn(await load(new Map(killed).set(name, flipped)), { recovery: "strict" });
      await expect(strict).rejects.toMatchObject({ code: "CORRUPTED_RECORD" });
    } catch (error) {
      if (!isAofError(error)) throw error;
      expect(error.code).toBe("CORRUPTED_RECORD");
      expect(error).toMatchObject({
        path: name,
        segmentId: 1,
        offset: expect.any(Number),
        recordId: expect.any(Number),
      });
      expect(at).toBeLessThan(lastStart);
      refused++;
      expect(Buffer.compare((await snapshot(copy)).get(name) as Uint8Array, flipped), "a refusal changes nothing").toBe(
        0,
      );
    }
  }
  expect(torn).toBeGreaterThan(3);
  expect(refused).toBeGreaterThan(100);
  await log.close();
});

describe("salvage", () => {
  test("keeps every readable record, marks the lost ones, and the log goes on", { timeout: 120_000 }, async () => {
    const random = new SeededRandom(7);
    for (let round = 0; round < 40; round++) {
      const damaged = new Map(files);
      const names = [...files.keys()].filter((name) => name.startsWith("segment"));
      const hit = new Set<number>();
      for (let wound = 0; wound <= round % 3; wound++) {
        const name = names[random.int(names.length)] as string;
        const bytes = (damaged.get(name) as Uint8Array).slice();
        const at = 64 + random.int(bytes.length - 64);
        bytes[at] = (bytes[at] as number) ^ 0xff;
        damaged.set(name, bytes);
      }
      if (round % 8 === 5) damaged.delete(names[random.int(names.length)] as string);
      if (round % 8 === 6) damaged.delete("MANIFEST");
      const fs = await load(damaged);
      const before = await verifyLog({ dir: "log" }, {}, { fileSystem: fs });
      const report = await repairLog({ dir: "log", mode: "salvage" }, { fileSystem: fs });
      for (const { firstId, lastId } of report.recovery.lost) for (let id = firstId; id <= lastId; id++) hit.add(id);
      const log = await openOn(fs, { flushStrategy: { kind: "sync" } });
      const seen: number[] = [];
      for await (const { id, payload } of log.read()) {
        expect(Buffer.compare(payload, payloadOf("kept", id))).toBe(0);
        seen.push(id);
      }
      const kept = Array.from({ length: log.lastId }, (_, index) => index + 1).filter(
        (id) => id >= log.firstId && !hit.has(id),
      );
      expect(seen, `round ${round}`).toEqual(kept);
      for (const id of hit)
        if (id >= log.firstId)
          expect(() => log.getSync(id)).toThrow(expect.objectContaining({ code: "CORRUPTED_RECORD" }));
      if (round % 8 !== 5 && round % 8 !== 6) {
        expect(hit.size).toBeLessThanOrEqual(3);
        expect(hit.size === 0).toBe(before.problems.every(({ recordId }) => recordId === undefined));
      }
      expect(log.append(payloadOf("kept", log.nextId))).toBeGreaterThanOrEqual(count - 30);
      await log.close();
      const after = await verifyLog({ dir: "log" }, {}, { fileSystem: fs });
      const marked = [...hit].filter((id) => id >= log.firstId).sort((a, b) => a - b);
      expect(
        after.problems.map(({ recordId }) => recordId),
        `round ${round}: ${JSON.stringify(after.problems)}`,
      ).toEqual(marked);
    }
  });

  test("keeps the damaged file beside the log", async () => {
    const name = "segment_00000000000000000001.log";
    const bytes = (files.get(name) as Uint8Array).slice();
    bytes[200] = (bytes[200] as number) ^ 1;
    const fs = await load(new Map(files).set(name, bytes));
    await repairLog({ dir: "log", mode: "salvage" }, { fileSystem: fs });
    const kept = [...(await snapshot(fs)).keys()].filter((one) => one.includes(".broken-"));
    expect(kept).toHaveLength(1);
    expect(Buffer.compare(await read(fs, `log/${kept[0]}`), bytes)).toBe(0);
  });

  test("of a sound log changes no record; of nothing is refused", async () => {
    const fs = await load(files);
    const report = await repairLog({ dir: "log", mode: "salvage" }, { fileSystem: fs });
    expect(report.recovery.lost).toEqual([]);
    expect(report.verify).toMatchObject({ ok: true, records: count, segments: 3 });
    await expect(repairLog({ dir: "none", mode: "salvage" }, { fileSystem: fs })).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
    await expect(repairLog({ dir: "log", mode: "hope" as never }, { fileSystem: fs })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });
});

test("verify names every problem, and its progress ends at the total", async () => {
  const fs = await load(files);
  const progress: number[] = [];
  const sound = await verifyLog(
    { dir: "log" },
    { onProgress: ({ bytesDone }) => progress.push(bytesDone) },
    { fileSystem: fs },
  );
  expect(sound).toMatchObject({ ok: true, records: count, firstId: 1, lastId: count, problems: [], notes: [] });
  expect(progress.length).toBe(3);
  const name = "segment_00000000000000000001.log";
  const bytes = (files.get(name) as Uint8Array).slice();
  bytes[200] = (bytes[200] as number) ^ 1;
  const damaged = await load(new Map(files).set(name, bytes));
  expect(await verifyLog({ dir: "log" }, {}, { fileSystem: damaged })).toMatchObject({
    ok: false,
    problems: [
      { code: "CORRUPTED_RECORD", path: name, segmentId: 1, recordId: expect.any(Number), offset: expect.any(Number) },
    ],
  });
  const several = bytes.slice();
  several[1000] = (several[1000] as number) ^ 1;
  several[3000] = (several[3000] as number) ^ 1;
  const wounded = await verifyLog({ dir: "log" }, {}, { fileSystem: await load(new Map(files).set(name, several)) });
  expect(wounded.problems.length).toBe(3);
  expect(wounded).toMatchObject({ records: count - 3, lastId: count });
  await expect(verifyLog({ dir: "log" }, { signal: AbortSignal.abort() }, { fileSystem: fs })).rejects.toMatchObject({
    code: "ABORTED",
  });
});

test("a read-only open refuses what is missing, and reads past no damage", async () => {
  for (const name of files.keys()) {
    const without = new Map(files);
    without.delete(name);
    await expect(openReadOnly({ dir: logSettings.dir }, { fileSystem: await load(without) })).rejects.toMatchObject({
      code: name === "MANIFEST" ? "CORRUPTED_MANIFEST" : "CORRUPTED_SEGMENT",
    });
  }
});

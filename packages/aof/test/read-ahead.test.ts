// Goal: reading ahead changes nothing but speed: every record once, in order, typed failures at the right record, buffers
// that come back however a reader ends.
// Method: logs of many sizes beside an array, with and without a budget; faults at each read; readers ended at each moment.
import { MemoryFileSystem } from "@varve/fs-core";
import { CrashableFileSystem, FaultPlan, FaultyFileSystem, SeededRandom } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import { type Aof, type AofSettings, openReadOnly } from "../src/index.ts";
import { openOn } from "./support/log-harness.ts";

const seed = Number(process.env["VARVE_SEED"] ?? 20261126);
const MiB = 2 ** 20;

/** Bytes that only this record has. */
function payloadOf(id: number, size: number): Uint8Array {
  const payload = new Uint8Array(size);
  for (let at = 0; at < size; at += 4) payload[at] = (id * 31 + at) >>> 2;
  return payload;
}

const sizes: readonly (readonly [string, (random: SeededRandom) => number, number])[] = [
  ["tiny", () => 20, 30_000],
  ["mixed", (random) => (random.int(50) === 0 ? random.int(200_000) : random.int(600)), 3000],
  ["of 20 KiB", () => 20_000, 250],
  ["larger than a buffer", (random) => (random.int(3) === 0 ? 1_500_000 : 300_000), 14],
];

async function filled(
  size: (random: SeededRandom) => number,
  count: number,
  settings: Partial<AofSettings>,
  fs: ConstructorParameters<typeof FaultyFileSystem>[0] = new MemoryFileSystem(),
  open: Parameters<typeof openOn>[0] = fs,
): Promise<{ readonly log: Aof; readonly sizes: readonly number[] }> {
  const random = new SeededRandom(seed);
  const log = await openOn(open, {
    segmentSizeBytes: 2 * MiB,
    bufferBytes: MiB,
    flushStrategy: { kind: "batched", batchSize: 100_000 },
    ...settings,
  });
  const all: number[] = [];
  for (let id = 1; id <= count; id++) {
    all.push(size(random));
    log.append(payloadOf(id, all.at(-1) as number), { durability: id === count ? "durable" : "buffered" });
    if (id % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return { log, sizes: all };
}

describe.each(sizes)("records %s", (_name, size, count) => {
  test.each([{ readAheadBytes: 0 }, { readAheadBytes: 2 * MiB }, {}])(
    "come once, in order, with %j",
    { timeout: 60_000 },
    async (settings) => {
      const fs = new MemoryFileSystem();
      const { log, sizes: expected } = await filled(size, count, settings, fs);
      const other = await openReadOnly({ dir: "log", ...settings }, { fileSystem: fs });
      for (const source of [log, other]) {
        for (const borrow of [false, true]) {
          const kept: Uint8Array[] = [];
          let id = 0;
          for await (const batch of source.readBatches({ borrow })) {
            for (let index = 0; index < batch.count; index++) {
              id++;
              expect(batch.firstId + index).toBe(id);
              const payload = batch.payload(index);
              const want = payloadOf(id, expected[id - 1] as number);
              if (Buffer.compare(payload, want) !== 0) throw new Error(`record ${id} is wrong`);
              if (!borrow && id % 97 === 1) kept.push(payload);
            }
          }
          expect(id).toBe(count);
          // What was not borrowed is still what it was.
          for (const [k, payload] of kept.entries()) {
            const each = k * 97 + 1;
            if (Buffer.compare(payload, payloadOf(each, expected[each - 1] as number)) !== 0)
              throw new Error(`record ${each} changed`);
          }
        }
      }
      expect(log.performanceMetrics().readAheadBytes).toBe(0);
      await other.close();
      await log.close();
    },
  );
});

test("readers share the budget, and those without a part of it read all the same", async () => {
  const { log } = await filled(() => 20_000, 250, { readAheadBytes: 5 * MiB });
  const readers = Array.from({ length: 5 }, () => log.readBatches());
  for (const reader of readers) expect((await reader.next()).value?.firstId).toBe(1);
  expect(log.performanceMetrics().readAheadBytes).toBe(4 * MiB);
  let records = 0;
  for (const reader of readers) for await (const batch of reader) records += batch.count;
  expect(records).toBeGreaterThan(5 * 200);
  expect(log.performanceMetrics().readAheadBytes).toBe(0);
  await log.close();
});

test("buffers come back however a reader ends", async () => {
  const { log } = await filled(() => 20_000, 250, {});
  const lent = (): number => log.performanceMetrics().readAheadBytes;
  for (let batches = 0; batches < 4; batches++) {
    const leaving = log.readBatches();
    for (let k = 0; k < batches; k++) await leaving.next();
    await leaving.return();
    await leaving.return();

    const abort = new AbortController();
    const aborted = log.readBatches({ signal: abort.signal });
    for (let k = 0; k < batches; k++) await aborted.next();
    const waiting = aborted.next();
    abort.abort(new Error("enough"));
    await waiting.catch(() => {});
    expect(await aborted.next().catch(() => ({ done: true }))).toMatchObject({ done: true });
    await expect.poll(lent).toBe(0);
  }
  // A follower that has caught up holds none.
  const following = log.readBatches({ follow: true });
  let seen = 0;
  while (seen < 250) seen += (await following.next()).value?.count ?? 0;
  const next = following.next();
  await expect.poll(lent).toBe(0);
  log.append(payloadOf(251, 10), { durability: "durable" });
  expect((await next).value?.firstId).toBe(251);
  await following.return();
  const open = log.readBatches();
  await open.next();
  await log.close();
  await expect(open.next()).rejects.toMatchObject({ code: "CLOSED" });
  expect(lent()).toBe(0);
});

test("a failed read reaches the reader at its record, once, and the next reader reads on", {
  timeout: 60_000,
}, async () => {
  const disk = new CrashableFileSystem();
  const plan = new FaultPlan();
  const { log } = await filled(() => 20_000, 250, { blockCacheBytes: 0 }, disk, new FaultyFileSystem(disk, plan));
  for (let nth = 1; ; nth++) {
    const rule = plan.add({ operation: "readAt", nth, fault: { kind: "error", errno: "EIO" } });
    const injected = plan.injected;
    let id = 0;
    let failure: unknown;
    try {
      for await (const batch of log.readBatches({ borrow: nth % 2 === 0 })) {
        expect(batch.firstId).toBe(id + 1);
        id = batch.lastId;
      }
    } catch (error) {
      failure = error;
    }
    rule.remove();
    if (plan.injected === injected) {
      expect(nth).toBeGreaterThan(5);
      expect(id).toBe(250);
      break;
    }
    if (failure === undefined) expect(id).toBe(250);
    // The first read of a segment is of its header, which is no record's.
    else expect([undefined, id + 1]).toContain((failure as { recordId?: number }).recordId);
    expect((failure as { code?: string } | undefined)?.code ?? "IO").toBe("IO");
    await expect.poll(() => log.performanceMetrics().readAheadBytes).toBe(0);
  }
  await log.close();
});

test("borrowing is for batches, and settings have a range", async () => {
  const log = await openOn(new MemoryFileSystem());
  expect(() => log.read({ borrow: true })).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  expect(() => log.readBatches({ borrow: "yes" as unknown as boolean })).toThrow(/borrow/);
  await log.close();
  for (const broken of [{ readAheadBytes: 1 }, { readAheadBytes: -1 }, { blockCacheBytes: 5 }]) {
    await expect(openOn(new MemoryFileSystem(), broken)).rejects.toMatchObject({ code: "INVALID_SETTINGS" });
  }
});

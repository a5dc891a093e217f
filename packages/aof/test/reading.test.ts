// Goal: every way of reading yields exactly the records its options name, in order, and never one too early.
import { MemoryFileSystem } from "@varve/fs-core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Aof, openReadOnly, type ReadOptions, type ReadOnlyLog } from "../src/index.ts";
import { logSettings, openOn, payloadOf } from "./support/log-harness.ts";

const count = 300;
const timeOf = (id: number): number => 1_000_000 + Math.floor(id / 3) * 10;
const fs = new MemoryFileSystem();
let log: Aof;
let follower: ReadOnlyLog;

beforeAll(async () => {
  log = await openOn(fs, { flushStrategy: { kind: "sync" } });
  for (let id = 1; id <= count; id++) log.append(payloadOf("read", id), { timestampUs: timeOf(id) });
  follower = await openReadOnly({ dir: logSettings.dir }, { fileSystem: fs });
});
afterAll(async () => {
  await follower.close();
  await log.close();
});

async function ids(source: Aof | ReadOnlyLog, options: ReadOptions): Promise<number[]> {
  const found: number[] = [];
  for await (const { id, payload } of source.read(options)) {
    expect(Buffer.compare(payload, payloadOf("read", id))).toBe(0);
    found.push(id);
  }
  return found;
}

/** The same by filtering an array. */
function expected({ from, until, limit, reverse }: ReadOptions): number[] {
  const all = Array.from({ length: count }, (_, index) => index + 1);
  const kept = all.filter((id) => {
    const after =
      from === undefined || from === "earliest"
        ? reverse !== true || from === undefined
        : from === "tail"
          ? reverse === true
          : typeof from === "number"
            ? reverse
              ? id <= from
              : id >= from
            : reverse
              ? timeOf(id) <= from.timestampUs
              : timeOf(id) >= from.timestampUs;
    const before =
      until === undefined
        ? true
        : typeof until === "number"
          ? reverse
            ? id >= until
            : id <= until
          : reverse
            ? timeOf(id) >= until.timestampUs
            : timeOf(id) <= until.timestampUs;
    return after && before;
  });
  if (reverse === true && from === "earliest") kept.splice(0, kept.length, 1);
  if (reverse) kept.reverse();
  return kept.slice(0, limit ?? kept.length);
}

const position = fc.oneof(
  fc.integer({ min: 1, max: count + 20 }),
  fc.integer({ min: 0, max: 120 }).map((n) => ({ timestampUs: 999_990 + n * 10 })),
);
const options: fc.Arbitrary<ReadOptions> = fc.record(
  {
    from: fc.oneof(position, fc.constant("earliest" as const), fc.constant("tail" as const)),
    until: position,
    limit: fc.nat({ max: 350 }),
    reverse: fc.boolean(),
  },
  { requiredKeys: [] },
);

test("any combination of options yields what filtering an array would", async () => {
  await fc.assert(
    fc.asyncProperty(options, fc.boolean(), async (option, readOnly) => {
      if (option.reverse === true && option.from === "earliest") return;
      expect(await ids(readOnly ? follower : log, option)).toEqual(expected(option));
    }),
    { numRuns: 300 },
  );
});

test("get answers for every id, and undefined beyond the end", async () => {
  for (const source of [log, follower]) {
    for (let id = 1; id <= count; id++) expect((await source.get(id))?.timestampUs).toBe(timeOf(id));
    expect(await source.get(count + 1)).toBeUndefined();
  }
});

test("batches hold consecutive records and share them by index", async () => {
  let next = 1;
  for await (const batch of log.readBatches()) {
    expect(batch.firstId).toBe(next);
    expect([...batch].map(({ id }) => id)).toEqual(
      Array.from({ length: batch.count }, (_, index) => batch.firstId + index),
    );
    expect(() => batch.payload(batch.count)).toThrow(RangeError);
    expect(() => batch.payload(-1)).toThrow(RangeError);
    next = batch.lastId + 1;
  }
  expect(next).toBe(count + 1);
});

test("leaving a loop early releases the reader and its pin", async () => {
  for (let round = 0; round < 5; round++) {
    for await (const record of log.read()) if (record.id === 3) break;
    for await (const batch of log.readBatches()) if (batch.firstId > 0) break;
  }
  expect(log.performanceMetrics().openReaders).toBe(0);
});

describe("following", () => {
  test("wakes on the watermark, sees nothing early, and ends when the log is closed", async () => {
    const own = new MemoryFileSystem();
    const writer = await openOn(own, { flushStrategy: { kind: "batched", batchSize: 1000 } });
    const seen: number[] = [];
    const tail = (async () => {
      for await (const { id } of writer.read({ follow: true })) {
        expect(id).toBeLessThanOrEqual(writer.durableId);
        seen.push(id);
      }
    })();
    for (let id = 1; id <= 120; id++) {
      writer.append(payloadOf("f", id));
      if (id % 40 === 0) await writer.flush();
    }
    await expect.poll(() => seen.length).toBe(120);
    writer.append(payloadOf("f", 121));
    await writer.close();
    await tail.catch((error: { code: string }) => expect(error.code).toBe("CLOSED"));
    expect(seen.slice(0, 120)).toEqual(Array.from({ length: 120 }, (_, index) => index + 1));
  });

  test("from the tail: only what comes", async () => {
    const own = new MemoryFileSystem();
    const writer = await openOn(own, { flushStrategy: { kind: "sync" } });
    for (let id = 1; id <= 10; id++) writer.append(payloadOf("f", id));
    const reader = writer.read({ from: "tail", follow: true });
    const next = reader.next();
    await new Promise((resolve) => setImmediate(resolve));
    writer.append(payloadOf("f", 11));
    expect((await next).value?.id).toBe(11);
    await reader.return();
    await writer.close();
  });

  test("an abort ends the wait", async () => {
    const controller = new AbortController();
    const reader = log.read({ from: "tail", follow: true, signal: controller.signal });
    const next = reader.next();
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await expect(next).rejects.toMatchObject({ code: "ABORTED" });
    expect(log.performanceMetrics().openReaders).toBe(0);
  });

  test("another process's view follows over segment changes, and shows a batch only when it is whole", async () => {
    const own = new MemoryFileSystem();
    const writer = await openOn(own, { flushStrategy: { kind: "sync" } });
    const other = await openReadOnly({ dir: logSettings.dir }, { fileSystem: own });
    const seen: number[] = [];
    const controller = new AbortController();
    const tail = (async () => {
      for await (const { id, payload } of other.read({ follow: true, signal: controller.signal })) {
        expect(Buffer.compare(payload, payloadOf("f", id))).toBe(0);
        seen.push(id);
      }
    })();
    for (let id = 1; id <= 200; ) {
      if (id % 7 === 0) {
        writer.appendBatch([0, 1, 2].map((step) => payloadOf("f", id + step)));
        id += 3;
      } else writer.append(payloadOf("f", id++));
      if (id % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const end = writer.lastId;
    await expect.poll(() => seen.length, { timeout: 5000 }).toBe(end);
    expect(seen).toEqual(Array.from({ length: end }, (_, index) => index + 1));
    expect(other.segments().length).toBe(writer.segments().length);
    controller.abort();
    await expect(tail).rejects.toMatchObject({ code: "ABORTED" });
    await other.close();
    await writer.close();
  });
});

test("more readers than allowed are refused", async () => {
  const own = new MemoryFileSystem();
  const writer = await openOn(own, { maxReaders: 2 });
  const readers = [writer.read(), writer.read()];
  expect(() => writer.read()).toThrow(expect.objectContaining({ code: "READER_LIMIT_EXCEEDED" }));
  await readers[0]?.return();
  await writer.read().return();
  await writer.close();
});

test("with one cached file, readers in many segments keep theirs", async () => {
  const own = new MemoryFileSystem();
  const writer = await openOn(own, { flushStrategy: { kind: "sync" }, segmentCacheSize: 1 });
  for (let id = 1; id <= count; id++) writer.append(payloadOf("read", id));
  const readers = [1, 60, 120, 180, 240].map((from) => writer.read({ from }));
  for (let step = 0; step < 60; step++) {
    for (const [index, reader] of readers.entries())
      expect((await reader.next()).value?.id).toBe(index === 0 ? 1 + step : index * 60 + step);
  }
  for (const reader of readers) await reader.return();
  expect(writer.performanceMetrics().cacheEvictions).toBeGreaterThan(0);
  await writer.close();
});

test("a read-only open of nothing, and of a bad setting", async () => {
  const own = new MemoryFileSystem();
  await own.mkdir("empty");
  await expect(openReadOnly({ dir: "empty" }, { fileSystem: own })).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(openReadOnly({ dir: "absent" }, { fileSystem: own })).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(
    openReadOnly({ dir: "x", maxReaders: 0, colour: 1 } as never, { fileSystem: own }),
  ).rejects.toMatchObject({
    code: "INVALID_SETTINGS",
    message: expect.stringMatching(/maxReaders.*\ncolour/),
  });
});

test("tail is the end at the moment of the call, forwards and backwards", async () => {
  const log = await openOn(new MemoryFileSystem());
  await log.appendDurable(new Uint8Array(1));
  const forwards = log.read({ from: "tail", follow: true });
  const backwards = log.read({ reverse: true });
  await log.appendDurable(new Uint8Array(2));
  expect((await forwards.next()).value?.id).toBe(2);
  expect((await backwards.next()).value?.id).toBe(1);
  await forwards.return();
  await backwards.return();
  await log.close();
});

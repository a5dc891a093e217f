// Goal: calls of `next` that overlap, and a `return` in the middle of them, behave as those of an async generator: every
// record once and in order, no buffer given back while a read fills it.
// Method: many `next` at once on each kind of reader; `return` while reads and waits at the tail are under way.
import { MemoryFileSystem } from "@varve/fs-core";
import { describe, expect, test } from "vitest";
import type { Aof } from "../src/index.ts";
import { openOn } from "./support/log-harness.ts";

const count = 1500;
const recordBytes = 6000;

function byteOf(id: number): number {
  return (id * 37) & 0xff;
}

function check(id: number, payload: Uint8Array): void {
  expect(payload.byteLength).toBe(recordBytes);
  expect(payload.every((byte) => byte === byteOf(id))).toBe(true);
}

async function filled(readAheadBytes: number): Promise<Aof> {
  const log = await openOn(new MemoryFileSystem(), { readAheadBytes, segmentSizeBytes: 2 ** 21 });
  for (let id = 1; id <= count; id++) {
    log.append(new Uint8Array(recordBytes).fill(byteOf(id)));
    if (id % 5 === 0) await log.flush();
  }
  return log;
}

describe.each([0, 2 * 2 ** 20])("readAheadBytes %i", (readAheadBytes) => {
  test("records of overlapping calls come once, in order", async () => {
    const log = await filled(readAheadBytes);
    const reader = log.read();
    const results = await Promise.all(Array.from({ length: count + 3 }, () => reader.next()));
    expect(results.map(({ value }) => value?.id)).toEqual(
      Array.from({ length: count + 3 }, (_, k) => (k < count ? k + 1 : undefined)),
    );
    for (const { value } of results) if (value !== undefined) check(value.id, value.payload);
    await log.close();
  });

  test("batches of overlapping calls come once, in order", async () => {
    const log = await filled(readAheadBytes);
    const reader = log.readBatches();
    const results = await Promise.all(Array.from({ length: 60 }, () => reader.next()));
    let id = 0;
    for (const { value } of results) {
      for (const record of value ?? []) {
        expect(record.id).toBe(++id);
        check(record.id, record.payload);
      }
    }
    expect(id).toBe(count);
    await log.close();
  });

  test.each([1, 2, 3, 5])(
    "a return after %i calls lets the read under way end, and gives everything back",
    async (calls) => {
      const log = await filled(readAheadBytes);
      for (const borrow of [false, true]) {
        const reader = log.readBatches({ borrow });
        await reader.next();
        const pulls = Array.from({ length: calls }, () => reader.next());
        const ended = reader.return();
        const [first] = await Promise.all(pulls);
        expect(first?.done).toBe(false);
        await ended;
        expect(await reader.next()).toEqual({ done: true, value: undefined });
        expectNothingHeld(log);
      }
      await log.close();
    },
  );
});

test("a return ends a wait at the tail", async () => {
  const log = await filled(0);
  const reader = log.read({ from: count, follow: true });
  expect((await reader.next()).value?.id).toBe(count);
  const waiting = reader.next();
  await reader.return();
  expect(await waiting).toEqual({ done: true, value: undefined });
  expectNothingHeld(log);
  await log.close();
});

test("an abort during a return is the wait's outcome, not the return's", async () => {
  const log = await filled(0);
  const stop = new AbortController();
  const reader = log.read({ from: count + 1, follow: true, signal: stop.signal });
  const waiting = reader.next();
  stop.abort();
  const ended = reader.return();
  await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
  expect(await ended).toEqual({ done: true, value: undefined });
  expectNothingHeld(log);
  await log.close();
});

function expectNothingHeld(log: Aof): void {
  const { openReaders, readAheadBytes } = log.performanceMetrics();
  expect({ openReaders, readAheadBytes }).toEqual({ openReaders: 0, readAheadBytes: 0 });
}

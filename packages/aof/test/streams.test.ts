// Goal: a reader as a stream yields the same records, no faster than they are taken, and gives everything back however the
// stream ends.
// Method: both kinds of streams over both kinds of readers; ended at each moment, with errors in the middle, at the tail.
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { MemoryFileSystem } from "@varve/fs-core";
import { FaultPlan, FaultyFileSystem } from "@varve/fs-core/testing";
import { expect, test } from "vitest";
import { type Aof, type AofRecord, type RecordBatch, toNodeStream, toWebStream } from "../src/index.ts";
import { openOn } from "./support/log-harness.ts";

const count = 200;

async function filled(
  fileSystem: ConstructorParameters<typeof FaultyFileSystem>[0] = new MemoryFileSystem(),
): Promise<Aof> {
  const log = await openOn(fileSystem, { segmentSizeBytes: 65_536, readAheadBytes: 0 });
  for (let id = 1; id <= count; id++) {
    log.append(Buffer.from(`record ${id}`.padEnd(1000)));
    if (id % 20 === 0) await log.flush();
  }
  return log;
}

function expectNothingHeld(log: Aof): void {
  const { openReaders, readAheadBytes } = log.performanceMetrics();
  expect({ openReaders, readAheadBytes }).toEqual({ openReaders: 0, readAheadBytes: 0 });
}

const ids = Array.from({ length: count }, (_, index) => index + 1);

test("a web stream yields every record and closes", async () => {
  const log = await filled();
  const found: number[] = [];
  for await (const record of toWebStream(log.read())) found.push(record.id);
  expect(found).toEqual(ids);
  expectNothingHeld(log);
  await log.close();
});

test("a Node stream yields every record and ends", async () => {
  const log = await filled();
  const found: number[] = [];
  for await (const record of toNodeStream(log.read())) found.push((record as AofRecord).id);
  expect(found).toEqual(ids);
  expectNothingHeld(log);
  await log.close();
});

test("borrowed batches are whole while they are looked at, in both kinds of streams", async () => {
  const log = await filled();
  const look = (batch: RecordBatch, into: number[]): void => {
    for (let index = 0; index < batch.count; index++) {
      const id = batch.firstId + index;
      expect(Buffer.from(batch.payload(index)).toString().trimEnd()).toBe(`record ${id}`);
      into.push(id);
    }
  };
  const web: number[] = [];
  for await (const batch of toWebStream(log.readBatches({ borrow: true }))) look(batch, web);
  const node: number[] = [];
  await pipeline(
    toNodeStream(log.readBatches({ borrow: true })),
    new Writable({
      objectMode: true,
      highWaterMark: 1,
      write(batch: RecordBatch, _encoding, done): void {
        setImmediate(() => {
          look(batch, node);
          done();
        });
      },
    }),
  );
  expect(web).toEqual(ids);
  expect(node).toEqual(ids);
  expect(() => toNodeStream(log.readBatches({ borrow: true }), { highWaterMark: 1 })).toThrow(/borrowed/);
  await log.close();
});

test("nothing is read before it is asked for, nor much ahead of a slow consumer", async () => {
  const log = await filled();
  const before = log.performanceMetrics().totalReads;
  const web = toWebStream(log.readBatches());
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(log.performanceMetrics().totalReads).toBe(before);
  await web.cancel();
  const node = toNodeStream(log.read(), { highWaterMark: 3 });
  node.read(0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(node.readableLength).toBeLessThanOrEqual(3);
  node.destroy();
  await new Promise((resolve) => node.once("close", resolve));
  expectNothingHeld(log);
  await log.close();
});

test("streams that are left early release their readers", async () => {
  const log = await filled();
  const reader = toWebStream(log.read()).getReader();
  await reader.read();
  await reader.cancel();
  for await (const record of toWebStream(log.read())) if (record.id === 3) break;
  for await (const record of toNodeStream(log.read())) if ((record as AofRecord).id === 3) break;
  const stop = new AbortController();
  const sink = new Writable({
    objectMode: true,
    write(record: AofRecord, _encoding, done): void {
      if (record.id === 5) stop.abort();
      done();
    },
  });
  await expect(pipeline(toNodeStream(log.read()), sink, { signal: stop.signal })).rejects.toMatchObject({
    name: "AbortError",
  });
  await expectSoon(() => log.performanceMetrics().openReaders === 0);
  expectNothingHeld(log);
  await log.close();
});

test("streams that follow go on with what is appended, and end at once when they are ended", async () => {
  const log = await filled();
  const web = toWebStream(log.read({ from: count, follow: true })).getReader();
  const node = toNodeStream(log.read({ from: count, follow: true }));
  const seen: number[] = [];
  node.on("data", (record: AofRecord) => seen.push(record.id));
  expect((await web.read()).value?.id).toBe(count);
  log.append(Buffer.from("next"), { durability: "buffered" });
  await log.flush();
  expect((await web.read()).value?.id).toBe(count + 1);
  await expectSoon(() => seen.length === 2);
  const waiting = web.read();
  await web.cancel();
  expect((await waiting).done).toBe(true);
  node.destroy();
  await new Promise((resolve) => node.once("close", resolve));
  expectNothingHeld(log);
  await log.close();
});

test.each(["web", "node"])(
  "a reader that fails in the middle fails its %s stream with the same error",
  async (kind) => {
    const plan = new FaultPlan();
    const log = await filled(new FaultyFileSystem(new MemoryFileSystem(), plan));
    const reader = log.read();
    const stream: AsyncIterable<unknown> =
      kind === "web" ? toWebStream(reader) : toNodeStream(reader, { highWaterMark: 0 });
    const rule = { operation: "readAt", fault: { kind: "error", errno: "EIO" } } as const;
    let active: ReturnType<FaultPlan["add"]> | undefined;
    let found = 0;
    const drain = async (): Promise<void> => {
      for await (const _record of stream) if (++found === 3) active = plan.add(rule);
    };
    await expect(drain()).rejects.toMatchObject({ name: "AofError", code: "IO" });
    expect(active?.injected).toBeGreaterThan(0);
    expect(found).toBeGreaterThanOrEqual(3);
    active?.remove();
    expectNothingHeld(log);
    await log.close();
  },
);

async function expectSoon(holds: () => boolean): Promise<void> {
  for (let look = 0; look < 500 && !holds(); look++) await new Promise((resolve) => setTimeout(resolve, 2));
  expect(holds()).toBe(true);
}

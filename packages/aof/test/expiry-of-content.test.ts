// Goal: records of every kind expire at their time, on every way of reading, and their segments go, but not under a reader.
// Method: large, compressed, encrypted and tagged records with times to live of their own, on a manual clock, before and
// after a reopen; one reader that holds each segment meanwhile.
import { MemoryFileSystem } from "@varve/fs-core";
import { ManualClock, SeededRandom } from "@varve/fs-core/testing";
import { expect, test } from "vitest";
import { Aof, type AofSettings } from "../src/index.ts";
import { ringOf } from "./support/keyed-log.ts";
import { logSettings } from "./support/log-harness.ts";

const seed = Number(process.env["VARVE_SEED"] ?? 20261126);

const kinds: Readonly<Record<string, Partial<AofSettings>>> = {
  plain: {},
  compressed: { compression: true },
  encrypted: { encryption: true },
  "compressed and encrypted": { compression: true, encryption: true },
};

test.each(Object.entries(kinds))("%s records from 10 bytes to above a mebibyte", async (_name, kind) => {
  const clock = new ManualClock({ wallUs: 1_700_000_000_000_000 });
  const parts = {
    fileSystem: new MemoryFileSystem(),
    clock,
    random: new SeededRandom(seed),
    keyProvider: ringOf("key"),
  };
  const settings = {
    ...logSettings,
    ...kind,
    segmentSizeBytes: 4 * 2 ** 20,
    bufferBytes: 8 * 2 ** 20,
    readAheadBytes: 2 ** 22,
  };
  let log = await Aof.open(settings, parts);
  const sizes = [10, 2000, 70_000, 1_300_000, 10];
  // Every second record lives 10 s, the others 20 s.
  for (const [index, size] of [...sizes, ...sizes].entries()) {
    const payload = Buffer.alloc(size, `record ${index + 1} `);
    await log.appendDurable(payload, {
      ttlMs: index % 2 === 0 ? 10_000 : 20_000,
      headers: { index: String(index + 1) },
    });
  }
  const visible = async (): Promise<number[]> => {
    const scanned: number[] = [];
    for await (const { id, payload, headers } of log.read()) {
      expect(headers?.["index"]).toBe(String(id));
      expect(Buffer.from(payload.subarray(0, 10)).toString()).toBe(`record ${id} `.repeat(2).slice(0, 10));
      scanned.push(id);
    }
    const backwards: number[] = [];
    for await (const { id } of log.read({ reverse: true })) backwards.push(id);
    const batched: number[] = [];
    for await (const batch of log.readBatches({ borrow: true })) for (const { id } of batch) batched.push(id);
    const single = Array.from({ length: 10 }, (_, index) => index + 1).filter((id) => log.getSync(id) !== undefined);
    expect([backwards.toReversed(), batched, single]).toEqual([scanned, scanned, scanned]);
    return scanned;
  };
  expect(await visible()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  clock.advance(9_999);
  expect(await visible()).toHaveLength(10);
  clock.advance(2);
  expect(await visible()).toEqual([2, 4, 6, 8, 10]);
  await log.close();
  log = await Aof.open(settings, parts);
  expect(await visible()).toEqual([2, 4, 6, 8, 10]);
  clock.advance(10_000);
  expect(await visible()).toEqual([]);
  expect((await log.applyRetention()).firstId).toBe(11);
  expect(log.nextId).toBe(11);
  await log.close();
});

test("retention by age leaves a segment's file to the reader that holds it, and takes it then", async () => {
  const clock = new ManualClock({ wallUs: 1_700_000_000_000_000 });
  const fileSystem = new MemoryFileSystem();
  const parts = { fileSystem, clock, random: new SeededRandom(seed) };
  const settings = { ...logSettings, readAheadBytes: 0, ttlMs: 60_000, retention: { intervalMs: 86_400_000 } };
  const log = await Aof.open(settings, parts);
  for (let id = 1; id <= 200; id++) {
    log.append(Buffer.alloc(200, id));
    if (id % 10 === 0) await log.flush();
  }
  const files = async (): Promise<number> =>
    (await fileSystem.list("log")).filter(({ name }) => name.startsWith("segment_")).length;
  const before = await files();
  expect(before).toBeGreaterThan(5);
  const reader = log.readBatches();
  await reader.next();
  clock.advance(120_000);
  const report = await log.applyRetention();
  // All but the segment that was appended to: it is left now, and goes with the next run.
  expect(report.firstId).toBeGreaterThan(150);
  expect(report.isActiveDone).toBe(true);
  expect(report.heldBackBy?.some((hold) => JSON.stringify(hold).includes("reader"))).toBe(true);
  const held = await files();
  expect(held).toBeLessThan(before);
  await reader.return();
  // Told by the reader that let go; done in the background.
  for (let turn = 0; turn < 200 && (await files()) >= held; turn++)
    await new Promise((resolve) => setImmediate(resolve));
  expect(await files()).toBeLessThan(held);
  await log.close();
});

// Goal: the record at a time is found as a search through all records would find it.
// Method: random times, equal ones among them, beside an array; trims; visibility.
import { MemoryFileSystem } from "@varve/fs-core";
import { ManualClock, SeededRandom } from "@varve/fs-core/testing";
import { expect, test } from "vitest";
import { Aof, openReadOnly } from "../src/index.ts";
import { logSettings } from "./support/log-harness.ts";

const seed = Number(process.env["VARVE_SEED"] ?? 20261126);

test("agrees with a search through all records, before and after trims, here and from another process's view", async () => {
  const random = new SeededRandom(seed);
  const clock = new ManualClock();
  const fileSystem = new MemoryFileSystem();
  const log = await Aof.open({ ...logSettings, segmentSizeBytes: 4096 }, { fileSystem, clock, random });
  for (let id = 1; id <= 400; id++) {
    // Several records of one microsecond are common.
    if (random.int(3) === 0) clock.advance(random.int(5));
    log.append(new Uint8Array(random.int(60)));
    if (id % 25 === 0) await log.flush();
  }
  await log.flush();
  for (const trimTo of [1, 120, 399]) {
    await log.trim(trimTo);
    const records: { id: number; timestampUs: number }[] = [];
    for await (const { id, timestampUs } of log.read()) records.push({ id, timestampUs });
    const reading = await openReadOnly({ dir: logSettings.dir }, { fileSystem });
    const times = records.flatMap(({ timestampUs }) => [
      timestampUs - 1,
      timestampUs,
      timestampUs + 0.5,
      timestampUs + 1,
    ]);
    for (const timestampUs of new Set([0, ...times, times.at(-1) as number])) {
      const want = records.find((record) => record.timestampUs >= timestampUs)?.id;
      expect(await log.findId({ timestampUs })).toBe(want);
      expect(await reading.findId({ timestampUs })).toBe(want);
    }
    await reading.close();
  }
  await log.close();
});

test("sees what visibility lets it see", async () => {
  const clock = new ManualClock();
  const parts = { fileSystem: new MemoryFileSystem(), clock, random: new SeededRandom(seed) };
  const log = await Aof.open({ ...logSettings, flushStrategy: { kind: "batched", batchSize: 1000 } }, parts);
  expect(await log.findId({ timestampUs: 0 })).toBeUndefined();
  log.append(new Uint8Array(1));
  await log.write();
  expect(await log.findId({ timestampUs: 0 })).toBeUndefined();
  expect(await log.findId({ timestampUs: 0 }, { visibility: "written" })).toBe(1);
  await log.flush();
  expect(await log.findId({ timestampUs: 0 })).toBe(1);
  await log.close();
});

test("refuses what is no time, and a closed log", async () => {
  const parts = { fileSystem: new MemoryFileSystem(), random: new SeededRandom(seed) };
  const log = await Aof.open(logSettings, parts);
  for (const timestampUs of [Number.NaN, Number.POSITIVE_INFINITY, "1" as unknown as number]) {
    await expect(log.findId({ timestampUs })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  }
  await log.close();
  await expect(log.findId({ timestampUs: 1 })).rejects.toMatchObject({ code: "CLOSED" });
});

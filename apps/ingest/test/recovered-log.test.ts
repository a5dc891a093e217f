// Goal: the comparison fails loudly on a real log that lost, altered or invented a record: the negative control of the drill.
// Method: logs that hold something else than the input says was sent, in a file system in memory, judged as after a kill.
import { Aof } from "@varve/aof";
import { MemoryFileSystem } from "@varve/fs-core";
import { describe, expect, test } from "vitest";
import { type CheckName } from "../src/checks.ts";
import { ContentHash } from "../src/content-hash.ts";
import { judgeRecovered } from "../src/drill.ts";
import { RecordFileWriter } from "../src/record-file.ts";

const sent = Array.from({ length: 500 }, (_, index) => `{"flight":${index + 1}}`);

/** What fails when `stored` is in the log, `sent` was sent, and everything up to `acknowledgedId` was acknowledged. */
async function failures(
  stored: readonly string[],
  acknowledgedId: number,
): Promise<Partial<Record<CheckName, number | undefined>>> {
  const files = new MemoryFileSystem();
  const writer = await RecordFileWriter.create(files, "input");
  for (const record of sent) writer.add(Buffer.from(record));
  await writer.flush();
  await writer[Symbol.asyncDispose]();

  const fileSystem = new MemoryFileSystem();
  const settings = { dir: "log", segmentSizeBytes: 8192, indexKind: "file" } as const;
  const first = await Aof.open(settings, { fileSystem });
  for (const record of stored) first.append(Buffer.from(record));
  await first.close();

  const log = await Aof.open(settings, { fileSystem });
  const hash = new ContentHash();
  for (const record of sent.slice(0, acknowledgedId)) hash.add(Buffer.from(record));
  const killed = {
    epoch: first.epoch,
    firstId: 1,
    acknowledgedId,
    acknowledgedHash: hash.digest(),
    announcedId: sent.length,
  };
  try {
    const checks = await judgeRecovered(log, killed, "after kill 1", {
      files,
      inputPath: "input",
      signal: new AbortController().signal,
    });
    const failed = checks.filter(({ name, findingCount }) => findingCount > 0 && name !== "recovery");
    return Object.fromEntries(failed.map(({ name, findings }) => [name, findings[0]?.id]));
  } finally {
    await log.close();
  }
}

function changed(change: (records: string[]) => void): string[] {
  const records = [...sent];
  change(records);
  return records;
}

describe("a recovered log", () => {
  test("passes when it holds what was sent, up to or beyond what was acknowledged", async () => {
    expect(await failures(sent, 500)).toEqual({});
    expect(await failures(sent.slice(0, 400), 400)).toEqual({});
    expect(await failures(sent.slice(0, 400), 300)).toEqual({});
  });

  test("fails when an acknowledged record is missing at the end", async () => {
    expect(await failures(sent.slice(0, 399), 400)).toEqual({ kept: 400, hash: 400 });
  });

  test("fails when an acknowledged record is missing in the middle", async () => {
    const lost = changed((records) => records.splice(249, 1));
    expect(await failures(lost, 400)).toEqual({ content: 250, hash: 400 });
  });

  test("fails when everything is missing", async () => {
    expect(await failures([], 400)).toEqual({ kept: 1, hash: 400 });
  });

  test("fails when one byte of an acknowledged record is another", async () => {
    const altered = changed((records) => records.splice(99, 1, '{"flight":1O0}'));
    expect(await failures(altered, 400)).toEqual({ content: 100, hash: 400 });
  });

  test("fails when one byte of a record that nobody acknowledged is another", async () => {
    const altered = changed((records) => records.splice(449, 1, '{"flight":45O}'));
    expect(await failures(altered, 400)).toEqual({ content: 450 });
  });

  test("fails when a record is there twice", async () => {
    const twice = changed((records) => records.splice(10, 0, ...records.slice(10, 11)));
    expect(await failures(twice, 5)).toEqual({ content: 12, invented: 501 });
  });

  test("fails when a record was never sent", async () => {
    expect(await failures([...sent, "never sent"], 500)).toEqual({ invented: 501 });
  });
});

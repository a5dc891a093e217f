/**
 * Goal: any run of calls, reopens included, has the effects and answers of a plain map. Method: fast-check makes runs of
 * commands; each is done to the real index and to ModelIndex, and everything visible is compared. A failure prints the
 * seed; VARVE_SEED replays it.
 */
import { join } from "node:path";
import { MemoryFileSystem } from "@varve/fs-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FileSegmentIndex } from "../src/file-segment-index.ts";
import { LmdbSegmentIndex } from "../src/lmdb/index.ts";
import { MemorySegmentIndex } from "../src/memory-segment-index.ts";
import type { NewSegmentEntry, SegmentPatch } from "../src/segment-entry.ts";
import type { SegmentIndex } from "../src/segment-index.ts";
import { type SegmentStatus, segmentStatuses } from "../src/segment-status.ts";
import { sampleEntry, sampleLogId as logId } from "../src/testing/index.ts";
import { isFull, seed } from "./effort.ts";
import { ModelIndex, withoutVersion } from "./model-index.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const root = temporaryDirectory();

type Command =
  | { readonly do: "add"; readonly entry: NewSegmentEntry }
  | { readonly do: "update"; readonly baseId: number; readonly patch: SegmentPatch }
  | { readonly do: "transition"; readonly baseId: number; readonly from: SegmentStatus; readonly to: SegmentStatus }
  | { readonly do: "remove"; readonly baseId: number }
  | { readonly do: "replaceAll"; readonly entries: readonly NewSegmentEntry[] }
  | { readonly do: "cursor"; readonly name: string; readonly id: number | undefined }
  | { readonly do: "epoch"; readonly epoch: number }
  | { readonly do: "reopen" };

// Few ids, so that commands meet.
const baseIds = fc.integer({ min: 0, max: 7 }).map((n) => 1 + 100 * n);
const statuses = fc.constantFrom(...segmentStatuses);
const times = fc.record({ from: fc.integer({ min: 0, max: 900 }), long: fc.integer({ min: 0, max: 300 }) });
const entries = fc
  .record({ baseId: baseIds, status: statuses, time: times, records: fc.integer({ min: 0, max: 100 }) })
  .map(({ baseId, status, time, records }) => {
    const lastTimestampUs = time.from + time.long;
    return sampleEntry(baseId, {
      status,
      recordCount: records,
      lastId: baseId + records - 1,
      archiveKey: `k${baseId}`,
      firstTimestampUs: time.from,
      lastTimestampUs,
    });
  });
const patches: fc.Arbitrary<SegmentPatch> = fc.oneof(
  fc.record({ epoch: fc.nat(), dataLength: fc.nat() }),
  fc.record({ lastTimestampUs: fc.integer({ min: 1200, max: 2000 }) }),
  fc.record({
    codec: fc.constantFrom("zstd", "gzip"),
    archiveEtag: fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" }),
  }),
);
const commands: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: entries.map((entry): Command => ({ do: "add", entry })) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("update" as const), baseId: baseIds, patch: patches }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("transition" as const), baseId: baseIds, from: statuses, to: statuses }),
  },
  { weight: 2, arbitrary: baseIds.map((baseId): Command => ({ do: "remove", baseId })) },
  {
    weight: 1,
    arbitrary: fc
      .uniqueArray(entries, { maxLength: 8, selector: ({ baseId }) => baseId })
      .map((all): Command => ({ do: "replaceAll", entries: all })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("cursor" as const),
      name: fc.constantFrom("a", "b", "c"),
      id: fc.option(fc.maxSafeNat(), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.nat({ max: 20 }).map((epoch): Command => ({ do: "epoch", epoch })) },
  { weight: 1, arbitrary: fc.constant<Command>({ do: "reopen" }) },
);

function tell(model: ModelIndex, command: Command): string | undefined {
  switch (command.do) {
    case "add":
      return model.add(command.entry);
    case "update":
      return model.update(command.baseId, command.patch);
    case "transition":
      return model.transition(command.baseId, command.from, command.to);
    case "remove":
      return void model.entries.delete(command.baseId);
    case "replaceAll":
      model.entries.clear();
      for (const entry of command.entries) model.entries.set(entry.baseId, entry);
      return undefined;
    case "cursor":
      return void (command.id === undefined
        ? model.cursors.delete(command.name)
        : model.cursors.set(command.name, command.id));
    case "epoch":
      return model.setEpoch(command.epoch);
    case "reopen":
      return undefined;
  }
}

async function tellReal(index: SegmentIndex, command: Command): Promise<unknown> {
  switch (command.do) {
    case "add":
      return index.add(command.entry);
    case "update":
      return index.update(command.baseId, command.patch);
    case "transition":
      return index.transition(command.baseId, command.from, command.to);
    case "remove":
      return index.remove(command.baseId);
    case "replaceAll":
      return index.replaceAll(command.entries);
    case "cursor":
      return command.id === undefined ? index.deleteCursor(command.name) : index.setCursor(command.name, command.id);
    case "epoch":
      return index.setWriterEpoch(command.epoch);
    case "reopen":
      return undefined;
  }
}

async function compare(index: SegmentIndex, model: ModelIndex): Promise<void> {
  expect((await index.list()).map(withoutVersion)).toEqual(model.sorted());
  expect(new Map((await index.listCursors()).map(({ name, id }) => [name, id]))).toEqual(model.cursors);
  expect(await index.writerEpoch()).toBe(model.epoch);
  expect(withoutVersion(await index.getActive())).toEqual(model.sorted().findLast(({ status }) => status === "active"));
  expect(await index.getMaxLastId()).toBe(model.sorted().at(-1)?.lastId);
  expect((await index.getForArchiving({ limit: 2, keepLocal: 1 })).map(withoutVersion)).toEqual(
    model.getForArchiving(2, 1),
  );
  for (const at of [0, 1, 50, 101, 333, 700, 801]) {
    expect(withoutVersion(await index.findForId(at))).toEqual(model.findForId(at));
    expect(withoutVersion(await index.findForTimestamp(at * 2))).toEqual(model.findForTimestamp(at * 2));
  }
}

/** Runs commands in groups that are called together, and compares after each group. */
async function runCommands(
  groups: readonly (readonly Command[])[],
  open: (fresh: boolean) => Promise<SegmentIndex>,
): Promise<void> {
  let index = await open(true);
  const model = new ModelIndex();
  try {
    for (const group of groups) {
      const calls = await Promise.allSettled(group.map((command) => tellReal(index, command)));
      const codes = calls.map((call) =>
        call.status === "rejected" ? (call.reason as { code: unknown }).code : undefined,
      );
      expect(codes).toEqual(group.map((command) => tell(model, command)));
      if (group.some((command) => command.do === "reopen") && index.kind !== "memory") {
        await index.close();
        index = await open(false);
      }
      await compare(index, model);
    }
    expect((await index.verify()).filter(({ kind }) => kind === "storage")).toEqual([]);
  } finally {
    await index.close();
  }
}

const groups = fc.array(fc.array(commands, { minLength: 1, maxLength: 4 }), { maxLength: 25 });

function property(open: (fresh: boolean) => Promise<SegmentIndex>, runs: number): Promise<void> {
  const options = { seed, numRuns: isFull ? runs * 20 : runs };
  return fc.assert(
    fc.asyncProperty(groups, (all) => runCommands(all, open)),
    options,
  );
}

describe("any run of calls has the effects of a plain map", () => {
  test("memory", { timeout: 600_000 }, () => property(async () => new MemorySegmentIndex({ logId }), 60));

  test("file", { timeout: 600_000 }, () => {
    let fileSystem = new MemoryFileSystem();
    return property((fresh) => {
      if (fresh) fileSystem = new MemoryFileSystem();
      return FileSegmentIndex.open({ path: "index", logId }, { fileSystem });
    }, 60);
  });

  test("lmdb", { timeout: 600_000 }, () => {
    let made = 0;
    return property((fresh) => {
      if (fresh) made++;
      return LmdbSegmentIndex.open({ directory: join(root, String(made)), logId });
    }, 30);
  });
});

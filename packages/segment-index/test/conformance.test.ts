/**
 * Goal: every kind keeps every promise of SegmentIndex. Method: the published suite, over memory, over files in memory,
 * on disk and behind a file system that transforms bytes, and over LMDB on disk.
 */
import { join } from "node:path";
import { type FileSystem, LocalFileSystem, MemoryFileSystem } from "@varve/fs-core";
import { OddFileSystem } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import { FileSegmentIndex } from "../src/file-segment-index.ts";
import { LmdbSegmentIndex } from "../src/lmdb/index.ts";
import { MemorySegmentIndex } from "../src/memory-segment-index.ts";
import type { SegmentIndex } from "../src/segment-index.ts";
import { sampleLogId as logId, segmentIndexConformance } from "../src/testing/index.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const root = temporaryDirectory();
let made = 0;

/** Thousands of synced commits take their time on a busy machine. */
const patient = (name: string, body: () => Promise<void>): void => {
  test(`${name}`, { timeout: 60_000 }, body);
};

describe("memory", () => {
  segmentIndexConformance({ test: patient, create: async () => new MemorySegmentIndex({ logId }) });
});

/** The suite over indexes that `open` finds again by number. */
function persistent(open: (number: number) => Promise<FileSegmentIndex | LmdbSegmentIndex>): void {
  const numbers = new Map<SegmentIndex, number>();
  const opened = async (number: number, outcome: string): Promise<SegmentIndex> => {
    const index = await open(number);
    numbers.set(index, number);
    expect(index.opened).toEqual({ outcome });
    return index;
  };
  segmentIndexConformance({
    test: patient,
    create: () => opened(++made, "created"),
    reopen: async (index) => {
      await index.close();
      return opened(numbers.get(index) as number, "opened");
    },
  });
}

const fileSystems: Record<string, FileSystem> = {
  memory: new MemoryFileSystem(),
  disk: new LocalFileSystem(root),
  odd: new OddFileSystem(new MemoryFileSystem()),
};

for (const [name, fileSystem] of Object.entries(fileSystems)) {
  describe(`file on ${name}`, () => {
    persistent((number) => FileSegmentIndex.open({ path: `file-${number}`, logId }, { fileSystem }));
  });
}

describe("lmdb", () => {
  persistent((number) => LmdbSegmentIndex.open({ directory: join(root, `lmdb-${number}`), logId }));
});

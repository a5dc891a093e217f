/**
 * Goal: whatever is done to `segments.idx`, the index answers with exactly what was committed, or says that it was reset.
 * Method: spoil a real file in every way of damage-cases.ts; judge its bytes directly, and open the rougher ones.
 * A sample by default; VARVE_FULL=1 tries every bit and every length. VARVE_SEED replays a sample.
 */
import assert from "node:assert/strict";
import { MemoryFileSystem, replaceFile } from "@varve/fs-core";
import { SeededRandom } from "@varve/fs-core/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { encodeEntry } from "../src/entry-codec.ts";
import { framesBegin } from "../src/file/file-layout.ts";
import { readIndexFile } from "../src/file/index-file.ts";
import { FileSegmentIndex } from "../src/file-segment-index.ts";
import { isDisposable } from "../src/index-directory.ts";
import { openSegmentIndex } from "../src/open-segment-index.ts";
import type { IndexProblem } from "../src/segment-index.ts";
import { sampleEntry, sampleLogId as logId } from "../src/testing/index.ts";
import { blocksOld, blocksSpoiled, type DamageCase, flipped, replacedWhole, truncated } from "./damage-cases.ts";
import { isFull, sample, seed } from "./effort.ts";
import { emptyState, fillIndex, visibleState, type VisibleState } from "./fill-index.ts";

const path = "index/segments.idx";
let original: Uint8Array;
let earlier: Uint8Array;
let expected: string;
let visible: VisibleState;

async function bytesOf(fileSystem: MemoryFileSystem): Promise<Uint8Array> {
  const handle = await fileSystem.openFile(path);
  try {
    return await handle.readAll();
  } finally {
    await handle.close();
  }
}

/** The state in these bytes, or undefined when they are useless and known to be. */
function judge(bytes: Uint8Array): string | undefined {
  try {
    const { state } = readIndexFile(bytes, logId);
    return JSON.stringify([state.revision, state.changes()], (_, value: unknown) => {
      return typeof value === "bigint" ? value.toString(16) : value;
    });
  } catch (error) {
    if (isDisposable(error)) return undefined;
    throw error;
  }
}

beforeAll(async () => {
  const fileSystem = new MemoryFileSystem();
  const index = await FileSegmentIndex.open({ path: "index", logId }, { fileSystem });
  await fillIndex(index, 12);
  earlier = await bytesOf(fileSystem);
  await index.setCursor("late", 1);
  await index.add(sampleEntry(1201));
  await index.update(1201, { epoch: 4 });
  visible = await visibleState(index);
  await index.close();
  original = await bytesOf(fileSystem);
  expected = judge(original) as string;
});

/** Each case is right or refused; returns how often each happened. */
function tryAll(cases: Iterable<DamageCase>): { right: number; refused: number } {
  const tally = { right: 0, refused: 0 };
  for (const { name, bytes } of cases) {
    const found = judge(bytes);
    if (found === undefined) tally.refused++;
    else if (found === expected) tally.right++;
    else assert.fail(`${name} (seed ${seed}): a state that was never the last one`);
  }
  return tally;
}

describe("the bytes of a damaged file", () => {
  test("replaced by something else", () => {
    // Twice the file is the file, and a torn frame behind it.
    expect(tryAll(replacedWhole(original, new SeededRandom(seed)))).toEqual({ right: 1, refused: 6 });
  });

  test("cut short", () => {
    const { right, refused } = tryAll(truncated(original, new SeededRandom(seed), { step: 512, count: sample(300) }));
    expect(right).toBe(0);
    expect(refused).toBeGreaterThan(50);
  });

  test("with a bit flipped in header, slots and frame heads", { timeout: 600_000 }, () => {
    tryAll(flipped(original, new SeededRandom(seed), { to: framesBegin, count: sample(600) }));
    for (const from of [0, 512, 1024, framesBegin]) {
      const { right } = tryAll(flipped(original, new SeededRandom(seed), { from, to: from + 64, count: undefined }));
      // The newer of the two slots may be lost: its frame speaks for itself.
      expect(right).toBe(from === 512 || from === 1024 ? (newerSlot() === from ? 512 : 0) : 0);
    }
  });

  test("with a bit flipped in its frames", { timeout: 600_000 }, () => {
    const { right } = tryAll(flipped(original, new SeededRandom(seed), { from: framesBegin, count: sample(1200) }));
    // Nothing checks the zeroes that pad a frame to a multiple of 8 bytes, and nothing reads them.
    expect(right).toBeLessThan(isFull ? original.length : 60);
  });

  test("with blocks zeroed, spoiled, swapped or old", () => {
    tryAll(blocksSpoiled(original, new SeededRandom(seed), { size: 512, count: 200 }));
    tryAll(blocksOld(original, earlier, 512));
    tryAll(blocksOld(original, earlier, 64));
  });
});

function storageProblems(problems: readonly IndexProblem[]): IndexProblem[] {
  return problems.filter(({ kind }) => kind === "storage");
}

/** Which slot speaks for the last commit. */
function newerSlot(): number {
  const view = new DataView(original.buffer, original.byteOffset);
  return view.getUint32(512, true) > view.getUint32(1024, true) ? 512 : 1024;
}

describe("opening what is left", () => {
  const open = async (fileSystem: MemoryFileSystem): ReturnType<typeof openSegmentIndex> => {
    return openSegmentIndex({ kind: "file", path: "index", logId }, { fileSystem });
  };

  test("right entries or an empty index, and it works afterwards", { timeout: 600_000 }, async () => {
    const random = new SeededRandom(seed);
    const cases = [
      ...replacedWhole(original, random),
      ...truncated(original, random, { step: 4096, count: 20 }),
      ...flipped(original, random, { count: isFull ? 2000 : 60 }),
    ];
    for (const { name, bytes } of cases) {
      const fileSystem = new MemoryFileSystem();
      await fileSystem.mkdir("index");
      await replaceFile(fileSystem, path, bytes);
      const first = await open(fileSystem);
      assert.deepEqual(await visibleState(first.index), first.outcome === "opened" ? visible : emptyState, name);
      if (first.outcome === "reset") assert.match(first.reason ?? "", /segments\.idx/, name);
      await first.index.add(sampleEntry(5001));
      const after = await visibleState(first.index);
      assert.deepEqual(storageProblems(await first.index.verify()), [], name);
      await first.index.close();
      const second = await open(fileSystem);
      assert.equal(second.outcome, "opened", name);
      assert.deepEqual(await visibleState(second.index), after, name);
      await second.index.close();
    }
  });

  test("a directory or a file in the way", async () => {
    const fileSystem = new MemoryFileSystem();
    await fileSystem.mkdir("index/segments.idx/deeper");
    const first = await open(fileSystem);
    expect(first).toMatchObject({ outcome: "reset", reason: expect.stringContaining("not a file") });
    await first.index.close();
    await fileSystem.removeDirectory("index");
    await replaceFile(fileSystem, "index", Uint8Array.of(1, 2, 3));
    const second = await open(fileSystem);
    expect(second).toMatchObject({ outcome: "reset", reason: expect.stringContaining("no directory") });
    await second.index.close();
  });

  test("another log's index", async () => {
    const fileSystem = new MemoryFileSystem();
    const other = await FileSegmentIndex.open({ path: "index", logId: "cd".repeat(16) }, { fileSystem });
    await other.add(sampleEntry(1));
    await other.close();
    await expect(FileSegmentIndex.open({ path: "index", logId }, { fileSystem })).rejects.toMatchObject({
      code: "INDEX_FOREIGN",
    });
    const { index, outcome } = await open(fileSystem);
    expect([outcome, await visibleState(index)]).toEqual(["reset", emptyState]);
    await index.close();
  });

  test("damage while it is open is found by verify, and harms nothing else", async () => {
    const fileSystem = new MemoryFileSystem();
    const { index } = await open(fileSystem);
    await index.add(sampleEntry(1));
    const before = await visibleState(index);
    const handle = await fileSystem.openFileMut(path);
    await handle.writeAt(framesBegin + 40, Uint8Array.of(0xff));
    await handle.close();
    expect(await index.verify()).toEqual([{ kind: "storage", message: expect.stringContaining("segments.idx") }]);
    expect(await visibleState(index)).toEqual(before);
    await fileSystem.deleteFile(path);
    expect(await index.verify()).toEqual([{ kind: "storage", message: "segments.idx is gone" }]);
    await index.close();
  });

  test("entries are encoded as small as FORMAT.md says", () => {
    expect(encodeEntry({ ...sampleEntry(1), version: 1 }).length).toBeLessThan(160);
  });
});

/**
 * Goal: a power cut at any moment leaves a file index that opens without a word of damage and holds every acknowledged
 * change, and at most the one in flight besides. Method: run a history once on a CrashableFileSystem; at every operation
 * boundary take what each crash model would leave, open it, compare; on some, cut the power again during that open.
 */
import { CrashableFileSystem, type CrashModel, crashModels, SeededRandom } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import { FileSegmentIndex } from "../src/file-segment-index.ts";
import type { SegmentIndex } from "../src/segment-index.ts";
import { activeEntry, sampleEntry, sampleLogId as logId } from "../src/testing/index.ts";
import { isFull, seed } from "./effort.ts";
import { emptyState, fingerprint, textOf } from "./fill-index.ts";

const long = { archiveKey: "k".repeat(1024), localPath: "p".repeat(512) };

/** Each step is one commit: journal frames of different sizes, and two that make the file be rewritten. */
const history: readonly ((index: SegmentIndex) => Promise<unknown>)[] = [
  (index) => index.setWriterEpoch(1),
  (index) => index.add(activeEntry(1)),
  (index) => index.setCursor("billing", 0),
  (index) => index.transition(1, "active", "finalized", { lastId: 50, recordCount: 50 }),
  (index) =>
    Promise.all([index.add(activeEntry(51)), index.setStamp({ logId, epoch: 1, tailBaseId: 51, tailLength: 64 })]),
  (index) => index.replaceAll(Array.from({ length: 180 }, (_, n) => sampleEntry(1 + 100 * n, long))),
  (index) => index.update(1, { localPath: undefined }),
  (index) => index.transition(1, "finalized", "archiving"),
  (index) => index.replaceAll([sampleEntry(1), sampleEntry(101)]),
  (index) => index.setCursor("billing", 77),
  (index) => index.remove(101),
  (index) => index.deleteCursor("billing"),
];

interface Cut {
  readonly at: string;
  readonly left: CrashableFileSystem;
  /** Changes acknowledged by then. */
  readonly acknowledged: number;
}

/** Runs the history, cutting the power at every boundary in the way of `model`. */
async function cuts(model: CrashModel, random: SeededRandom): Promise<{ cuts: Cut[]; states: string[] }> {
  const fileSystem = new CrashableFileSystem();
  const found: Cut[] = [];
  const states: string[] = [textOf(emptyState)];
  let acknowledged = 0;
  // Before each operation is also after the one before it, acknowledgements included.
  const stop = fileSystem.onOperation(({ index, name, phase }) => {
    if (phase === "after") return;
    found.push({ at: `before ${index} ${name}`, left: fileSystem.crashClone({ model, random }), acknowledged });
  });
  const index = await FileSegmentIndex.open({ path: "index", logId }, { fileSystem });
  for (const step of history) {
    await step(index);
    acknowledged++;
    states.push(await fingerprint(index));
  }
  await index.close();
  stop();
  found.push({ at: "at the end", left: fileSystem.crashClone({ model, random }), acknowledged });
  return { cuts: found, states };
}

async function openLeft(left: CrashableFileSystem): Promise<string> {
  const index = await FileSegmentIndex.open({ path: "index", logId }, { fileSystem: left });
  try {
    const state = await fingerprint(index);
    expect(await index.verify()).not.toContainEqual(expect.objectContaining({ kind: "storage" }));
    return state;
  } finally {
    await index.close();
  }
}

describe.each(crashModels)("power cut, model %s", (model) => {
  test("at every operation", { timeout: 600_000 }, async () => {
    for (let round = 0; round < (isFull ? 40 : 1); round++) {
      const random = new SeededRandom(seed + round);
      const { cuts: taken, states } = await cuts(model, random);
      expect(taken.length).toBeGreaterThan(60);
      for (const { at, left, acknowledged } of taken) {
        const found = await openLeft(left);
        const allowed = [states[acknowledged], states[acknowledged + 1]];
        expect(allowed, `${at}, ${acknowledged} acknowledged, seed ${random.seed}`).toContain(found);
      }
    }
  });

  test("and again while the file left by the first is opened", { timeout: 600_000 }, async () => {
    const random = new SeededRandom(seed);
    const { cuts: taken, states } = await cuts(model, random);
    for (const { at, left, acknowledged } of taken.filter(() => random.chance(isFull ? 1 : 0.05))) {
      const again: CrashableFileSystem[] = [];
      const stop = left.onOperation(({ phase }) => {
        if (phase === "before") again.push(left.crashClone({ model, random }));
      });
      const first = await openLeft(left);
      stop();
      expect(await openLeft(left)).toBe(first);
      for (const twice of again) {
        const allowed = [states[acknowledged], states[acknowledged + 1]];
        expect(allowed, `${at}, twice, seed ${random.seed}`).toContain(await openLeft(twice));
      }
    }
  });
});

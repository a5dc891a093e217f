import assert from "node:assert/strict";
import type { SegmentIndex } from "../segment-index.ts";
import { fullEntry } from "./check-entries.ts";
import { sampleLogId } from "./check-metadata.ts";
import { activeEntry, sampleEntry } from "./sample-entry.ts";
import type { SegmentIndexConformance } from "./segment-index-conformance.ts";

/** Everything that can be seen of an index. */
async function snapshot(index: SegmentIndex): Promise<unknown> {
  return {
    entries: await index.list(),
    cursors: await index.listCursors(),
    epoch: await index.writerEpoch(),
    stamp: await index.stamp(),
    problems: await index.verify(),
  };
}

export function checkPersistence(
  { test, create }: SegmentIndexConformance,
  reopen: (index: SegmentIndex) => Promise<SegmentIndex>,
): void {
  /** Runs the steps with a reopen after each: what was there before is there afterwards. */
  const check = (name: string, steps: readonly ((index: SegmentIndex) => Promise<unknown>)[]): void => {
    test(`persistence: ${name}`, async () => {
      let index = await create();
      try {
        for (const step of steps) {
          await step(index);
          const before = await snapshot(index);
          index = await reopen(index);
          assert.deepEqual(await snapshot(index), before);
        }
      } finally {
        await index.close();
      }
    });
  };

  check("an empty index", [async () => {}, async () => {}]);
  check("entries of every shape", [
    (index) => index.add(fullEntry(1)),
    (index) => index.add(activeEntry(101)),
    (index) => index.update(1, { archiveEtag: undefined, epoch: 7 }),
    (index) => index.transition(101, "active", "finalized", { lastId: 150, recordCount: 50 }),
    (index) => index.remove(1),
  ]);
  check("cursors, epoch and stamp", [
    (index) => index.setCursor("billing", Number.MAX_SAFE_INTEGER),
    (index) => index.setWriterEpoch(3),
    (index) => index.setStamp({ logId: sampleLogId, epoch: 3, tailBaseId: 1, tailLength: 64 }),
    (index) => index.deleteCursor("billing"),
  ]);
  check("replaceAll, growing, shrinking and empty", [
    (index) => index.replaceAll(Array.from({ length: 500 }, (_, i) => sampleEntry(1 + 100 * i))),
    (index) => index.replaceAll([sampleEntry(1), sampleEntry(101)]),
    (index) => index.replaceAll([]),
    (index) => index.add(sampleEntry(7)),
  ]);
  check("many changes of few entries", [
    (index) => index.replaceAll([sampleEntry(1), sampleEntry(101)]),
    async (index) => {
      for (let round = 1; round <= 300; round++) await index.update(round % 2 ? 1 : 101, { epoch: round });
    },
    async (index) => {
      await Promise.all(Array.from({ length: 3000 }, (_, round) => index.setCursor(`c${round % 7}`, round)));
    },
  ]);

  test("persistence: versions go on rising after a reopen", async () => {
    let index = await create();
    try {
      const { version } = await index.add(sampleEntry(1));
      await index.remove(1);
      index = await reopen(index);
      assert.ok((await index.add(sampleEntry(1))).version > version);
    } finally {
      await index.close();
    }
  });
}

// Goal: callers are split in two groups exactly when that is faster, whatever the disk and the number of callers.
// Method: a simulated log whose callers and disk take exact times; both ways are simulated, and the pacing's own choice.
import { describe, expect, test } from "vitest";
import { CommitPacing } from "./commit-pacing.ts";

/** Appends a second of `callers` that take `appendUs` each, on a disk that syncs in `syncUs`. */
function simulate(
  callers: number,
  appendUs: number,
  syncUs: number,
  startAt: (pacing: CommitPacing) => number,
): number {
  const pacing = new CommitPacing();
  /** Callers whose records the running sync serves; the others append meanwhile. 0: none is running. */
  let inSync = 0;
  let nowUs = 0;
  let done = 0;
  for (let round = 0; round < 600; round++) {
    if (round === 100) {
      done = 0;
      nowUs = 0;
    }
    if (inSync === 0) {
      const group = Math.min(callers, startAt(pacing));
      nowUs += group * appendUs;
      if (group === callers) pacing.gathered(group, group * appendUs);
      inSync = group;
    }
    const others = callers - inSync;
    nowUs += Math.max(syncUs, others * appendUs);
    pacing.synced(inSync, syncUs);
    done += inSync;
    // Those who append during the sync are next, without waiting for anybody, as long as there are two groups.
    inSync = startAt(pacing) < callers ? others : 0;
  }
  return done / nowUs;
}

const disks = [50, 200, 1000, 10_000];
const crowds = [1, 2, 3, 16, 256, 4096];

describe.each(disks)("a disk that syncs in %d µs", (syncUs) => {
  test.each(crowds)("%d callers are never served much worse than by the better of the two ways", (callers) => {
    for (const appendUs of [0.5, 1.5, 20]) {
      const one = simulate(callers, appendUs, syncUs, () => Number.POSITIVE_INFINITY);
      const two = callers < 2 ? 0 : simulate(callers, appendUs, syncUs, () => Math.ceil(callers / 2));
      const chosen = simulate(callers, appendUs, syncUs, (pacing) => pacing.startAt);
      // It must promise a fifth more before it splits, and looks again now and then.
      expect(chosen, `${appendUs} µs an append`).toBeGreaterThan(Math.max(one, two) * 0.8);
      expect(chosen).toBeLessThanOrEqual(Math.max(one, two) * 1.05);
    }
  });
});

test("with few callers and a slow disk there is one group", () => {
  const pacing = new CommitPacing();
  for (let round = 0; round < 10; round++) {
    pacing.gathered(16, 16);
    pacing.synced(16, 200);
    expect(pacing.startAt).toBe(Number.POSITIVE_INFINITY);
  }
});

test("when most callers leave, the groups become one again", () => {
  const pacing = new CommitPacing();
  pacing.gathered(4000, 4000);
  pacing.synced(4000, 200);
  expect(pacing.startAt).toBe(2000);
  pacing.synced(2000, 200);
  expect(pacing.startAt).toBe(3000);
  pacing.synced(10, 200);
  pacing.synced(10, 200);
  expect(pacing.startAt).toBe(Number.POSITIVE_INFINITY);
});

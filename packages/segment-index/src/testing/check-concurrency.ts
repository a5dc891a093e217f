import assert from "node:assert/strict";
import { isIndexError } from "../errors.ts";
import { sampleEntry } from "./sample-entry.ts";
import type { Check } from "./segment-index-conformance.ts";

function codesOf(results: readonly PromiseSettledResult<unknown>[]): string[] {
  return results.flatMap((result) => {
    return result.status === "rejected" && isIndexError(result.reason) ? [result.reason.code] : [];
  });
}

export function checkConcurrency(check: Check): void {
  check("of concurrent adds of one base id, one wins", async (index) => {
    const adds = Array.from({ length: 8 }, (_, epoch) => index.add(sampleEntry(1, { epoch })));
    const results = await Promise.allSettled(adds);
    assert.deepEqual(codesOf(results), Array(7).fill("INDEX_ALREADY_EXISTS"));
    assert.equal((await index.get(1))?.epoch, 0);
  });

  check("of concurrent updates against one version, one wins", async (index) => {
    const { version } = await index.add(sampleEntry(1));
    const updates = Array.from({ length: 8 }, (_, i) => index.update(1, { epoch: 10 + i }, { ifVersion: version }));
    const results = await Promise.allSettled(updates);
    assert.deepEqual(codesOf(results), Array(7).fill("INDEX_CONFLICT"));
    assert.equal((await index.get(1))?.epoch, 10);
  });

  check("of concurrent transitions from one status, one wins", async (index) => {
    await index.add(sampleEntry(1));
    const moves = Array.from({ length: 8 }, () => index.transition(1, "finalized", "archiving"));
    const results = await Promise.allSettled(moves);
    assert.deepEqual(codesOf(results), Array(7).fill("INDEX_CONFLICT"));
    assert.equal((await index.get(1))?.status, "archiving");
  });

  check("changes called together are each checked against the ones before", async (index) => {
    const results = await Promise.allSettled([
      index.add(sampleEntry(1)),
      index.update(1, { epoch: 2 }),
      index.transition(1, "finalized", "archiving"),
      index.remove(1),
      index.update(1, { epoch: 3 }),
      index.add(sampleEntry(1, { epoch: 4 })),
      index.replaceAll([sampleEntry(101), sampleEntry(201)]),
      index.add(sampleEntry(1, { epoch: 5 })),
      index.remove(201),
      index.setWriterEpoch(5),
      index.setWriterEpoch(4),
      index.setCursor("c", 1),
      index.deleteCursor("c"),
      index.setCursor("c", 2),
    ]);
    assert.deepEqual(codesOf(results), ["INDEX_NOT_FOUND", "INDEX_STALE_EPOCH"]);
    assert.deepEqual(
      (await index.list()).map(({ baseId, epoch }) => [baseId, epoch]),
      [
        [1, 5],
        [101, 1],
      ],
    );
    assert.equal(await index.getCursor("c"), 2);
    assert.deepEqual(await index.verify(), []);
  });

  check("reads show only what is durable", async (index) => {
    const adding = index.add(sampleEntry(1));
    const early = await index.get(1);
    const added = await adding;
    assert.ok(early === undefined || early.version === added.version);
    assert.deepEqual(await index.get(1), added);
  });

  check("two hundred changes called together all happen", async (index) => {
    await Promise.all(Array.from({ length: 200 }, (_, i) => index.add(sampleEntry(1 + 100 * i))));
    await Promise.all(Array.from({ length: 200 }, (_, i) => index.update(1 + 100 * i, { epoch: i })));
    const all = await index.list();
    assert.deepEqual(
      all.map(({ epoch }) => epoch),
      Array.from({ length: 200 }, (_, i) => i),
    );
  });
}

/**
 * Goal: the checker lets no damaged `data.mdb` pass for anything but what was committed, and never refuses a sound one.
 * Method: judge, in this process and without LMDB, every way of damage-cases.ts done to a real environment; and judge
 * real environments of many histories. VARVE_FULL=1 tries every bit; VARVE_SEED replays a sample.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SeededRandom } from "@varve/fs-core/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { isDisposable } from "../src/index-directory.ts";
import { checkEnvironment } from "../src/lmdb/check-environment.ts";
import { LmdbSegmentIndex } from "../src/lmdb/index.ts";
import { sampleEntry, sampleLogId as logId } from "../src/testing/index.ts";
import {
  blocksOld,
  blocksSpoiled,
  type DamageCase,
  eachByteFlipped,
  flipped,
  replacedWhole,
  truncated,
} from "./damage-cases.ts";
import { isFull, sample, seed } from "./effort.ts";
import { fillIndex } from "./fill-index.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const root = temporaryDirectory();
const directory = join(root, "index");
const dataFile = join(directory, "data.mdb");
let original: Uint8Array;
/** What the file was some commits before, and one commit before. */
let earlier: Uint8Array;
let previous: Uint8Array;
let expected: string;

/** The contents of these bytes, or undefined when they are useless and known to be. */
function judge(bytes: Uint8Array): string | undefined {
  try {
    const { segments, metadata } = checkEnvironment(bytes, logId);
    return [...segments, ...metadata].map(({ key, value }) => Buffer.concat([key, value]).toString("latin1")).join();
  } catch (error) {
    if (isDisposable(error)) return undefined;
    throw error;
  }
}

beforeAll(async () => {
  const index = await LmdbSegmentIndex.open({ directory, logId });
  await fillIndex(index, 60);
  // Enough of it for a tree with branch pages and for overflow pages.
  for (let n = 0; n < 30; n++) {
    await index.add(
      sampleEntry(100_001 + 100 * n, { archiveKey: "k".repeat(1024), localPath: "p".repeat(n * 17 + 1) }),
    );
  }
  await index.add(
    sampleEntry(200_001, {
      archiveKey: "k".repeat(1024),
      localPath: "p".repeat(512),
      keyId: "y".repeat(256),
      archiveEtag: "e".repeat(256),
    }),
  );
  earlier = readFileSync(dataFile);
  for (let n = 0; n < 5; n++) await index.update(1 + 100 * (59 - n), { epoch: 4 });
  previous = readFileSync(dataFile);
  await index.setCursor("late", 1);
  await index.close();
  original = readFileSync(dataFile);
  expected = judge(original) as string;
});

function tryAll(cases: Iterable<DamageCase>, alsoRight: readonly string[] = []): { right: number; refused: number } {
  const tally = { right: 0, refused: 0 };
  for (const { name, bytes } of cases) {
    const found = judge(bytes);
    if (found === undefined) tally.refused++;
    else if (found === expected || alsoRight.includes(found)) tally.right++;
    else assert.fail(`${name} (seed ${seed}): a state that was never the last one`);
  }
  return tally;
}

describe("a damaged data.mdb", () => {
  test("replaced by something else", () => {
    expect(tryAll(replacedWhole(original, new SeededRandom(seed)))).toEqual({ right: 1, refused: 6 });
  });

  test("cut short", () => {
    const cuts = [...truncated(original, new SeededRandom(seed), { step: 4096, count: sample(300) })];
    // Cutting off pages that only the free list knows loses nothing.
    const { refused } = tryAll(cuts);
    expect(refused).toBeGreaterThan(cuts.length / 2);
  });

  test("with any byte of its meta pages flipped", { timeout: 600_000 }, () => {
    for (const from of [0, 4096]) {
      const range = { from, to: from + 192 };
      // Padding, mapped address, map size, free list, page counts and boot id change nothing that is read.
      expect(tryAll(eachByteFlipped(original, new SeededRandom(seed), range)).refused).toBeGreaterThan(30);
      const bits = flipped(original, new SeededRandom(seed), { ...range, count: sample(50) });
      expect(tryAll(bits).refused).toBeGreaterThan(isFull ? 250 : 5);
    }
  });

  test("with any bit of a transaction number flipped, at four commits in a row", async () => {
    const place = join(root, "numbers");
    const index = await LmdbSegmentIndex.open({ directory: place, logId });
    const seen = new Set<number>();
    for (let n = 0; n < 4; n++) {
      await index.setCursor("c", n);
      const file = new Uint8Array(readFileSync(join(place, "data.mdb")));
      const right = judge(file);
      for (const from of [152, 4096 + 152]) {
        seen.add((file[from] ?? 0) & 3);
        for (const { name, bytes } of flipped(file, new SeededRandom(seed), { from, to: from + 8, count: undefined })) {
          assert.equal(judge(bytes), undefined, name);
        }
      }
      assert.ok(right !== undefined);
    }
    await index.close();
    expect(seen.size).toBe(4);
  });

  test("with bits flipped anywhere", { timeout: 7_200_000 }, () => {
    const { refused } = tryAll(flipped(original, new SeededRandom(seed), { count: sample(500) }));
    expect(refused).toBeGreaterThan(50);
  });

  test("with pages zeroed, spoiled or swapped", { timeout: 60_000 }, () => {
    tryAll(blocksSpoiled(original, new SeededRandom(seed), { size: 4096, count: 60 }));
    tryAll(blocksSpoiled(original, new SeededRandom(seed + 1), { size: 256, count: 60 }));
  });

  test("with pages that a disk never wrote", () => {
    // Without its last meta page it is the file of one commit before, as after a crash: the log's stamp tells.
    tryAll(blocksOld(original, earlier, 4096), [judge(previous) as string]);
    tryAll(blocksOld(original, previous, 4096), [judge(previous) as string]);
  });

  test("with one leaf as it was some commits before, all its checksums right", async () => {
    const place = join(root, "stale");
    const read = (): Uint8Array => readFileSync(join(place, "data.mdb"));
    const index = await LmdbSegmentIndex.open({ directory: place, logId });
    await index.replaceAll(Array.from({ length: 40 }, (_, n) => sampleEntry(1 + 100 * n)));
    // The same leaf is written again and again, to the same few pages in turn.
    const versions: Uint8Array[] = [];
    for (let n = 0; n < 12; n++) {
      await index.update(1, { epoch: n });
      versions.push(read());
    }
    await index.close();
    const last = read();
    const right = [judge(last), judge(versions.at(-2) ?? last)];
    let stale = 0;
    for (const version of versions) {
      for (const { name, bytes } of blocksOld(last, version, 4096)) {
        const found = judge(bytes);
        assert.ok(found === undefined || right.includes(found), name);
        if (found === undefined) stale++;
      }
    }
    expect(stale).toBeGreaterThan(10);
  });

  test("of another log", () => {
    expect(() => checkEnvironment(original, "cd".repeat(16))).toThrow(
      expect.objectContaining({ code: "INDEX_FOREIGN" }),
    );
  });
});

describe("a sound data.mdb", () => {
  test("is accepted after every commit of a long history, and in the middle of it", { timeout: 60_000 }, async () => {
    const place = join(root, "history");
    const random = new SeededRandom(seed);
    const index = await LmdbSegmentIndex.open({ directory: place, logId });
    const read = (): Uint8Array => new Uint8Array(readFileSync(join(place, "data.mdb")));
    let before = read();
    for (let step = 0; step < 200; step++) {
      const baseId = 1 + 100 * random.int(60);
      if (random.chance(0.1))
        await index.replaceAll(Array.from({ length: random.int(300) }, (_, n) => sampleEntry(1 + 100 * n)));
      else if (random.chance(0.3)) await index.remove(baseId);
      else if (await index.get(baseId)) await index.update(baseId, { archiveKey: "k".repeat(1 + random.int(1024)) });
      else await index.add(sampleEntry(baseId));
      const after = read();
      assert.ok(judge(after) !== undefined, `step ${step}, seed ${seed}`);
      // A crash when all pages of the commit were written, and its meta page was not.
      const interrupted = new Uint8Array(after);
      interrupted.set(before.subarray(0, 2 * 4096));
      assert.equal(judge(interrupted), judge(before), `in step ${step}, seed ${seed}`);
      before = after;
    }
    await index.close();
    checkEnvironment(read(), logId);
  });
});

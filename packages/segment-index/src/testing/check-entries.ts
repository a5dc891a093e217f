import assert from "node:assert/strict";
import type { NewSegmentEntry } from "../segment-entry.ts";
import { expectCode } from "./expect-code.ts";
import { sampleEntry } from "./sample-entry.ts";
import type { Check } from "./segment-index-conformance.ts";

/** Every field present, at the edges of its range. */
export function fullEntry(baseId: number): NewSegmentEntry {
  return sampleEntry(baseId, {
    createdAt: 0,
    firstTimestampUs: 0,
    lastTimestampUs: Number.MAX_SAFE_INTEGER,
    originalSize: Number.MAX_SAFE_INTEGER,
    uncompressedChecksum: 2n ** 64n - 1n,
    archivedAt: Number.MAX_SAFE_INTEGER,
    compressedSize: 0,
    compressedChecksum: 0n,
    status: "archived",
    localPath: "é".repeat(256),
    archiveKey: "k".repeat(1024),
    archiveStoreId: "s".repeat(128),
    archiveEtag: '"0x8D"'.padEnd(256, "e"),
    keyId: "𝄞".repeat(64),
    codec: "c".repeat(32),
  });
}

const brokenEntries: readonly (readonly [string, Partial<Record<keyof NewSegmentEntry | "extra", unknown>>])[] = [
  ["base id 0", { baseId: 0, lastId: 0, recordCount: 0 }],
  ["a fraction", { dataLength: 1.5 }],
  ["a negative number", { epoch: -1 }],
  ["NaN", { createdAt: Number.NaN }],
  ["2^53", { originalSize: 2 ** 53 }],
  ["a number as text", { recordCount: "7" }],
  ["last id before an empty segment's", { lastId: 98, recordCount: 0 }],
  ["more records than ids", { recordCount: 101 }],
  ["time running backwards", { firstTimestampUs: 9, lastTimestampUs: 8 }],
  ["a checksum of 65 bits", { uncompressedChecksum: 2n ** 64n }],
  ["a checksum that is no bigint", { compressedChecksum: 7 }],
  ["an unknown status", { status: "sealed" }],
  ["an empty path", { localPath: "" }],
  ["a key that is too long", { archiveKey: "k".repeat(1025) }],
  ["a lone surrogate", { archiveEtag: "\ud800" }],
  ["archived nowhere", { status: "archived" }],
  ["an unknown field", { extra: 1 }],
];

export function checkEntries(check: Check): void {
  check("an empty index has nothing", async (index) => {
    assert.equal(await index.get(1), undefined);
    assert.equal(await index.getActive(), undefined);
    assert.equal(await index.getMaxLastId(), undefined);
    assert.deepEqual(await index.list(), []);
    assert.deepEqual(await index.verify(), []);
  });

  check("add returns the entry with a version, and get returns the same", async (index) => {
    const entry = sampleEntry(1);
    const added = await index.add(entry);
    assert.deepEqual(added, { ...entry, version: added.version });
    assert.deepEqual(await index.get(1), added);
    assert.ok(Object.isFrozen(added) && Object.isFrozen(await index.get(1)));
  });

  check("every field comes back, at the edges of its range", async (index) => {
    const entry = fullEntry(7);
    const { version } = await index.add(entry);
    assert.deepEqual(await index.get(7), { ...entry, version });
  });

  check("base ids up to 2^53-2 are ordered as numbers", async (index) => {
    const ids = [2 ** 32, 255, Number.MAX_SAFE_INTEGER - 1, 256, 2 ** 32 - 1, 1, 2 ** 40];
    for (const baseId of ids) await index.add({ ...sampleEntry(1), baseId, lastId: baseId, recordCount: 1 });
    const found = (await index.list()).map(({ baseId }) => baseId);
    assert.deepEqual(
      found,
      [...ids].sort((a, b) => a - b),
    );
  });

  check("add refuses a base id that is taken", async (index) => {
    const first = await index.add(sampleEntry(1));
    await expectCode("INDEX_ALREADY_EXISTS", index.add(sampleEntry(1, { epoch: 2 })));
    assert.deepEqual(await index.get(1), first);
  });

  check("an entry that breaks a rule is refused before anything changes", async (index) => {
    for (const [what, fields] of brokenEntries) {
      await assert.rejects(
        index.add({ ...sampleEntry(100), ...fields } as NewSegmentEntry),
        { name: "IndexError", code: "INDEX_INVALID_ARGUMENT" },
        what,
      );
    }
    assert.deepEqual(await index.list(), []);
  });

  check("the index keeps its own copy of what it is given", async (index) => {
    const entry = { ...sampleEntry(1) };
    const adding = index.add(entry);
    entry.epoch = 99;
    assert.equal((await adding).epoch, 1);
    const patch: { epoch: number } = { epoch: 5 };
    const updating = index.update(1, patch);
    patch.epoch = 99;
    assert.equal((await updating).epoch, 5);
  });

  check("update changes the named fields and the version, nothing else", async (index) => {
    const before = await index.add(sampleEntry(1));
    const after = await index.update(1, { lastId: 150, recordCount: 150 });
    assert.deepEqual(after, { ...before, lastId: 150, recordCount: 150, version: after.version });
    assert.notEqual(after.version, before.version);
    assert.deepEqual(await index.get(1), after);
  });

  check("update removes an optional field that is patched with undefined", async (index) => {
    await index.add(sampleEntry(1));
    const after = await index.update(1, { localPath: undefined });
    assert.ok(!("localPath" in after));
    assert.ok(!("localPath" in ((await index.get(1)) ?? {})));
  });

  check("update refuses identity, status and version, and a result that breaks a rule", async (index) => {
    const before = await index.add(sampleEntry(1));
    const patches: Record<string, unknown>[] = [{ baseId: 2 }, { status: "archived" }, { version: 9 }];
    patches.push({ recordCount: 1000 }, { epoch: undefined }, { surprise: 1 });
    for (const patch of patches) await expectCode("INDEX_INVALID_ARGUMENT", index.update(1, patch));
    assert.deepEqual(await index.get(1), before);
  });

  check("update and transition of an absent entry are refused", async (index) => {
    await expectCode("INDEX_NOT_FOUND", index.update(1, { epoch: 2 }));
    await expectCode("INDEX_NOT_FOUND", index.transition(1, "active", "finalized"));
  });

  check("update compares versions when asked", async (index) => {
    const first = await index.add(sampleEntry(1));
    const second = await index.update(1, { epoch: 2 }, { ifVersion: first.version });
    await expectCode("INDEX_CONFLICT", index.update(1, { epoch: 3 }, { ifVersion: first.version }));
    assert.deepEqual(await index.get(1), second);
  });

  check("versions never repeat, across remove and replaceAll", async (index) => {
    const seen = new Set<number>();
    for (let round = 0; round < 3; round++) {
      seen.add((await index.add(sampleEntry(1))).version);
      await index.remove(1);
      await index.replaceAll([sampleEntry(1)]);
      seen.add((await index.get(1))?.version ?? -1);
      await index.remove(1);
    }
    assert.equal(seen.size, 6);
  });

  check("remove is idempotent and leaves the others", async (index) => {
    await index.add(sampleEntry(1));
    await index.add(sampleEntry(101));
    await index.remove(1);
    await index.remove(1);
    assert.equal(await index.get(1), undefined);
    assert.deepEqual(
      (await index.list()).map(({ baseId }) => baseId),
      [101],
    );
  });

  check("replaceAll switches to exactly the given entries", async (index) => {
    await index.add(sampleEntry(1));
    await index.add(sampleEntry(101));
    await index.setCursor("billing", 5);
    const stamp = { logId: "ab".repeat(16), epoch: 3, tailBaseId: 301, tailLength: 64 };
    await index.replaceAll([sampleEntry(301), sampleEntry(101, { epoch: 2 }), sampleEntry(201)], { stamp });
    assert.deepEqual(
      (await index.list()).map(({ baseId, epoch }) => [baseId, epoch]),
      [
        [101, 2],
        [201, 1],
        [301, 1],
      ],
    );
    assert.equal(await index.getCursor("billing"), 5);
    assert.deepEqual(await index.stamp(), stamp);
  });

  check("replaceAll with one bad or repeated entry changes nothing", async (index) => {
    const before = await index.add(sampleEntry(1));
    await expectCode("INDEX_INVALID_ARGUMENT", index.replaceAll([sampleEntry(101), sampleEntry(201, { epoch: -1 })]));
    await expectCode("INDEX_INVALID_ARGUMENT", index.replaceAll([sampleEntry(101), sampleEntry(101)]));
    assert.deepEqual(await index.list(), [before]);
  });

  check("verify reports overlapping segments and holes", async (index) => {
    await index.replaceAll([sampleEntry(1), sampleEntry(50), sampleEntry(300)]);
    const problems = await index.verify();
    assert.deepEqual(
      problems.map(({ kind, baseId }) => [kind, baseId]),
      [
        ["overlap", 50],
        ["gap", 300],
      ],
    );
  });
}

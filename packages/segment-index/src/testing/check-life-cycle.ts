import assert from "node:assert/strict";
import { canTransition, type SegmentStatus, segmentStatuses } from "../segment-status.ts";
import { expectCode } from "./expect-code.ts";
import { activeEntry, sampleEntry } from "./sample-entry.ts";
import type { Check } from "./segment-index-conformance.ts";

const archived = { archiveKey: "logs/1", archivedAt: 5, compressedSize: 10, compressedChecksum: 1n, codec: "zstd" };

export function checkLifeCycle(check: Check): void {
  check("a segment goes from active to deleting, fields changing in the same step", async (index) => {
    await index.add(activeEntry(1));
    await index.transition(1, "active", "finalized", { lastId: 9, recordCount: 9, finalizedAt: 3 });
    await index.transition(1, "finalized", "archiving");
    const entry = await index.transition(1, "archiving", "archived", archived);
    assert.deepEqual(await index.get(1), entry);
    const { status, lastId, archiveKey } = entry;
    assert.deepEqual({ status, lastId, archiveKey }, { status: "archived", lastId: 9, archiveKey: "logs/1" });
    assert.equal((await index.transition(1, "archived", "deleting", { localPath: undefined })).localPath, undefined);
    await index.remove(1);
    assert.equal(await index.get(1), undefined);
  });

  check("a failed upload goes back to finalized, and what was never archived may be deleted", async (index) => {
    await index.add(sampleEntry(1));
    await index.transition(1, "finalized", "archiving");
    await index.transition(1, "archiving", "finalized");
    assert.equal((await index.transition(1, "finalized", "deleting")).status, "deleting");
  });

  check("every step the life cycle lacks is refused, and the entry stays", async (index) => {
    let baseId = 1;
    for (const from of segmentStatuses) {
      for (const to of segmentStatuses) {
        baseId += 100;
        const before = await index.add(sampleEntry(baseId, { status: from, archiveKey: "k" }));
        if (canTransition(from, to)) {
          assert.equal((await index.transition(baseId, from, to)).status, to, `${from} → ${to}`);
        } else {
          await expectCode("INDEX_BAD_TRANSITION", index.transition(baseId, from, to));
          assert.deepEqual(await index.get(baseId), before);
        }
      }
    }
  });

  check("transition from a status the entry no longer has is a conflict", async (index) => {
    const before = await index.add(sampleEntry(1));
    await expectCode("INDEX_CONFLICT", index.transition(1, "active", "finalized"));
    await expectCode("INDEX_CONFLICT", index.transition(1, "archiving", "archived", archived));
    assert.deepEqual(await index.get(1), before);
  });

  check("archived without an archive key is refused: the remote copy would be lost", async (index) => {
    await index.add(sampleEntry(1, { status: "archiving" }));
    await expectCode("INDEX_INVALID_ARGUMENT", index.transition(1, "archiving", "archived"));
    assert.equal((await index.get(1))?.status, "archiving");
  });

  check("words that are no status are refused", async (index) => {
    await index.add(sampleEntry(1));
    await expectCode("INDEX_INVALID_ARGUMENT", index.transition(1, "finalized", "gone" as SegmentStatus));
    await expectCode("INDEX_INVALID_ARGUMENT", index.transition(1, "toString" as SegmentStatus, "archived"));
    await expectCode("INDEX_INVALID_ARGUMENT", index.list({ status: "gone" as SegmentStatus }));
  });
}

import assert from "node:assert/strict";
import { expectCode } from "./expect-code.ts";
import { sampleEntry } from "./sample-entry.ts";
import type { Check } from "./segment-index-conformance.ts";

/** The log that the suite's stamps speak of: an index under test is opened for it, or for none. */
export const sampleLogId: string = "ab".repeat(16);

export function checkMetadata(check: Check): void {
  check("cursors are set, moved, listed by name and deleted", async (index) => {
    assert.equal(await index.getCursor("billing"), undefined);
    await index.setCursor("search", 7);
    await index.setCursor("billing", 5);
    await index.setCursor("billing", 3);
    assert.equal(await index.getCursor("billing"), 3);
    assert.deepEqual(await index.listCursors(), [
      { name: "billing", id: 3 },
      { name: "search", id: 7 },
    ]);
    await index.deleteCursor("billing");
    await index.deleteCursor("billing");
    assert.deepEqual(await index.listCursors(), [{ name: "search", id: 7 }]);
  });

  check("cursor names are any text of 1 to 200 bytes", async (index) => {
    const names = ["a/../b", "__proto__", "state", "cursor/", " ", "é".repeat(100), "\u0000", "𝄞", "\ufeffbom"];
    for (const [id, name] of names.entries()) await index.setCursor(name, id);
    for (const [id, name] of names.entries()) assert.equal(await index.getCursor(name), id);
    assert.equal((await index.listCursors()).length, names.length);
    for (const bad of ["", "x".repeat(201), "é".repeat(101), "\udc00", 7 as unknown as string]) {
      await expectCode("INDEX_INVALID_ARGUMENT", index.setCursor(bad, 1));
      await expectCode("INDEX_INVALID_ARGUMENT", index.getCursor(bad));
    }
    await expectCode("INDEX_INVALID_ARGUMENT", index.setCursor("x", -1));
  });

  check("the writer epoch only rises", async (index) => {
    assert.equal(await index.writerEpoch(), 0);
    await index.setWriterEpoch(4);
    await index.setWriterEpoch(4);
    await expectCode("INDEX_STALE_EPOCH", index.setWriterEpoch(3));
    await index.setWriterEpoch(9);
    assert.equal(await index.writerEpoch(), 9);
  });

  check("the stamp comes back as it was set", async (index) => {
    assert.equal(await index.stamp(), undefined);
    const stamp = { logId: sampleLogId, epoch: 2, tailBaseId: 101, tailLength: 4096 };
    await index.setStamp(stamp);
    assert.deepEqual(await index.stamp(), stamp);
    await expectCode("INDEX_INVALID_ARGUMENT", index.setStamp({ ...stamp, logId: "ABC" }));
    await expectCode("INDEX_INVALID_ARGUMENT", index.setStamp({ ...stamp, tailLength: -1 }));
    assert.deepEqual(await index.stamp(), stamp);
  });

  check("metadata and entries do not disturb each other", async (index) => {
    const entry = await index.add(sampleEntry(1));
    await index.setCursor("1", 1);
    await index.setWriterEpoch(1);
    await index.remove(2);
    assert.deepEqual(await index.list(), [entry]);
    await index.replaceAll([]);
    assert.deepEqual(await index.listCursors(), [{ name: "1", id: 1 }]);
    assert.equal(await index.writerEpoch(), 1);
  });
}

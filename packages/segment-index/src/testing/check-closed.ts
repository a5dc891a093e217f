import assert from "node:assert/strict";
import type { SegmentIndex } from "../segment-index.ts";
import { expectCode } from "./expect-code.ts";
import { sampleEntry } from "./sample-entry.ts";
import type { Check } from "./segment-index-conformance.ts";

const calls: Readonly<Record<string, (index: SegmentIndex) => Promise<unknown>>> = {
  add: (index) => index.add(sampleEntry(101)),
  update: (index) => index.update(1, { epoch: 2 }),
  transition: (index) => index.transition(1, "finalized", "archiving"),
  remove: (index) => index.remove(1),
  replaceAll: (index) => index.replaceAll([]),
  get: (index) => index.get(1),
  getActive: (index) => index.getActive(),
  getMaxLastId: (index) => index.getMaxLastId(),
  getForArchiving: (index) => index.getForArchiving({ limit: 1 }),
  findForId: (index) => index.findForId(1),
  findForTimestamp: (index) => index.findForTimestamp(1),
  list: (index) => index.list(),
  getCursor: (index) => index.getCursor("c"),
  setCursor: (index) => index.setCursor("c", 1),
  deleteCursor: (index) => index.deleteCursor("c"),
  listCursors: (index) => index.listCursors(),
  writerEpoch: (index) => index.writerEpoch(),
  setWriterEpoch: (index) => index.setWriterEpoch(1),
  stamp: (index) => index.stamp(),
  setStamp: (index) => index.setStamp({ logId: "ab", epoch: 1, tailBaseId: 1, tailLength: 0 }),
  verify: (index) => index.verify(),
};

export function checkClosed(check: Check): void {
  check("every call on a closed index is refused", async (index) => {
    await index.add(sampleEntry(1));
    await index.close();
    for (const [name, call] of Object.entries(calls)) {
      await assert.rejects(call(index), { name: "IndexError", code: "INDEX_CLOSED" }, name);
    }
  });

  check("close waits for changes that were called before it, and is idempotent", async (index) => {
    const adding = index.add(sampleEntry(1));
    const closing = index.close();
    await expectCode("INDEX_CLOSED", index.get(1));
    await Promise.all([closing, index.close(), index[Symbol.asyncDispose]()]);
    assert.equal((await adding).baseId, 1);
  });
}

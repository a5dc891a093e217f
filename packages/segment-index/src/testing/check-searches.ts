import assert from "node:assert/strict";
import type { SegmentIndex } from "../segment-index.ts";
import { expectCode } from "./expect-code.ts";
import { activeEntry, sampleEntry } from "./sample-entry.ts";
import type { Check } from "./segment-index-conformance.ts";

/** Segments of 100 from 101 on, the last one active. */
async function fill(index: SegmentIndex, sealed: number): Promise<void> {
  const entries = Array.from({ length: sealed }, (_, i) => sampleEntry(101 + 100 * i));
  await index.replaceAll([...entries, activeEntry(101 + 100 * sealed)]);
}

const baseIdOf = (entry: { readonly baseId: number } | undefined): number | undefined => entry?.baseId;

export function checkSearches(check: Check): void {
  check("findForId finds the segment that holds an id, edges included", async (index) => {
    await fill(index, 3);
    const expected = [
      [0, undefined],
      [100, undefined],
      [101, 101],
      [200, 101],
      [201, 201],
      [400, 301],
      [401, 401],
      [Number.MAX_SAFE_INTEGER, 401],
    ] as const;
    for (const [id, baseId] of expected) assert.equal(baseIdOf(await index.findForId(id)), baseId, `id ${id}`);
  });

  check("findForId answers nothing in a hole and behind a sealed tail", async (index) => {
    await index.replaceAll([sampleEntry(1), sampleEntry(201)]);
    assert.equal(await index.findForId(150), undefined);
    assert.equal(await index.findForId(301), undefined);
    await index.replaceAll([sampleEntry(1, { lastId: 0, recordCount: 0 })]);
    assert.equal(await index.findForId(1), undefined);
  });

  check("findForTimestamp finds the first segment that may hold the time, edges included", async (index) => {
    await fill(index, 3);
    const expected = [
      [0, 101],
      [1010, 101],
      [2000, 101],
      [2001, 201],
      [2010, 201],
      [4000, 301],
      [4001, 401],
      [Number.MAX_SAFE_INTEGER, 401],
    ] as const;
    for (const [us, baseId] of expected) assert.equal(baseIdOf(await index.findForTimestamp(us)), baseId, `${us} µs`);
  });

  check("findForTimestamp is right when the clock jumped back", async (index) => {
    await index.replaceAll([
      sampleEntry(1, { firstTimestampUs: 100, lastTimestampUs: 900 }),
      sampleEntry(101, { firstTimestampUs: 10, lastTimestampUs: 200 }),
      sampleEntry(201, { firstTimestampUs: 150, lastTimestampUs: 1500 }),
    ]);
    assert.equal(baseIdOf(await index.findForTimestamp(150)), 1);
    assert.equal(baseIdOf(await index.findForTimestamp(900)), 1);
    assert.equal(baseIdOf(await index.findForTimestamp(901)), 201);
    assert.equal(await index.findForTimestamp(1501), undefined);
  });

  check("findForTimestamp passes over segments that were sealed empty, and follows changes", async (index) => {
    await index.replaceAll([
      sampleEntry(1, { lastId: 0, recordCount: 0, firstTimestampUs: 0, lastTimestampUs: 0 }),
      sampleEntry(2, { lastId: 9, recordCount: 8, firstTimestampUs: 50, lastTimestampUs: 60 }),
    ]);
    assert.equal(baseIdOf(await index.findForTimestamp(0)), 2);
    assert.equal(await index.findForTimestamp(61), undefined);
    await index.update(2, { lastTimestampUs: 70 });
    assert.equal(baseIdOf(await index.findForTimestamp(61)), 2);
    await index.add(sampleEntry(10, { firstTimestampUs: 65, lastTimestampUs: 80 }));
    await index.remove(2);
    assert.equal(baseIdOf(await index.findForTimestamp(61)), 10);
  });

  check("getActive is the active entry with the highest base id", async (index) => {
    await fill(index, 2);
    assert.equal(baseIdOf(await index.getActive()), 301);
    await index.add(activeEntry(401));
    assert.equal(baseIdOf(await index.getActive()), 401);
    await index.transition(401, "active", "finalized");
    assert.equal(baseIdOf(await index.getActive()), 301);
    await index.transition(301, "active", "corrupt");
    assert.equal(await index.getActive(), undefined);
  });

  check("getMaxLastId is the last id of the last segment", async (index) => {
    await fill(index, 2);
    assert.equal(await index.getMaxLastId(), 300);
    await index.update(301, { lastId: 333, recordCount: 33 });
    assert.equal(await index.getMaxLastId(), 333);
  });

  check("getForArchiving takes the oldest finalized and leaves the newest local", async (index) => {
    await fill(index, 6);
    await index.transition(101, "finalized", "archiving");
    const ids = async (limit: number, keepLocal?: number): Promise<number[]> => {
      const options = keepLocal === undefined ? { limit } : { limit, keepLocal };
      return (await index.getForArchiving(options)).map(({ baseId }) => baseId);
    };
    assert.deepEqual(await ids(100), [201, 301, 401, 501, 601]);
    assert.deepEqual(await ids(2), [201, 301]);
    assert.deepEqual(await ids(100, 3), [201, 301]);
    assert.deepEqual(await ids(1, 3), [201]);
    assert.deepEqual(await ids(0), []);
    assert.deepEqual(await ids(100, 99), []);
  });

  check("list selects by range, status, limit and direction", async (index) => {
    await fill(index, 4);
    await index.transition(201, "finalized", "archiving");
    const ids = async (options: Parameters<SegmentIndex["list"]>[0]): Promise<number[]> => {
      return (await index.list(options)).map(({ baseId }) => baseId);
    };
    assert.deepEqual(await ids({}), [101, 201, 301, 401, 501]);
    assert.deepEqual(await ids({ fromBaseId: 201, toBaseId: 401 }), [201, 301]);
    assert.deepEqual(await ids({ fromBaseId: 202, toBaseId: 402 }), [301, 401]);
    assert.deepEqual(await ids({ fromBaseId: 401, toBaseId: 201 }), []);
    assert.deepEqual(await ids({ status: "finalized", reverse: true }), [401, 301, 101]);
    assert.deepEqual(await ids({ status: ["active", "archiving"] }), [201, 501]);
    assert.deepEqual(await ids({ status: [] }), []);
    assert.deepEqual(await ids({ limit: 2 }), [101, 201]);
    assert.deepEqual(await ids({ limit: 2, reverse: true, toBaseId: 401 }), [301, 201]);
    assert.deepEqual(await ids({ limit: 0 }), []);
  });

  check("searches refuse what is no id, time or count", async (index) => {
    for (const bad of [-1, 1.5, Number.NaN, 2 ** 53, "1" as unknown as number]) {
      await expectCode("INDEX_INVALID_ARGUMENT", index.get(bad));
      await expectCode("INDEX_INVALID_ARGUMENT", index.findForId(bad));
      await expectCode("INDEX_INVALID_ARGUMENT", index.findForTimestamp(bad));
      await expectCode("INDEX_INVALID_ARGUMENT", index.list({ limit: bad }));
      await expectCode("INDEX_INVALID_ARGUMENT", index.getForArchiving({ limit: 1, keepLocal: bad }));
    }
  });

  check("ten thousand entries are found, one by one and all together", async (index) => {
    const count = 10_000;
    await index.replaceAll(Array.from({ length: count }, (_, i) => sampleEntry(1 + 100 * i)));
    for (let i = 0; i < count; i += 97) {
      assert.equal(baseIdOf(await index.findForId(50 + 100 * i)), 1 + 100 * i);
      assert.equal(baseIdOf(await index.findForTimestamp(10 * (50 + 100 * i))), 1 + 100 * i);
    }
    const all = await index.list();
    assert.equal(all.length, count);
    assert.ok(all.every(({ baseId }, i) => baseId === 1 + 100 * i));
    assert.deepEqual(await index.verify(), []);
  });
}

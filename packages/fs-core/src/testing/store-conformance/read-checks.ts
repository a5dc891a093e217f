import assert from "node:assert/strict";
import { assertBytes, bytesOf, collect, pattern, refuses, type StoreCheck, textAt } from "./store-check.ts";

/** `get`, `head`, ranges. */
export const readChecks: readonly StoreCheck[] = [
  {
    name: "what is not there: head is undefined, get is NOT_FOUND",
    async run(store) {
      assert.equal(await store.head("no/such"), undefined);
      await refuses("NOT_FOUND", "no/such", () => store.get("no/such"));
      await refuses("NOT_FOUND", "no/such", () => store.getRanges("no/such", [{ offset: 0, length: 1 }]));
    },
  },
  {
    name: "head tells size, version and time",
    async run(store) {
      const { version } = await store.put("a", bytesOf("12345"));
      const info = await store.head("a");
      assert.equal(info?.key, "a");
      assert.equal(info?.size, 5);
      assert.equal(info?.version, version);
      assert.ok((info?.lastModifiedMs ?? 0) > 1_500_000_000_000, "a time of this century, in milliseconds");
    },
  },
  {
    name: "a body is a stream of chunks that the caller keeps",
    async run(store) {
      const bytes = pattern(300_000);
      await store.put("a", bytes);
      const body = await store.get("a");
      assert.deepEqual(body.range, { offset: 0, length: 300_000 });
      const chunks = await collect(body);
      assertBytes(Buffer.concat(chunks), bytes);
    },
  },
  {
    name: "a body is read once",
    async run(store) {
      await store.put("a", bytesOf("x"));
      const body = await store.get("a");
      await body.bytes();
      await refuses("CLOSED", "a", () => body.bytes());
    },
  },
  {
    name: "a body above limitBytes is refused before it is read",
    async run(store) {
      await store.put("a", pattern(1000));
      const body = await store.get("a");
      await refuses("TOO_LARGE", "a", () => body.bytes({ limitBytes: 999 }));
      await body.cancel();
    },
  },
  {
    name: "a loop that is left, a body that is cancelled and one that nobody reads leave the store usable",
    async run(store) {
      await store.put("a", pattern(400_000));
      for await (const _chunk of await store.get("a")) break;
      await (await store.get("a")).cancel();
      await using _unread = await store.get("a");
      assert.equal((await store.head("a"))?.size, 400_000);
    },
  },
  {
    name: "get with a range from an offset",
    async run(store) {
      await store.put("a", bytesOf("0123456789"));
      const body = await store.get("a", { range: { offset: 3, length: 4 } });
      assert.equal(body.info.size, 10);
      assert.deepEqual(body.range, { offset: 3, length: 4 });
      assertBytes(await body.bytes(), bytesOf("3456"));
      assertBytes(await (await store.get("a", { range: { offset: 7 } })).bytes(), bytesOf("789"));
    },
  },
  {
    name: "a range beyond the end is cut there",
    async run(store) {
      await store.put("a", bytesOf("0123456789"));
      const body = await store.get("a", { range: { offset: 8, length: 100 } });
      assert.deepEqual(body.range, { offset: 8, length: 2 });
      assertBytes(await body.bytes(), bytesOf("89"));
    },
  },
  {
    name: "a range of the last bytes",
    async run(store) {
      await store.put("a", bytesOf("0123456789"));
      assertBytes(await (await store.get("a", { range: { suffixLength: 3 } })).bytes(), bytesOf("789"));
      const body = await store.get("a", { range: { suffixLength: 100 } });
      assert.deepEqual(body.range, { offset: 0, length: 10 });
      await body.cancel();
    },
  },
  {
    name: "a range that begins at or beyond the end is INVALID_RANGE",
    async run(store) {
      await store.put("a", bytesOf("0123456789"));
      await store.put("empty", new Uint8Array(0));
      await refuses("INVALID_RANGE", "a", () => store.get("a", { range: { offset: 10 } }));
      await refuses("INVALID_RANGE", "a", () => store.get("a", { range: { offset: 11, length: 1 } }));
      await refuses("INVALID_RANGE", "empty", () => store.get("empty", { range: { offset: 0, length: 1 } }));
    },
  },
  {
    name: "ranges that make no sense are INVALID_ARGUMENT",
    async run(store) {
      await store.put("a", bytesOf("x"));
      for (const range of [{ offset: -1 }, { offset: 0.5 }, { offset: 0, length: 0 }, { suffixLength: 0 }]) {
        await refuses("INVALID_ARGUMENT", undefined, () => store.get("a", { range }));
      }
    },
  },
  {
    name: "get with ifMatch reads that version only",
    async run(store) {
      const { version } = await store.put("a", bytesOf("first"));
      assertBytes(await (await store.get("a", { ifMatch: version })).bytes(), bytesOf("first"));
      await store.put("a", bytesOf("second"));
      await refuses("VERSION_MISMATCH", "a", () => store.get("a", { ifMatch: version }));
    },
  },
  {
    name: "getRanges answers in the order asked for, overlapping and empty ranges too",
    async run(store) {
      const bytes = pattern(500_000);
      await store.put("a", bytes);
      const ranges = [
        { offset: 400_000, length: 1000 },
        { offset: 0, length: 10 },
        { offset: 5, length: 20 },
        { offset: 100, length: 0 },
        { offset: 499_999, length: 1 },
        { offset: 150_000, length: 100_000 },
      ];
      for (const gapBytes of [0, 1000, 10_000_000]) {
        const parts = await store.getRanges("a", ranges, { gapBytes });
        assert.equal(parts.length, ranges.length);
        for (const [index, { offset, length }] of ranges.entries()) {
          assertBytes(parts[index] as Uint8Array, bytes.subarray(offset, offset + length));
        }
      }
    },
  },
  {
    name: "getRanges beyond the end is INVALID_RANGE, and no range is none",
    async run(store) {
      await store.put("a", bytesOf("0123456789"));
      await refuses("INVALID_RANGE", "a", () => store.getRanges("a", [{ offset: 8, length: 3 }]));
      await refuses("INVALID_ARGUMENT", undefined, () => store.getRanges("a", [{ offset: -1, length: 3 }]));
      assert.deepEqual(await store.getRanges("a", []), []);
    },
  },
  {
    name: "promise 2: a read after a write sees it",
    async run(store) {
      for (let round = 0; round < 10; round++) {
        await store.put("a", bytesOf(`round ${round}`));
        assert.equal(await textAt(store, "a"), `round ${round}`);
        await store.delete("a");
        assert.equal(await store.head("a"), undefined);
      }
    },
  },
];

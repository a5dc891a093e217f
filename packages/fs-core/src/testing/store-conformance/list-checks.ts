import assert from "node:assert/strict";
import type { ObjectStore } from "../../object-store/object-store.ts";
import { bytesOf, collect, namesOf, refuses, type StoreCheck } from "./store-check.ts";

/** `list`. */
export const listChecks: readonly StoreCheck[] = [
  {
    name: "an empty store lists nothing",
    async run(store) {
      assert.deepEqual(await collect(store.list()), []);
      assert.deepEqual(await collect(store.list({ prefix: "no/", delimiter: "/" })), []);
    },
  },
  {
    name: "list tells key, size, version and time",
    async run(store) {
      const { version } = await store.put("a/b", bytesOf("12345"));
      const [entry, ...others] = await collect(store.list());
      assert.deepEqual(others, []);
      assert.ok(entry?.kind === "object");
      assert.equal(entry.key, "a/b");
      assert.equal(entry.size, 5);
      assert.equal(entry.version, version);
      assert.ok(entry.lastModifiedMs > 1_500_000_000_000);
    },
  },
  {
    name: "list is in order of UTF-8 bytes",
    unless: (store) => !store.capabilities.orderedList,
    async run(store) {
      const keys = ["a", "B", "a-", "a.b", "aa", "é", "z", "日", "\uffee", "😀", "0", "a/b"];
      const wanted = keys
        .filter((key) => store.capabilities.nestedKeys || key !== "a/b")
        .toSorted((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
      await putAll(store, wanted.toReversed());
      assert.deepEqual(await namesOf(store, store.list()), wanted);
    },
  },
  {
    name: "a prefix is any text",
    async run(store) {
      await putAll(store, ["log/a1", "log/a2", "log/b", "logs/a", "other"]);
      assert.deepEqual(await namesOf(store, store.list({ prefix: "log/" })), ["log/a1", "log/a2", "log/b"]);
      assert.deepEqual(await namesOf(store, store.list({ prefix: "log/a" })), ["log/a1", "log/a2"]);
      assert.deepEqual(await namesOf(store, store.list({ prefix: "log" })), ["log/a1", "log/a2", "log/b", "logs/a"]);
      assert.deepEqual(await namesOf(store, store.list({ prefix: "log/a1" })), ["log/a1"]);
      assert.deepEqual(await namesOf(store, store.list({ prefix: "log/a1/" })), []);
    },
  },
  {
    name: "a delimiter shows folders once",
    async run(store) {
      await putAll(store, ["x/1", "x/2", "x/deep/3", "y/1", "top"]);
      assert.deepEqual(await namesOf(store, store.list({ delimiter: "/" })), ["top", "x/", "y/"]);
      assert.deepEqual(await namesOf(store, store.list({ prefix: "x/", delimiter: "/" })), ["x/1", "x/2", "x/deep/"]);
    },
  },
  {
    name: "startAfter begins after a key, there or not",
    async run(store) {
      await putAll(store, ["a", "b", "c", "d"]);
      assert.deepEqual(await namesOf(store, store.list({ startAfter: "b" })), ["c", "d"]);
      assert.deepEqual(await namesOf(store, store.list({ startAfter: "bb" })), ["c", "d"]);
      assert.deepEqual(await namesOf(store, store.list({ startAfter: "d" })), []);
      assert.deepEqual(await namesOf(store, store.list({ startAfter: "" })), ["a", "b", "c", "d"]);
    },
  },
  {
    name: "small pages give the same listing, with and without folders",
    async run(store) {
      const keys = Array.from({ length: 17 }, (_, index) => `p/${String.fromCharCode(97 + (index % 5))}/${index}`);
      await putAll(store, [...keys, "p/a-file", "p/z"]);
      const all = [...keys, "p/a-file", "p/z"].toSorted();
      for (const pageSize of [1, 2, 7, 1000]) {
        assert.deepEqual(await namesOf(store, store.list({ prefix: "p/", pageSize })), all);
        assert.deepEqual(await namesOf(store, store.list({ prefix: "p/", delimiter: "/", pageSize })), [
          "p/a-file",
          "p/a/",
          "p/b/",
          "p/c/",
          "p/d/",
          "p/e/",
          "p/z",
        ]);
      }
    },
  },
  {
    name: "2500 keys come in pages, each once",
    isLong: true,
    async run(store) {
      const keys = Array.from({ length: 2500 }, (_, index) => `many/${String(index).padStart(6, "0")}`);
      for (let at = 0; at < keys.length; at += 50) await putAll(store, keys.slice(at, at + 50));
      assert.deepEqual(await namesOf(store, store.list({ prefix: "many/" })), keys);
      const middle = keys[1234] as string;
      assert.deepEqual(await namesOf(store, store.list({ prefix: "many/", startAfter: middle })), keys.slice(1235));
      assert.deepEqual(await store.deleteMany(keys), []);
      assert.deepEqual(await collect(store.list()), []);
    },
  },
  {
    name: "a listing that is left early leaves the store usable",
    async run(store) {
      await putAll(store, ["a", "b", "c"]);
      for await (const entry of store.list({ pageSize: 1 })) {
        assert.equal(entry.kind, "object");
        break;
      }
      assert.equal((await collect(store.list())).length, 3);
    },
  },
  {
    name: "wrong options of a listing are refused",
    async run(store) {
      for (const options of [{ pageSize: 0 }, { pageSize: 1001 }, { delimiter: "-" as "/" }]) {
        await refuses("INVALID_ARGUMENT", undefined, async () => collect(store.list(options)));
      }
      await refuses("INVALID_KEY", undefined, async () => collect(store.list({ prefix: "../" })));
    },
  },
  {
    name: "objects with all kinds of names are listed under their names",
    async run(store) {
      const keys = ["a b", "a+b", "a%20b", "a&b=c", "a;b", "é/ü", "日本/語", "😀", "#x", "~t", "(a)'b'!"];
      await putAll(store, keys);
      assert.deepEqual((await namesOf(store, store.list())).toSorted(), keys.toSorted());
    },
  },
];

async function putAll(store: ObjectStore, keys: readonly string[]): Promise<void> {
  await Promise.all(keys.map((key) => store.put(key, bytesOf(key))));
}

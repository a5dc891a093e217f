import assert from "node:assert/strict";
import { hostilePaths, unusualNames } from "../conformance/path-checks.ts";
import { bytesOf, collect, refuses, type StoreCheck, textAt } from "./store-check.ts";

/** Keys that no store can hold exactly, or that no other could be given. */
export const hostileKeys: readonly string[] = ["", ...hostilePaths];

/** Keys whose requests are easily built wrong; every store holds them. */
export const oddKeys: readonly string[] = [
  ...unusualNames,
  "a b/c d",
  "plus+plus",
  "100%",
  "%41",
  "a%2Fb",
  "what&how=this",
  "semi;colon,comma",
  "hash#tag",
  "at@sign$",
  "dots..inside",
  "~tilde",
  "deep/".repeat(60) + "leaf",
];

/** Promise 8. */
export const keyChecks: readonly StoreCheck[] = [
  {
    name: "promise 8: hostile keys are refused by every call that would create",
    async run(store) {
      await store.put("from", bytesOf("x"));
      for (const key of hostileKeys) {
        await refuses("INVALID_KEY", undefined, () => store.put(key, bytesOf("x")));
        await refuses("INVALID_KEY", undefined, () => store.putStream(key, []));
        await refuses("INVALID_KEY", undefined, async () => store.createWriter(key));
        await refuses("INVALID_KEY", undefined, () => store.copy("from", key));
      }
      assert.equal((await collect(store.list())).length, 1, "nothing was created");
    },
  },
  {
    name: "promise 8: keys that reach another object are refused by every call that reads or deletes",
    async run(store) {
      for (const key of [
        "",
        "..",
        "a/../b",
        "/a",
        "a//b",
        "a/",
        "./a",
        "a\0",
        "a\nb",
        "\ud800",
        "a\\b",
        "x".repeat(1025),
      ]) {
        await refuses("INVALID_KEY", undefined, () => store.get(key));
        await refuses("INVALID_KEY", undefined, () => store.head(key));
        await refuses("INVALID_KEY", undefined, () => store.getRanges(key, []));
        await refuses("INVALID_KEY", undefined, () => store.delete(key));
        await refuses("INVALID_KEY", undefined, () => store.copy(key, "to"));
      }
    },
  },
  {
    name: "promise 8: odd keys are each their own object",
    async run(store) {
      for (const key of oddKeys) await store.put(key, bytesOf(key), { ifAbsent: true });
      for (const key of oddKeys) {
        assert.equal(await textAt(store, key), key);
        assert.equal((await store.head(key))?.key, key);
      }
      await store.copy(oddKeys[4] as string, "a b/100% + copy");
      assert.equal(await textAt(store, "a b/100% + copy"), oddKeys[4]);
      assert.deepEqual(await store.deleteMany([...oddKeys, "a b/100% + copy"]), []);
      assert.deepEqual(await collect(store.list()), []);
    },
  },
  {
    name: "promise 8: keys that differ in case are two objects",
    async run(store) {
      await store.put("Key", bytesOf("upper"));
      await store.put("key", bytesOf("lower"));
      assert.equal(await textAt(store, "Key"), "upper");
      assert.equal(await textAt(store, "key"), "lower");
    },
  },
  {
    name: "promise 8: a key beside keys below it, or KEY_CONFLICT",
    async run(store) {
      await store.put("a/b", bytesOf("below"));
      if (store.capabilities.nestedKeys) {
        await store.put("a", bytesOf("above"));
        assert.equal(await textAt(store, "a"), "above");
      } else {
        await refuses("KEY_CONFLICT", "a", () => store.put("a", bytesOf("above")));
        await refuses("KEY_CONFLICT", "a/b/c", () => store.put("a/b/c", bytesOf("below")));
        assert.equal(await store.head("a"), undefined);
        assert.equal(await store.head("a/b/c"), undefined);
      }
      assert.equal(await textAt(store, "a/b"), "below");
    },
  },
  {
    name: "promise 8: what is a folder is no object",
    async run(store) {
      await store.put("folder/a", bytesOf("x"));
      assert.equal(await store.head("folder"), undefined);
      await refuses("NOT_FOUND", "folder", () => store.get("folder"));
      await store.delete("folder");
      assert.equal(await textAt(store, "folder/a"), "x");
    },
  },
];

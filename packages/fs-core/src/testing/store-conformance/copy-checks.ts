import assert from "node:assert/strict";
import { isStoreError } from "../../object-store/store-error.ts";
import { assertBytes, bytesOf, collect, pattern, raceOf, refuses, type StoreCheck, textAt } from "./store-check.ts";

/** Copies, renames, deletions. */
export const copyChecks: readonly StoreCheck[] = [
  {
    name: "copy takes bytes, metadata and checksum along, under a put id of its own",
    async run(store) {
      const bytes = pattern(5000);
      const source = await store.put("from", bytes, { metadata: { one: "é" }, contentType: "text/x" });
      const copy = await store.copy("from", "to");
      assert.equal(copy.size, 5000);
      assert.equal(copy.checksum, source.checksum);
      assert.notEqual(copy.putId, source.putId);
      const info = await store.head("to");
      assert.equal(info?.version, copy.version);
      assert.equal(info?.putId, copy.putId);
      assert.equal(info?.metadata["one"], "é");
      assert.equal(info?.contentType, "text/x");
      assertBytes(await (await store.get("to")).bytes(), bytes);
      assertBytes(await (await store.get("from")).bytes(), bytes);
    },
  },
  {
    name: "copy of what is not there is NOT_FOUND",
    async run(store) {
      await refuses("NOT_FOUND", "from", () => store.copy("from", "to"));
      assert.equal(await store.head("to"), undefined);
    },
  },
  {
    name: "copy with ifSourceMatch copies that version only",
    async run(store) {
      const { version } = await store.put("from", bytesOf("first"));
      await store.copy("from", "to", { ifSourceMatch: version });
      await store.put("from", bytesOf("second"));
      await refuses("VERSION_MISMATCH", "from", () => store.copy("from", "to", { ifSourceMatch: version }));
      assert.equal(await textAt(store, "to"), "first");
    },
  },
  {
    name: "promise 3: copy with ifAbsent does not replace, and of 10 one wins",
    async run(store) {
      await store.put("from", bytesOf("source"));
      if (!store.capabilities.copyIfAbsent) {
        await refuses("UNSUPPORTED", undefined, () => store.copy("from", "to", { ifAbsent: true }));
        return;
      }
      const race = Array.from({ length: 10 }, () => store.copy("from", "to", { ifAbsent: true }));
      const { won, lost } = raceOf(await Promise.allSettled(race));
      assert.equal(won.length, 1);
      for (const error of lost) assert.ok(isStoreError(error) && error.code === "ALREADY_EXISTS", String(error));
      assert.equal((await store.head("to"))?.putId, won[0]?.putId);
      await refuses("ALREADY_EXISTS", "to", () => store.copy("from", "to", { ifAbsent: true }));
    },
  },
  {
    name: "copy replaces without a condition, onto itself too",
    async run(store) {
      await store.put("from", bytesOf("source"));
      await store.put("to", bytesOf("old"));
      await store.copy("from", "to");
      assert.equal(await textAt(store, "to"), "source");
      await store.copy("to", "to");
      assert.equal(await textAt(store, "to"), "source");
    },
  },
  {
    name: "rename moves in one step, or is UNSUPPORTED",
    async run(store) {
      const { putId } = await store.put("from", bytesOf("source"));
      if (!store.capabilities.rename) {
        await refuses("UNSUPPORTED", "from", () => store.rename("from", "to"));
        assert.equal(await textAt(store, "from"), "source");
        return;
      }
      await store.rename("from", "to");
      assert.equal(await store.head("from"), undefined);
      assert.equal(await textAt(store, "to"), "source");
      assert.equal((await store.head("to"))?.putId, putId);
      await refuses("NOT_FOUND", "to", () => store.rename("from", "to"));
    },
  },
  {
    name: "rename with ifAbsent does not replace; without, it does",
    unless: (store) => !store.capabilities.rename,
    async run(store) {
      await store.put("from", bytesOf("source"));
      await store.put("to", bytesOf("old"));
      await refuses("ALREADY_EXISTS", "to", () => store.rename("from", "to", { ifAbsent: true }));
      assert.equal(await textAt(store, "from"), "source");
      assert.equal(await textAt(store, "to"), "old");
      await store.rename("from", "to");
      assert.equal(await textAt(store, "to"), "source");
    },
  },
  {
    name: "delete is idempotent",
    async run(store) {
      await store.put("a", bytesOf("x"));
      await store.delete("a");
      await store.delete("a");
      await store.delete("never/was");
      assert.equal(await store.head("a"), undefined);
    },
  },
  {
    name: "delete with ifMatch deletes that version only",
    async run(store) {
      if (!store.capabilities.deleteIfMatch) {
        await refuses("UNSUPPORTED", undefined, () => store.delete("a", { ifMatch: "v" }));
        return;
      }
      const first = await store.put("a", bytesOf("first"));
      const second = await store.put("a", bytesOf("second"));
      await refuses("VERSION_MISMATCH", "a", () => store.delete("a", { ifMatch: first.version }));
      assert.equal(await textAt(store, "a"), "second");
      await store.delete("a", { ifMatch: second.version });
      assert.equal(await store.head("a"), undefined);
      await refuses(["VERSION_MISMATCH", "NOT_FOUND"], "a", () => store.delete("a", { ifMatch: second.version }));
    },
  },
  {
    name: "deleteMany deletes all, absent ones and repeats too, and tells of keys that are none",
    async run(store) {
      const keys = Array.from({ length: 30 }, (_, index) => `d/${index}`);
      await Promise.all(keys.map((key) => store.put(key, bytesOf(key))));
      await store.put("kept", bytesOf("kept"));
      const failures = await store.deleteMany([...keys, "d/0", "absent", "../x"]);
      assert.deepEqual(
        failures.map(({ key }) => key),
        ["../x"],
      );
      const left = await collect(store.list());
      assert.deepEqual(
        left.map((entry) => (entry.kind === "object" ? entry.key : entry.prefix)),
        ["kept"],
      );
      assert.deepEqual(await store.deleteMany([]), []);
    },
  },
];

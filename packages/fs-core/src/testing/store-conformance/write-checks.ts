import assert from "node:assert/strict";
import { crc64Nvme } from "../../checksum/crc64-nvme.ts";
import { isStoreError } from "../../object-store/store-error.ts";
import { assertBytes, bytesOf, pattern, raceOf, refuses, type StoreCheck, textAt } from "./store-check.ts";

const creators = 20;

/** `put` and its conditions. */
export const writeChecks: readonly StoreCheck[] = [
  {
    name: "put stores bytes and says what it stored",
    async run(store) {
      const bytes = pattern(10_000);
      const result = await store.put("a/b", bytes);
      assert.equal(result.key, "a/b");
      assert.equal(result.size, 10_000);
      assert.equal(result.checksum, crc64Nvme(bytes));
      assert.match(result.putId, /^[0-9a-f]{32}$/);
      assertBytes(await (await store.get("a/b")).bytes(), bytes);
      assert.equal((await store.head("a/b"))?.version, result.version);
    },
  },
  {
    name: "an object may be empty",
    async run(store) {
      const result = await store.put("empty", new Uint8Array(0));
      assert.equal(result.size, 0);
      assert.equal((await store.head("empty"))?.size, 0);
      assertBytes(await (await store.get("empty")).bytes(), new Uint8Array(0));
    },
  },
  {
    name: "put takes views of larger memory, also shared",
    async run(store) {
      const shared = new Uint8Array(new SharedArrayBuffer(100));
      shared.set(pattern(100));
      await store.put("view", new Uint8Array(pattern(100).buffer, 10, 50));
      await store.put("shared", shared.subarray(10, 60));
      assertBytes(await (await store.get("view")).bytes(), pattern(100).subarray(10, 60));
      assertBytes(await (await store.get("shared")).bytes(), pattern(100).slice(10, 60));
    },
  },
  {
    name: "put replaces, and the version changes",
    async run(store) {
      const first = await store.put("a", bytesOf("first"));
      const second = await store.put("a", bytesOf("second"));
      assert.notEqual(first.version, second.version);
      assert.equal(await textAt(store, "a"), "second");
    },
  },
  {
    name: "capabilities.uniqueVersions: equal bytes, another version",
    unless: (store) => !store.capabilities.uniqueVersions,
    async run(store) {
      const first = await store.put("a", bytesOf("same"));
      const second = await store.put("a", bytesOf("same"));
      assert.notEqual(first.version, second.version);
    },
  },
  {
    name: "metadata and content type come back, any text in any script",
    async run(store) {
      const metadata = {
        plain: "value",
        empty: "",
        spaces: "  two  ",
        unicode: "日本語 é 😀",
        percent: "100%25 %zz",
        line: "a\nb",
      };
      await store.put("a", bytesOf("x"), { metadata, contentType: "application/x-varve; v=1" });
      const info = await store.head("a");
      assert.deepEqual({ ...info?.metadata }, metadata);
      assert.equal(info?.contentType, "application/x-varve; v=1");
      const body = await store.get("a");
      assert.deepEqual({ ...body.info.metadata }, metadata);
      await body.cancel();
    },
  },
  {
    name: "the put id and the checksum come back",
    async run(store) {
      const putId = "0123456789abcdef0123456789abcdef";
      await store.put("a", bytesOf("x"), { putId });
      const info = await store.head("a");
      assert.equal(info?.putId, putId);
      assert.equal(info?.checksum, crc64Nvme(bytesOf("x")));
    },
  },
  {
    name: "a checksum that does not fit is CORRUPT, and nothing is stored",
    async run(store) {
      await refuses("CORRUPT", "a", () => store.put("a", bytesOf("x"), { checksum: 1n }));
      assert.equal(await store.head("a"), undefined);
    },
  },
  {
    name: "wrong options are refused together, before anything is sent",
    async run(store) {
      await assert.rejects(
        store.put("a", bytesOf("x"), {
          ifAbsent: true,
          ifMatch: "v",
          metadata: { "Not-A-Name": "x", varveown: "x" },
          putId: "short",
          checksum: -1n,
        }),
        (error) => {
          assert.ok(isStoreError(error));
          assert.equal(error.code, "INVALID_ARGUMENT");
          for (const word of ["exclude", "Not-A-Name", "varveown", "putId", "checksum"]) {
            assert.ok(error.message.includes(word), `${word} in: ${error.message}`);
          }
          return true;
        },
      );
      assert.equal(await store.head("a"), undefined);
    },
  },
  {
    name: "metadata beyond the store's limit is refused",
    async run(store) {
      const metadata = { long: "x".repeat(store.capabilities.limits.metadataBytesMax) };
      await refuses("INVALID_ARGUMENT", undefined, () => store.put("a", bytesOf("x"), { metadata }));
      assert.equal(await store.head("a"), undefined);
    },
  },
  {
    name: "promise 3: ifAbsent creates once",
    async run(store) {
      await store.put("a", bytesOf("first"), { ifAbsent: true });
      await refuses("ALREADY_EXISTS", "a", () => store.put("a", bytesOf("second"), { ifAbsent: true }));
      assert.equal(await textAt(store, "a"), "first");
    },
  },
  {
    name: "promise 3: of 20 creators one wins, and its bytes stay",
    async run(store) {
      const results = await Promise.allSettled(
        Array.from({ length: creators }, (_, index) => store.put("a", bytesOf(`creator ${index}`), { ifAbsent: true })),
      );
      const { won, lost } = raceOf(results);
      assert.equal(won.length, 1);
      for (const error of lost) assert.ok(isStoreError(error) && error.code === "ALREADY_EXISTS", String(error));
      assert.equal((await store.head("a"))?.putId, won[0]?.putId);
      const winner = results.findIndex((result) => result.status === "fulfilled");
      assert.equal(await textAt(store, "a"), `creator ${winner}`);
    },
  },
  {
    name: "promise 3: a key is free again after a delete",
    async run(store) {
      await store.put("a", bytesOf("first"), { ifAbsent: true });
      await store.delete("a");
      await store.put("a", bytesOf("second"), { ifAbsent: true });
      assert.equal(await textAt(store, "a"), "second");
    },
  },
  {
    name: "promise 4: ifMatch replaces the version it names, and no other",
    async run(store) {
      if (!store.capabilities.putIfMatch) {
        await refuses("UNSUPPORTED", undefined, () => store.put("a", bytesOf("x"), { ifMatch: "v" }));
        return;
      }
      const first = await store.put("a", bytesOf("first"));
      const second = await store.put("a", bytesOf("second"), { ifMatch: first.version });
      await refuses("VERSION_MISMATCH", "a", () => store.put("a", bytesOf("third"), { ifMatch: first.version }));
      assert.equal(await textAt(store, "a"), "second");
      await store.put("a", bytesOf("third"), { ifMatch: second.version });
      assert.equal(await textAt(store, "a"), "third");
    },
  },
  {
    name: "promise 4: ifMatch of what is gone is VERSION_MISMATCH",
    unless: (store) => !store.capabilities.putIfMatch,
    async run(store) {
      const { version } = await store.put("a", bytesOf("first"));
      await store.delete("a");
      await refuses("VERSION_MISMATCH", "a", () => store.put("a", bytesOf("second"), { ifMatch: version }));
      assert.equal(await store.head("a"), undefined);
    },
  },
  {
    name: "promise 4: of 20 successors one wins",
    unless: (store) => !store.capabilities.putIfMatch,
    async run(store) {
      const { version } = await store.put("a", bytesOf("first"));
      const { won, lost } = raceOf(
        await Promise.allSettled(
          Array.from({ length: creators }, (_, index) =>
            store.put("a", bytesOf(`successor ${index}`), { ifMatch: version }),
          ),
        ),
      );
      assert.equal(won.length, 1);
      for (const error of lost) assert.ok(isStoreError(error) && error.code === "VERSION_MISMATCH", String(error));
      assert.equal((await store.head("a"))?.putId, won[0]?.putId);
    },
  },
  {
    name: "promise 4: a counter under compare-and-swap loses no increment",
    unless: (store) => !store.capabilities.putIfMatch,
    async run(store) {
      await store.put("counter", bytesOf("0"));
      const increment = async (): Promise<void> => {
        for (;;) {
          const body = await store.get("counter");
          const value = Number(new TextDecoder().decode(await body.bytes()));
          try {
            await store.put("counter", bytesOf(String(value + 1)), { ifMatch: body.info.version });
            return;
          } catch (error) {
            if (!isStoreError(error) || error.code !== "VERSION_MISMATCH") throw error;
          }
        }
      };
      await Promise.all(Array.from({ length: 6 }, increment));
      assert.equal(await textAt(store, "counter"), "6");
    },
  },
  {
    name: "promise 1: a reader sees the old object or the new one, whole",
    async run(store) {
      const size = 200_000;
      await store.put("a", new Uint8Array(size).fill(0));
      const writing = (async (): Promise<void> => {
        for (let round = 1; round <= 8; round++) await store.put("a", new Uint8Array(size).fill(round));
      })();
      let isWriting = true;
      void writing.finally(() => {
        isWriting = false;
      });
      do {
        try {
          const bytes = await (await store.get("a")).bytes();
          assert.ok(
            bytes.every((byte) => byte === bytes[0]),
            "one version",
          );
        } catch (error) {
          assert.ok(isStoreError(error) && error.code === "VERSION_MISMATCH", String(error));
        }
      } while (isWriting);
      await writing;
    },
  },
];

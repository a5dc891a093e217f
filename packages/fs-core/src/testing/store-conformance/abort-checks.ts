import assert from "node:assert/strict";
import { bytesOf, collect, partSizes, pattern, refuses, type StoreCheck } from "./store-check.ts";

/** Signals, deadlines, closing, and the probe. */
export const abortChecks: readonly StoreCheck[] = [
  {
    name: "url and scheme say which store it is",
    async run(store) {
      assert.match(store.url, /^[a-z][a-z0-9+.-]*:\/\/[^?#@]+$/);
      assert.ok(["file", "memory", "s3", "az", "gs"].includes(store.scheme), store.scheme);
    },
  },
  {
    name: "promise 9: a signal that fired already stops every call before it begins",
    async run(store) {
      const signal = AbortSignal.abort();
      await store.put("a", bytesOf("x"));
      const calls: readonly (() => Promise<unknown>)[] = [
        () => store.get("a", { signal }),
        () => store.getRanges("a", [{ offset: 0, length: 1 }], { signal }),
        () => store.head("a", { signal }),
        () => store.put("b", bytesOf("y"), { signal }),
        () => store.putStream("b", [bytesOf("y")], { signal }),
        () => store.copy("a", "b", { signal }),
        () => store.delete("a", { signal }),
        () => store.deleteMany(["a"], { signal }),
        () => collect(store.list({ signal })),
      ];
      for (const call of calls) await refuses("ABORTED", undefined, call);
      assert.equal(await store.head("b"), undefined);
      assert.equal((await store.head("a"))?.size, 1);
    },
  },
  {
    name: "promise 9: a signal during an upload leaves no object and no upload",
    async run(store) {
      const { partBytes } = partSizes(store);
      const stop = new AbortController();
      const source = (async function* (): AsyncGenerator<Uint8Array> {
        yield pattern(partBytes * 2 + 1);
        stop.abort(new Error("enough"));
        yield pattern(partBytes * 2 + 1);
      })();
      await refuses("ABORTED", "a", () => store.putStream("a", source, { partBytes, signal: stop.signal }));
      assert.equal(await store.head("a"), undefined);
      if (!store.capabilities.listUploads || !store.capabilities.abortUploads) return;
      // The upload is dropped behind the caller's back; closing waits for it, a listing may be faster.
      for (let look = 0; (await collect(store.listIncompleteUploads())).length > 0; look++) {
        assert.ok(look < 1000, "the upload stays");
      }
    },
  },
  {
    name: "promise 9: a signal during a body ends it",
    async run(store) {
      await store.put("a", pattern(2_000_000));
      const stop = new AbortController();
      const body = await store.get("a", { signal: stop.signal });
      const read = async (): Promise<void> => {
        for await (const _chunk of body) stop.abort();
      };
      await refuses("ABORTED", "a", read);
      assert.equal((await store.head("a"))?.size, 2_000_000);
    },
  },
  {
    name: "promise 9: a deadline that makes no sense is refused",
    async run(store) {
      for (const timeoutMs of [0, -1, 1.5, Number.NaN]) {
        await refuses("INVALID_ARGUMENT", undefined, () => store.head("a", { timeoutMs }));
      }
    },
  },
  {
    name: "a closed store refuses everything, and closing twice is fine",
    async run(store) {
      await store.put("a", bytesOf("x"));
      await store.close();
      await store.close();
      await refuses("CLOSED", undefined, () => store.get("a"));
      await refuses("CLOSED", undefined, () => store.put("b", bytesOf("y")));
      await refuses("CLOSED", undefined, async () => collect(store.list()));
      await refuses("CLOSED", undefined, () => store.probe());
    },
  },
  {
    name: "closing ends open bodies and writers",
    async run(store) {
      const { partBytes } = partSizes(store);
      await store.put("a", pattern(1_000_000));
      const body = await store.get("a");
      const writer = store.createWriter("b", { partBytes });
      await writer.write(pattern(partBytes * 2));
      await store.close();
      await refuses("CLOSED", "b", () => writer.commit());
      await refuses("CLOSED", "a", () => body.bytes());
    },
  },
  {
    name: "probe finds that what capabilities promise is kept, and leaves nothing behind",
    async run(store) {
      const report = await store.probe();
      const { putIfAbsent, completeIfAbsent, copyIfAbsent, putIfMatch, deleteIfMatch } = store.capabilities;
      const { completeIfMatch = putIfMatch } = store.capabilities;
      const wanted = (isPromised: boolean): string => (isPromised ? "enforced" : "unsupported");
      assert.equal(report.putIfAbsent, wanted(putIfAbsent), report.notes.join("; "));
      assert.equal(report.completeIfAbsent, wanted(completeIfAbsent), report.notes.join("; "));
      assert.equal(report.copyIfAbsent, wanted(copyIfAbsent), report.notes.join("; "));
      assert.equal(report.putIfMatch, wanted(putIfMatch), report.notes.join("; "));
      assert.equal(report.completeIfMatch, wanted(completeIfMatch), report.notes.join("; "));
      assert.equal(report.deleteIfMatch, wanted(deleteIfMatch), report.notes.join("; "));
      assert.equal(report.checksum, wanted(store.capabilities.checksum !== "none"), report.notes.join("; "));
      assert.equal(report.metadata, "kept");
      assert.equal(report.mode, "fenced");
      assert.deepEqual(await collect(store.list()), []);
    },
  },
];

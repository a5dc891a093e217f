import assert from "node:assert/strict";
import { crc64Nvme } from "../../checksum/crc64-nvme.ts";
import { MemoryFileSystem } from "../../file-system/memory-file-system.ts";
import type { ObjectStore } from "../../object-store/object-store.ts";
import { isStoreError } from "../../object-store/store-error.ts";
import { assertBytes, bytesOf, collect, partSizes, pattern, raceOf, refuses, type StoreCheck } from "./store-check.ts";

/** Streams, files and writers: what is sent in parts. */
export const uploadChecks: readonly StoreCheck[] = [
  {
    name: "putStream of many small pieces, in parts",
    async run(store) {
      const { partBytes } = partSizes(store);
      const bytes = pattern(partBytes * 2 + 777);
      const result = await store.putStream("a", piecesOf(bytes, 99_991), { partBytes });
      assert.equal(result.size, bytes.byteLength);
      assert.equal(result.checksum, crc64Nvme(bytes));
      const body = await store.get("a");
      assert.equal(body.info.version, result.version);
      assert.equal(body.info.putId, result.putId);
      assertBytes(await body.bytes(), bytes);
    },
  },
  {
    name: "putStream of exactly whole parts",
    async run(store) {
      const { partBytes } = partSizes(store);
      const bytes = pattern(partBytes * 2);
      await store.putStream("a", [bytes], { partBytes });
      assertBytes(await (await store.get("a")).bytes(), bytes);
    },
  },
  {
    name: "putStream of nothing is an empty object",
    async run(store) {
      assert.equal((await store.putStream("a", [])).size, 0);
      assert.equal((await store.head("a"))?.size, 0);
    },
  },
  {
    name: "metadata goes with an upload in parts",
    async run(store) {
      const { partBytes, aboveOnePart } = partSizes(store);
      await store.putStream("a", [pattern(aboveOnePart)], { partBytes, metadata: { one: "é" }, contentType: "text/x" });
      const info = await store.head("a");
      assert.equal(info?.metadata["one"], "é");
      assert.equal(info?.contentType, "text/x");
    },
  },
  {
    name: "putFile sends a file, small or in parts",
    async run(store) {
      const { partBytes, aboveOnePart } = partSizes(store);
      const fileSystem = new MemoryFileSystem();
      for (const size of [0, 10, aboveOnePart]) {
        const bytes = pattern(size);
        await using file = await fileSystem.createFile(`file-${size}`);
        await file.writeAt(0, bytes);
        const progress: number[] = [];
        const result = await store.putFile(
          `a-${size}`,
          { fileSystem, path: `file-${size}` },
          {
            partBytes,
            onProgress: ({ sentBytes, totalBytes }) => {
              assert.equal(totalBytes, size);
              progress.push(sentBytes);
            },
          },
        );
        assert.equal(result.checksum, crc64Nvme(bytes));
        assert.equal(progress.at(-1), size);
        assertBytes(await (await store.get(`a-${size}`)).bytes(), bytes);
      }
    },
  },
  {
    name: "a writer shows nothing before commit, all after",
    async run(store) {
      const { partBytes } = partSizes(store);
      const bytes = pattern(partBytes * 2 + 5);
      const writer = store.createWriter("a", { partBytes });
      for (const piece of piecesOf(bytes, partBytes)) {
        await writer.write(piece);
        assert.equal(await store.head("a"), undefined);
      }
      assert.equal(writer.size, bytes.byteLength);
      assert.deepEqual(await collect(store.list()), []);
      const { version } = await writer.commit();
      assert.equal((await store.head("a"))?.version, version);
      assertBytes(await (await store.get("a")).bytes(), bytes);
    },
  },
  {
    name: "a writer's memory is the caller's again when write resolves",
    async run(store) {
      const { partBytes } = partSizes(store);
      const writer = store.createWriter("a", { partBytes });
      const buffer = new Uint8Array(10_000);
      const rounds = Math.ceil((partBytes * 2.5) / buffer.byteLength);
      for (let round = 0; round < rounds; round++) await writer.write(buffer.fill(round % 251));
      await writer.commit();
      const bytes = await (await store.get("a")).bytes();
      for (let round = 0; round < rounds; round++) assert.equal(bytes[round * 10_000 + 5], round % 251);
    },
  },
  {
    name: "an aborted writer leaves no object and no upload",
    async run(store) {
      const { partBytes } = partSizes(store);
      const writer = store.createWriter("a", { partBytes });
      await writer.write(pattern(partBytes * 2 + 5));
      await writer.abort();
      await writer.abort();
      await refuses("CLOSED", "a", () => writer.write(bytesOf("x")));
      await refuses("CLOSED", "a", () => writer.commit());
      assert.equal(await store.head("a"), undefined);
      await assertNoUploads(store);
    },
  },
  {
    name: "a writer that is disposed without commit is aborted",
    async run(store) {
      const { partBytes } = partSizes(store);
      {
        await using writer = store.createWriter("a", { partBytes });
        await writer.write(pattern(partBytes * 2));
      }
      assert.equal(await store.head("a"), undefined);
      await assertNoUploads(store);
    },
  },
  {
    name: "a committed writer takes no more, and abort undoes nothing",
    async run(store) {
      const writer = store.createWriter("a");
      await writer.write(bytesOf("x"));
      await writer.commit();
      await refuses("CLOSED", "a", () => writer.write(bytesOf("y")));
      await refuses("CLOSED", "a", () => writer.commit());
      await writer.abort();
      assert.equal((await store.head("a"))?.size, 1);
    },
  },
  {
    name: "a source that fails leaves no object and no upload, and its error comes through",
    async run(store) {
      const { partBytes } = partSizes(store);
      const failure = new Error("the source broke");
      let isClosed = false;
      const source = (async function* (): AsyncGenerator<Uint8Array> {
        try {
          yield pattern(partBytes * 2 + 1);
          throw failure;
        } finally {
          isClosed = true;
        }
      })();
      await assert.rejects(store.putStream("a", source, { partBytes }), (error) => error === failure);
      assert.ok(isClosed, "the source is closed");
      assert.equal(await store.head("a"), undefined);
      await assertNoUploads(store);
    },
  },
  {
    name: "an upload with a checksum that does not fit is CORRUPT, and nothing is stored",
    async run(store) {
      const { partBytes, aboveOnePart } = partSizes(store);
      const upload = (): Promise<unknown> => store.putStream("a", [pattern(aboveOnePart)], { partBytes, checksum: 1n });
      await refuses("CORRUPT", "a", upload);
      assert.equal(await store.head("a"), undefined);
      await assertNoUploads(store);
    },
  },
  {
    name: "promise 3: an upload in parts with ifAbsent does not replace",
    async run(store) {
      const { partBytes, aboveOnePart } = partSizes(store);
      await store.put("a", bytesOf("first"));
      const upload = (): Promise<unknown> =>
        store.putStream("a", [pattern(aboveOnePart)], { partBytes, ifAbsent: true });
      await refuses(store.capabilities.completeIfAbsent ? "ALREADY_EXISTS" : "UNSUPPORTED", undefined, upload);
      assert.equal((await store.head("a"))?.size, 5);
      await assertNoUploads(store);
    },
  },
  {
    name: "promise 3: of 4 uploads in parts with ifAbsent one wins",
    unless: (store) => !store.capabilities.completeIfAbsent,
    async run(store) {
      const { partBytes, aboveOnePart } = partSizes(store);
      const results = await Promise.allSettled(
        [1, 2, 3, 4].map((seed) => store.putStream("a", [pattern(aboveOnePart, seed)], { partBytes, ifAbsent: true })),
      );
      const { won, lost } = raceOf(results);
      assert.equal(won.length, 1, lost.map(String).join("; "));
      for (const error of lost) {
        assert.ok(isStoreError(error) && ["ALREADY_EXISTS", "CONFLICT"].includes(error.code), String(error));
      }
      const seed = results.findIndex((result) => result.status === "fulfilled") + 1;
      assertBytes(await (await store.get("a")).bytes(), pattern(aboveOnePart, seed));
      await assertNoUploads(store);
    },
  },
  {
    name: "promise 4: an upload in parts with ifMatch replaces that version only",
    async run(store) {
      const { partBytes, aboveOnePart } = partSizes(store);
      const { putIfMatch, completeIfMatch = putIfMatch } = store.capabilities;
      const { version } = await store.put("a", bytesOf("first"));
      if (!completeIfMatch) {
        const upload = (): Promise<unknown> =>
          store.putStream("a", [pattern(aboveOnePart)], { partBytes, ifMatch: version });
        await refuses("UNSUPPORTED", undefined, upload);
        assert.equal((await store.head("a"))?.version, version);
        await assertNoUploads(store);
        return;
      }
      await store.putStream("a", [pattern(aboveOnePart)], { partBytes, ifMatch: version });
      await refuses("VERSION_MISMATCH", "a", () =>
        store.putStream("a", [pattern(aboveOnePart, 2)], { partBytes, ifMatch: version }),
      );
      assertBytes(await (await store.get("a")).bytes(), pattern(aboveOnePart));
    },
  },
  {
    name: "incomplete uploads are listed and can be dropped",
    unless: (store) => !store.capabilities.listUploads,
    async run(store) {
      const { driver } = store;
      const call = { signal: new AbortController().signal };
      const { partBytes } = partSizes(store);
      const bytes = pattern(partBytes);
      const put = { metadata: {}, contentType: "text/x", checksum: undefined };
      const uploadId = await driver.beginUpload("dir/a", put, call);
      const part = { number: 1, offset: 0, bytes, checksum: crc64Nvme(bytes), isLast: false };
      await driver.uploadPart("dir/a", uploadId, part, call);
      const [found, ...others] = await collect(store.listIncompleteUploads({ prefix: "dir/" }));
      assert.equal(found?.key, "dir/a");
      assert.deepEqual(others, []);
      assert.deepEqual(await collect(store.listIncompleteUploads({ prefix: "other/" })), []);
      if (!store.capabilities.abortUploads) {
        await refuses("UNSUPPORTED", "dir/a", () => store.abortIncompleteUpload({ key: "dir/a", uploadId }));
        return;
      }
      await store.abortIncompleteUpload({ key: "dir/a", uploadId });
      await store.abortIncompleteUpload({ key: "dir/a", uploadId });
      await assertNoUploads(store);
      assert.equal(await store.head("dir/a"), undefined);
    },
  },
  {
    name: "promise 9: parts in flight stay within concurrency",
    async run(store) {
      const { partBytes } = partSizes(store);
      const wrong = [0, 65, 1.5].map((concurrency) => store.putStream("a", [], { concurrency }));
      for (const upload of wrong) await refuses("INVALID_ARGUMENT", undefined, () => upload);
      const bytes = pattern(partBytes * 5 + 1);
      await store.putStream("a", [bytes], { partBytes, concurrency: 1 });
      await store.putStream("b", [bytes], { partBytes, concurrency: 8 });
      assertBytes(await (await store.get("b")).bytes(), bytes);
      assertBytes(await (await store.get("a")).bytes(), bytes);
    },
  },
];

function* piecesOf(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

/** Where the store can tell and forget. */
async function assertNoUploads(store: ObjectStore): Promise<void> {
  if (!store.capabilities.listUploads || !store.capabilities.abortUploads) return;
  assert.deepEqual(await collect(store.listIncompleteUploads()), []);
}

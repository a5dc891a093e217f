// Goal: the vendor's own client works against the server, in every operation that an object store needs.
// Method: @google-cloud/storage with its endpoint set to the server, nothing of it replaced; what it reports is
// compared with what the server holds.
import { EventEmitter } from "node:events";
import { buffer } from "node:stream/consumers";
import { type Bucket, Storage } from "@google-cloud/storage";
import { expect, test } from "vitest";
import type { GcsServer } from "@varve/cloud-servers";
import { withServer } from "./raw-http.ts";

// The client puts eleven listeners on one stream of its own in every longer download; Node warns from the tenth on.
EventEmitter.defaultMaxListeners = 20;

const mebibyte = 1024 * 1024;
const bytes = Buffer.from(Uint8Array.from({ length: 3 * mebibyte + 17 }, (_, at) => (at * 7 + (at >> 9)) & 0xff));

function bucketOf(server: GcsServer): Bucket {
  return new Storage({ apiEndpoint: server.url, projectId: "none", retryOptions: { autoRetry: false } }).bucket(
    "bucket",
  );
}
const stored = (server: GcsServer, nth: number = 0): Buffer =>
  Buffer.from(server.objects("bucket")[nth]?.bytes() ?? []);

test.for([
  ["in one request", { resumable: false }, "objects.insert.multipart"],
  ["resumable", { resumable: true }, "uploads.start"],
  ["resumable in chunks", { resumable: true, chunkSize: mebibyte }, "uploads.start"],
] as const)("save and download: %s", async ([, options, operation]) => {
  await withServer({}, async (server) => {
    const file = bucketOf(server).file("a/b c+d%/é");
    const metadata = { contentType: "a/b", metadata: { k: "v" } };
    await file.save(bytes, { ...options, metadata, validation: "crc32c" });
    expect(server.requests.map((request) => request.operation)).toContain(operation);
    expect(stored(server).equals(bytes)).toBe(true);
    expect(server.objects("bucket")).toMatchObject([{ name: "a/b c+d%/é", contentType: "a/b", metadata: { k: "v" } }]);
    const [downloaded] = await file.download({ validation: "crc32c" });
    expect(downloaded.equals(bytes)).toBe(true);
    const [shown] = await file.getMetadata();
    expect(shown).toMatchObject({ size: String(bytes.length), metageneration: "1", contentType: "a/b" });
    expect(shown.md5Hash).toBe(server.objects("bucket")[0]?.md5Hash);
  });
});

test("saves under a condition, one of several at once", async () => {
  await withServer({}, async (server) => {
    const bucket = bucketOf(server);
    for (const resumable of [false, true]) {
      const saves = Array.from({ length: 5 }, (_, nth) =>
        bucket.file(`n-${resumable}`).save(`writer ${nth}`, { resumable, preconditionOpts: { ifGenerationMatch: 0 } }),
      );
      const outcomes = await Promise.allSettled(saves);
      expect(outcomes.filter(({ status }) => status === "fulfilled").length).toBe(1);
      for (const outcome of outcomes) {
        if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: 412 });
      }
    }
  });
});

test("ranges", async () => {
  await withServer({}, async (server) => {
    const file = bucketOf(server).file("n");
    await file.save(bytes, { resumable: false });
    for (const [start, end] of [
      [0, 0],
      [5, 1000],
      [mebibyte, bytes.length - 1],
    ] as const) {
      const part = await buffer(file.createReadStream({ start, end, validation: false }));
      expect(part.equals(bytes.subarray(start, end + 1))).toBe(true);
    }
    const tail = await buffer(file.createReadStream({ start: bytes.length - 5 }));
    expect(tail.equals(bytes.subarray(-5))).toBe(true);
    await expect(buffer(file.createReadStream({ start: bytes.length }))).rejects.toMatchObject({ code: 416 });
  });
});

test("lists, in pages and by directory", async () => {
  await withServer({}, async (server) => {
    const bucket = bucketOf(server);
    for (const name of ["a/1", "a/2", "b/1", "c"]) await bucket.file(name).save(name, { resumable: false });
    const [all] = await bucket.getFiles();
    expect(all.map(({ name }) => name)).toEqual(["a/1", "a/2", "b/1", "c"]);
    const [first, next] = await bucket.getFiles({ maxResults: 3, autoPaginate: false });
    const [second, end] = await bucket.getFiles(next ?? {});
    expect([first.length, second.map(({ name }) => name), end]).toEqual([3, ["c"], null]);
    const [below] = await bucket.getFiles({ prefix: "a/", startOffset: "a/2" });
    expect(below.map(({ name }) => name)).toEqual(["a/2"]);
    const [files, , response] = await bucket.getFiles({ delimiter: "/", autoPaginate: false });
    expect(files.map(({ name }) => name)).toEqual(["c"]);
    expect(response).toMatchObject({ prefixes: ["a/", "b/"] });
  });
});

test("copies in several calls, moves, composes, patches, deletes", async () => {
  await withServer({ rewriteBytesPerCall: mebibyte }, async (server) => {
    const bucket = bucketOf(server);
    const file = bucket.file("a");
    await file.save(bytes, { resumable: false, metadata: { metadata: { k: "v" } } });
    await file.copy(bucket.file("b"));
    expect(server.requests.filter(({ operation }) => operation === "objects.rewrite").length).toBe(4);
    expect(stored(server, 1).equals(bytes)).toBe(true);
    expect(server.objects("bucket")[1]?.metadata).toEqual({ k: "v" });
    await bucket.file("b").moveFileAtomic("c", { preconditionOpts: { ifGenerationMatch: 0 } });
    expect(server.objects("bucket").map(({ name }) => name)).toEqual(["a", "c"]);
    await bucket.combine(["a", "c"], "d");
    expect(stored(server, 2).equals(Buffer.concat([bytes, bytes]))).toBe(true);
    await file.setMetadata({ metadata: { k: null, other: "x" }, contentType: "a/b" });
    expect(server.objects("bucket")[0]).toMatchObject({
      metageneration: "2",
      metadata: { other: "x" },
      contentType: "a/b",
    });
    const generation = server.objects("bucket")[0]?.generation ?? "";
    await expect(file.delete({ ifGenerationMatch: 1 })).rejects.toMatchObject({ code: 412 });
    await file.delete({ ifGenerationMatch: generation });
    expect(await file.exists()).toEqual([false]);
    await expect(file.download()).rejects.toMatchObject({ code: 404 });
    expect(await bucket.exists()).toEqual([true]);
  });
});

test("goes on with a chunked upload after faults", async () => {
  await withServer({}, async (server) => {
    const storage = new Storage({
      apiEndpoint: server.url,
      projectId: "none",
      retryOptions: { autoRetry: true, maxRetries: 3 },
    });
    const chunks = server.faults.add({
      operation: "uploads.put",
      nth: 2,
      action: { kind: "status", when: "after", status: 503 },
    });
    await storage
      .bucket("bucket")
      .file("n")
      .save(bytes, {
        resumable: true,
        chunkSize: mebibyte,
        preconditionOpts: { ifGenerationMatch: 0 },
      });
    expect(stored(server).equals(bytes)).toBe(true);
    expect(chunks.injected).toBe(1);
    expect(chunks.matched).toBeGreaterThanOrEqual(4);
  });
});

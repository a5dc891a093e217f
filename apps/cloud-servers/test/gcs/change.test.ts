// Goal: patches, deletes, copies, moves and compositions change what they should, whole, under their conditions.
// Method: raw requests against a server with two buckets; each refusal is followed by a look at what is there.
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { GcsServer } from "@varve/cloud-servers";
import { ManualClock } from "@varve/fs-core/testing";
import { otherGeneration, put, raw, type RawAnswer, related, withServer } from "./raw-http.ts";

const base = "/storage/v1/b/bucket/o";
const buckets = ["bucket", "other"];
const mebibyte = 1024 * 1024;

function contents(server: GcsServer, bucket: string = "bucket"): Record<string, string> {
  return Object.fromEntries(
    server.objects(bucket).map(({ name, bytes }) => [name, Buffer.from(bytes() ?? []).toString()]),
  );
}
const outcome = ({ status, reason }: RawAnswer): unknown[] => [status, reason];

async function putRich(server: GcsServer): Promise<string> {
  const metadata = { name: "n", contentType: "a/b", cacheControl: "no-store", metadata: { a: "1", b: "2" } };
  const line = "POST /upload/storage/v1/b/bucket/o?uploadType=multipart";
  return String((await raw(server, line, related(metadata, "hello"))).json["generation"]);
}

test("a patch merges: null deletes, what is absent stays, the generation too", async () => {
  await withServer({}, async (server) => {
    const generation = await putRich(server);
    const patch = { contentType: null, metadata: { a: null, c: "3" }, contentLanguage: "en" };
    const first = await raw(server, `PATCH ${base}/n`, { body: patch });
    expect(first.status).toBe(200);
    expect(first.json).toMatchObject({
      generation,
      metageneration: "2",
      cacheControl: "no-store",
      contentLanguage: "en",
    });
    expect(first.json["metadata"]).toEqual({ b: "2", c: "3" });
    expect("contentType" in first.json).toBe(false);
    const { etag } = (await raw(server, `GET ${base}/n`)).json;
    const second = await raw(server, `PATCH ${base}/n?ifMetagenerationMatch=2`, { body: { metadata: null } });
    expect(second.json["metageneration"]).toBe("3");
    expect("metadata" in second.json).toBe(false);
    expect(second.json["etag"]).not.toBe(etag);
  });
});

test.for([
  ["PATCH", "n?ifMetagenerationMatch=2", { contentType: "x" }, 412, "conditionNotMet"],
  ["PATCH", "n?ifGenerationMatch=17", { contentType: "x" }, 412, "conditionNotMet"],
  ["PATCH", "n?ifGenerationNotMatch={g}", { contentType: "x" }, 412, "conditionNotMet"],
  ["PATCH", "n?ifMetagenerationNotMatch=1", { contentType: "x" }, 412, "conditionNotMet"],
  ["PATCH", "n?generation=17", { contentType: "x" }, 404, "notFound"],
  ["PATCH", "nothing", { contentType: "x" }, 404, "notFound"],
  ["PATCH", "n", { contenttype: "x" }, 400, "invalid"],
  ["PATCH", "n", { acl: [] }, 501, "notImplemented"],
  ["PATCH", "n", "{", 400, "parseError"],
  ["PATCH", "n", "[]", 400, "invalid"],
  ["DELETE", "n?ifGenerationMatch=17", "", 412, "conditionNotMet"],
  ["DELETE", "n?ifGenerationMatch=0", "", 412, "conditionNotMet"],
  ["DELETE", "n?ifGenerationNotMatch={g}", "", 412, "conditionNotMet"],
  ["DELETE", "n?ifMetagenerationMatch=2", "", 412, "conditionNotMet"],
  ["DELETE", "n?generation=17", "", 404, "notFound"],
  ["DELETE", "nothing", "", 404, "notFound"],
  ["DELETE", "nothing?ifGenerationMatch=17", "", 404, "notFound"],
] as const)("refuses %s %s of %j", async ([method, path, body, status, reason]) => {
  await withServer({}, async (server) => {
    const generation = await putRich(server);
    const headers = { "content-type": "application/json" };
    const line = `${method} ${base}/${path.replace("{g}", generation)}`;
    expect(outcome(await raw(server, line, { body, headers }))).toEqual([status, reason]);
    expect(server.objects("bucket")).toMatchObject([
      { name: "n", generation, metageneration: "1", contentType: "a/b" },
    ]);
  });
});

test("a delete has no body, and holds once", async () => {
  await withServer({}, async (server) => {
    const generation = await putRich(server);
    const line = `DELETE ${base}/n?ifGenerationMatch=${generation}&ifMetagenerationMatch=1`;
    const gone = await raw(server, line);
    expect([gone.status, gone.body.length]).toEqual([204, 0]);
    expect(outcome(await raw(server, line))).toEqual([404, "notFound"]);
  });
});

test.for(["rewriteTo", "copyTo"])("%s takes the source's metadata, or all of it from the body", async (verb) => {
  await withServer({ buckets }, async (server) => {
    const generation = await putRich(server);
    const copied = await raw(server, `POST ${base}/n/${verb}/b/other/o/a%2Fm?sourceGeneration=${generation}`);
    expect(copied.status).toBe(200);
    const kept = { name: "a/m", metageneration: "1", contentType: "a/b", metadata: { a: "1", b: "2" } };
    expect(server.objects("other")).toMatchObject([kept]);
    expect(BigInt(server.objects("other")[0]?.generation ?? 0)).toBeGreaterThan(BigInt(generation));
    await raw(server, `POST ${base}/n/${verb}/b/other/o/a%2Fm`, { body: { contentType: "c/d" } });
    expect(server.objects("other")).toMatchObject([{ contentType: "c/d" }]);
    expect(server.objects("other")[0]?.metadata).toEqual({});
    expect(contents(server, "other")).toEqual({ "a/m": "hello" });
    expect(contents(server)).toEqual({ n: "hello" });
  });
});

test.for([
  ["n/{v}/b/other/o/m?ifSourceGenerationMatch=17", 412, "conditionNotMet"],
  ["n/{v}/b/other/o/m?ifSourceGenerationNotMatch={g}", 412, "conditionNotMet"],
  ["n/{v}/b/other/o/m?ifSourceMetagenerationMatch=2", 412, "conditionNotMet"],
  ["n/{v}/b/other/o/m?ifSourceMetagenerationNotMatch=1", 412, "conditionNotMet"],
  ["n/{v}/b/other/o/m?sourceGeneration=17", 404, "notFound"],
  ["n/{v}/b/other/o/m?ifGenerationMatch=17", 412, "conditionNotMet"],
  ["n/{v}/b/other/o/old?ifGenerationMatch=0", 412, "conditionNotMet"],
  ["n/{v}/b/other/o/m?ifGenerationNotMatch=0", 412, "conditionNotMet"],
  ["n/{v}/b/other/o/old?ifMetagenerationMatch=2", 412, "conditionNotMet"],
  ["n/{v}/b/other/o/old?ifMetagenerationNotMatch=1", 412, "conditionNotMet"],
  ["nothing/{v}/b/other/o/m", 404, "notFound"],
  ["n/{v}/b/nowhere/o/m", 404, "notFound"],
  ["n/{v}/b/other/o/a%0Ab", 400, "invalid"],
  ["n/{v}/b/other/o/m?destinationPredefinedAcl=private", 501, "notImplemented"],
] as const)("a copy is refused: %s", async ([path, status, reason]) => {
  for (const verb of ["rewriteTo", "copyTo"]) {
    await withServer({ buckets }, async (server) => {
      const generation = await putRich(server);
      await raw(server, "POST /upload/storage/v1/b/other/o?uploadType=media&name=old", { body: "before" });
      const line = `POST ${base}/${path.replace("{v}", verb).replace("{g}", generation)}`;
      expect(outcome(await raw(server, line)), verb).toEqual([status, reason]);
      expect(contents(server, "other")).toEqual({ old: "before" });
    });
  }
});

test("a rewrite of several calls", async () => {
  await withServer({ buckets, rewriteBytesPerCall: 2 * mebibyte }, async (server) => {
    const bytes = Buffer.alloc(5 * mebibyte, "abcdefg");
    await put(server, "n", bytes);
    const line = `POST ${base}/n/rewriteTo/b/other/o/m?ifGenerationMatch=0`;
    const first = await raw(server, `${line}&maxBytesRewrittenPerCall=${mebibyte}`);
    expect(first.json).toMatchObject({
      kind: "storage#rewriteResponse",
      done: false,
      totalBytesRewritten: String(mebibyte),
      objectSize: String(5 * mebibyte),
    });
    expect("resource" in first.json).toBe(false);
    const token = String(first.json["rewriteToken"]);
    // The answer got lost: the same call again does the same step.
    const second = await raw(server, `${line}&rewriteToken=${token}`);
    // What the first call said may be left out.
    const bare = line.slice(0, line.indexOf("?"));
    let last = await raw(server, `${bare}?rewriteToken=${token}`);
    expect([second, last].map(({ json }) => json["totalBytesRewritten"])).toEqual(Array(2).fill(String(2 * mebibyte)));
    for (let nth = 3; nth <= 5; nth++) {
      expect(server.objects("other")).toEqual([]);
      last = await raw(server, `${bare}?rewriteToken=${String(last.json["rewriteToken"])}`);
    }
    expect(last.json).toMatchObject({ done: true, totalBytesRewritten: String(5 * mebibyte), resource: { name: "m" } });
    expect("rewriteToken" in last.json).toBe(false);
    expect(Buffer.from(server.objects("other")[0]?.bytes() ?? []).equals(bytes)).toBe(true);
  });
});

test("a rewrite goes on with what it began with, or not at all", async () => {
  const clock = new ManualClock();
  await withServer({ buckets, rewriteBytesPerCall: 4, clock }, async (server) => {
    await put(server, "n", "hello world");
    const line = `POST ${base}/n/rewriteTo/b/other/o/m?ifGenerationMatch=0`;
    const token = String((await raw(server, line)).json["rewriteToken"]);
    const elsewhere = `POST ${base}/n/rewriteTo/b/other/o/k?rewriteToken=${token}`;
    expect(outcome(await raw(server, elsewhere))).toEqual([400, "invalidParameter"]);
    const condition = `${line.replace("ifGenerationMatch=0", "ifGenerationMatch=5")}&rewriteToken=${token}`;
    expect(outcome(await raw(server, condition))).toEqual([400, "invalidParameter"]);
    const withBody = { body: { contentType: "x" } };
    expect(outcome(await raw(server, `${line}&rewriteToken=${token}`, withBody))).toEqual([400, "invalidParameter"]);
    expect(outcome(await raw(server, `${line}&rewriteToken=x`))).toEqual([400, "invalidParameter"]);
    expect(outcome(await raw(server, `${line}&maxBytesRewrittenPerCall=5`))).toEqual([400, "invalidParameter"]);
    await raw(server, "POST /upload/storage/v1/b/other/o?uploadType=media&name=m", { body: "won" });
    // The first call's condition holds on, though this one leaves it out.
    const bare = `${line.slice(0, line.indexOf("?"))}?rewriteToken=${token}`;
    expect(outcome(await raw(server, bare))).toEqual([412, "conditionNotMet"]);
    await raw(server, "DELETE /storage/v1/b/other/o/m");
    await put(server, "n", "HELLO WORLD");
    expect(outcome(await raw(server, `${line}&rewriteToken=${token}`))).toEqual([404, "notFound"]);
    expect(contents(server, "other")).toEqual({});
    clock.advance(7 * 24 * 3600 * 1000);
    expect(outcome(await raw(server, bare))).toEqual([410, "gone"]);
  });
});

test("a move keeps bytes and metadata, and leaves nothing behind", async () => {
  await withServer({}, async (server) => {
    const generation = await putRich(server);
    await put(server, "a/m", "before");
    const query = `ifSourceGenerationMatch=${generation}&ifSourceMetagenerationMatch=1&ifMetagenerationMatch=1`;
    const moved = await raw(server, `POST ${base}/n/moveTo/o/a%2Fm?${query}`);
    expect(moved.status).toBe(200);
    expect(moved.json).toMatchObject({ name: "a/m", metageneration: "1", contentType: "a/b", metadata: { a: "1" } });
    expect(BigInt(String(moved.json["generation"]))).toBeGreaterThan(BigInt(generation));
    expect(contents(server)).toEqual({ "a/m": "hello" });
    expect(outcome(await raw(server, `POST ${base}/n/moveTo/o/a%2Fm`))).toEqual([404, "notFound"]);
  });
});

test.for([
  ["n/moveTo/o/n", 400, "invalid"],
  ["n/moveTo/o/a%0Ab", 400, "invalid"],
  ["nothing/moveTo/o/m", 404, "notFound"],
  ["n/moveTo/o/old?ifGenerationMatch=0", 412, "conditionNotMet"],
  ["n/moveTo/o/m?ifGenerationMatch=17", 412, "conditionNotMet"],
  ["n/moveTo/o/m?ifSourceGenerationMatch=17", 412, "conditionNotMet"],
  ["n/moveTo/o/m?ifSourceMetagenerationMatch=2", 412, "conditionNotMet"],
  ["n/moveTo/b/bucket/o/m", 404, "notFound"],
] as const)("a move is refused: %s", async ([path, status, reason]) => {
  await withServer({}, async (server) => {
    await putRich(server);
    await put(server, "old", "before");
    expect(outcome(await raw(server, `POST ${base}/${path}`))).toEqual([status, reason]);
    expect(contents(server)).toEqual({ n: "hello", old: "before" });
  });
});

test("a composition: bytes in order, CRC32C, no MD5, components added up", async () => {
  await withServer({}, async (server) => {
    const { generation } = await put(server, "a", "hello ");
    await put(server, "b", "world");
    const whole = await put(server, "whole", "hello world");
    const sourceObjects = [
      { name: "a", generation, objectPreconditions: { ifGenerationMatch: generation } },
      { name: "b" },
    ];
    const destination = { contentType: "a/b", metadata: { k: "v" }, crc32c: whole["crc32c"] };
    const composed = await raw(server, `POST ${base}/c%2Fd/compose?ifGenerationMatch=0`, {
      body: { kind: "storage#composeRequest", destination, sourceObjects },
    });
    const { crc32c } = whole;
    expect(composed.json).toMatchObject({ name: "c/d", size: "11", crc32c, componentCount: 2, contentType: "a/b" });
    expect("md5Hash" in composed.json).toBe(false);
    const media = await raw(server, `GET ${base}/c%2Fd?alt=media`);
    expect([media.body.toString(), media.headers["x-goog-hash"]]).toEqual(["hello world", `crc32c=${String(crc32c)}`]);
    const ranged = await raw(server, `GET ${base}/c%2Fd?alt=media`, { headers: { range: "bytes=4-7" } });
    expect(ranged.body.toString()).toBe("o wo");
    const onto = await raw(server, `POST ${base}/a/compose`, {
      body: { sourceObjects: [{ name: "c/d" }, { name: "a" }, { name: "a" }] },
    });
    expect(onto.json["componentCount"]).toBe(4);
    expect(contents(server)["a"]).toBe("hello worldhello hello ");
  });
});

test.for([
  [{ sourceObjects: [] }, "", 400, "required"],
  [{}, "", 400, "required"],
  [{ sourceObjects: Array(33).fill({ name: "a" }) }, "", 400, "invalid"],
  [{ sourceObjects: [{}] }, "", 400, "required"],
  [{ sourceObjects: [{ name: "a", etag: "x" }] }, "", 400, "invalid"],
  [{ sourceObjects: [{ name: "a", objectPreconditions: { ifMetagenerationMatch: "1" } }] }, "", 400, "invalid"],
  [{ sourceObjects: [{ name: "nothing" }] }, "", 404, "notFound"],
  [{ sourceObjects: [{ name: "a", generation: otherGeneration }] }, "", 404, "notFound"],
  [{ sourceObjects: [{ name: "a", objectPreconditions: { ifGenerationMatch: "17" } }] }, "", 412, "conditionNotMet"],
  [{ sourceObjects: [{ name: "a" }] }, "?ifGenerationMatch=17", 412, "conditionNotMet"],
  [{ sourceObjects: [{ name: "a" }] }, "?ifMetagenerationMatch=1", 412, "conditionNotMet"],
  [{ sourceObjects: [{ name: "a" }], destination: { crc32c: "AAAAAA==" } }, "", 400, "invalid"],
  [{ sourceObjects: [{ name: "a" }], deleteSourceObjects: true }, "", 501, "notImplemented"],
  [{ sourceObjects: [{ name: "a" }] }, "?destinationPredefinedAcl=private", 501, "notImplemented"],
  [{ sourceObjects: [{ name: "a" }], other: 1 }, "", 400, "invalid"],
] as const)("a composition is refused: %j%s", async ([body, query, status, reason]) => {
  await withServer({}, async (server) => {
    await put(server, "a", "hello");
    expect(outcome(await raw(server, `POST ${base}/c/compose${query}`, { body }))).toEqual([status, reason]);
    expect(contents(server)).toEqual({ a: "hello" });
  });
});

test("32 sources can be composed, and copies of the whole count against the limit", async () => {
  await withServer({ bodyBytesMax: 5 * 34 }, async (server) => {
    await put(server, "a", "hello");
    const sourceObjects = Array(32).fill({ name: "a" });
    const composed = await raw(server, `POST ${base}/c/compose`, { body: { sourceObjects } });
    expect([composed.json["componentCount"], composed.json["size"]]).toEqual([32, "160"]);
    expect(outcome(await raw(server, `POST ${base}/c/copyTo/b/bucket/o/d`))).toEqual([413, "uploadTooLarge"]);
    await raw(server, `POST ${base}/c/moveTo/o/d`);
    await raw(server, `DELETE ${base}/d`);
    expect((await raw(server, `POST ${base}/a/copyTo/b/bucket/o/d`)).status).toBe(200);
  });
});

test("the MD5 of an upload is that of its bytes", async () => {
  await withServer({}, async (server) => {
    const bytes = Buffer.alloc(100_003, "xyz");
    const { md5Hash } = await put(server, "n", bytes);
    expect(md5Hash).toBe(createHash("md5").update(bytes).digest("base64"));
  });
});

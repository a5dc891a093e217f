// Goal: reads, conditions and refusals answer with the exact status, reason and headers of the JSON API.
// Method: a table of raw requests, each to a fresh server with the same three objects.
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { otherGeneration, put, raw, type RawRequest, withServer } from "./raw-http.ts";

interface Expected {
  readonly status: number;
  readonly reason?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  readonly json?: object;
}
type Row = readonly [name: string, line: string, request: RawRequest, expected: Expected];

const hello = "/storage/v1/b/bucket/o/hello";
const md5 = createHash("md5").update("hello world").digest("base64");
const hash = `crc32c=yZRlqg==,md5=${md5}`;

// {g} stands for the generation of "hello".
const rows: readonly Row[] = [
  [
    "metadata",
    `GET ${hello}`,
    {},
    {
      status: 200,
      headers: { "content-type": "application/json; charset=UTF-8" },
      json: {
        kind: "storage#object",
        name: "hello",
        bucket: "bucket",
        generation: "{g}",
        metageneration: "1",
        size: "11",
        crc32c: "yZRlqg==",
        md5Hash: md5,
        contentType: "text/plain",
        storageClass: "STANDARD",
        id: "bucket/hello/{g}",
      },
    },
  ],
  ["its generation", `GET ${hello}?generation={g}`, {}, { status: 200 }],
  ["another generation", `GET ${hello}?generation=${otherGeneration}`, {}, { status: 404, reason: "notFound" }],
  ["no such object", "GET /storage/v1/b/bucket/o/nothing", {}, { status: 404, reason: "notFound" }],
  ["no such bucket", "GET /storage/v1/b/nowhere/o/hello", {}, { status: 404, reason: "notFound" }],
  ["no such path", "GET /storage/v2/b/bucket", {}, { status: 404, reason: "notFound" }],
  [
    "no such method",
    `PUT ${hello}`,
    {},
    { status: 405, reason: "methodNotAllowed", headers: { allow: "GET, PATCH, DELETE" } },
  ],
  [
    "bytes",
    `GET ${hello}?alt=media`,
    {},
    {
      status: 200,
      body: "hello world",
      headers: {
        "content-type": "text/plain",
        "content-length": "11",
        "content-range": undefined,
        "accept-ranges": "bytes",
        "x-goog-hash": hash,
        "x-goog-generation": "{g}",
        "x-goog-metageneration": "1",
        "x-goog-stored-content-length": "11",
        "x-goog-stored-content-encoding": "identity",
        "x-goog-storage-class": "STANDARD",
      },
    },
  ],
  ["bytes by /download", `GET /download${hello}?alt=media`, {}, { status: 200, body: "hello world" }],
  [
    "a name with slashes, decoded once",
    "GET /storage/v1/b/bucket/o/a%2Fb%252Fc%20%2B%3F?alt=media",
    {},
    { status: 200, body: "odd" },
  ],
  ["a name with a bare slash", "GET /storage/v1/b/bucket/o/a/b", {}, { status: 404, reason: "notFound" }],
  ["broken percent-encoding", "GET /storage/v1/b/bucket/o/%ff", {}, { status: 400, reason: "invalid" }],
  ["broken percent-encoding in the query", `GET ${hello}?fields=%`, {}, { status: 400, reason: "invalid" }],

  ["a range", `GET ${hello}?alt=media`, range("bytes=3-6"), part("lo w", "bytes 3-6/11")],
  ["an open range", `GET ${hello}?alt=media`, range("bytes=6-"), part("world", "bytes 6-10/11")],
  ["a range beyond the end", `GET ${hello}?alt=media`, range("bytes=6-99"), part("world", "bytes 6-10/11")],
  ["a suffix", `GET ${hello}?alt=media`, range("bytes=-5"), part("world", "bytes 6-10/11")],
  ["a suffix longer than all", `GET ${hello}?alt=media`, range("bytes=-99"), part("hello world", "bytes 0-10/11")],
  ["one byte", `GET ${hello}?alt=media`, range("bytes=10-10"), part("d", "bytes 10-10/11")],
  ["a range behind the end", `GET ${hello}?alt=media`, range("bytes=11-"), notSatisfiable("bytes */11")],
  ["a suffix of nothing", `GET ${hello}?alt=media`, range("bytes=-0"), notSatisfiable("bytes */11")],
  ["a range of nothing", "GET /storage/v1/b/bucket/o/empty?alt=media", range("bytes=0-"), notSatisfiable("bytes */0")],
  ["nothing", "GET /storage/v1/b/bucket/o/empty?alt=media", {}, { status: 200, body: "" }],
  ["a range backwards", `GET ${hello}?alt=media`, range("bytes=6-3"), { status: 200, body: "hello world" }],
  ["another unit", `GET ${hello}?alt=media`, range("lines=1-2"), { status: 200, body: "hello world" }],
  ["several ranges", `GET ${hello}?alt=media`, range("bytes=0-1,3-4"), { status: 501, reason: "notImplemented" }],

  ["generation matches", `GET ${hello}?ifGenerationMatch={g}`, {}, { status: 200 }],
  ["generation does not", `GET ${hello}?ifGenerationMatch=${otherGeneration}`, {}, notMet("ifGenerationMatch")],
  ["must not exist", `GET ${hello}?ifGenerationMatch=0`, {}, notMet("ifGenerationMatch")],
  ["bytes, generation does not match", `GET ${hello}?alt=media&ifGenerationMatch=1`, {}, notMet("ifGenerationMatch")],
  ["not modified", `GET ${hello}?ifGenerationNotMatch={g}`, {}, { status: 304, body: "" }],
  ["bytes not modified", `GET ${hello}?alt=media&ifGenerationNotMatch={g}`, {}, { status: 304, body: "" }],
  ["modified", `GET ${hello}?ifGenerationNotMatch=${otherGeneration}`, {}, { status: 200 }],
  ["exists", `GET ${hello}?ifGenerationNotMatch=0`, {}, { status: 200 }],
  ["metageneration matches", `GET ${hello}?ifMetagenerationMatch=1`, {}, { status: 200 }],
  ["metageneration does not", `GET ${hello}?ifMetagenerationMatch=2`, {}, notMet("ifMetagenerationMatch")],
  ["metadata not modified", `GET ${hello}?ifMetagenerationNotMatch=1`, {}, { status: 304, body: "" }],
  [
    "both conditions",
    `GET ${hello}?ifGenerationMatch={g}&ifMetagenerationMatch=2`,
    {},
    notMet("ifMetagenerationMatch"),
  ],
  [
    "conditions that exclude each other",
    `GET ${hello}?ifGenerationMatch={g}&ifGenerationNotMatch=1`,
    {},
    { status: 400, reason: "invalid" },
  ],
  [
    "a condition on nothing",
    "GET /storage/v1/b/bucket/o/nothing?ifGenerationMatch=5",
    {},
    { status: 404, reason: "notFound" },
  ],
  [
    "a condition that is no number",
    `GET ${hello}?ifGenerationMatch=x`,
    {},
    { status: 400, reason: "invalidParameter" },
  ],
  [
    "a condition beyond int64",
    `GET ${hello}?ifGenerationMatch=9223372036854775808`,
    {},
    { status: 400, reason: "invalidParameter" },
  ],

  ["fields", `GET ${hello}?fields=name,size`, {}, { status: 200, body: '{"name":"hello","size":"11"}' }],
  ["fields that are none", `GET ${hello}?fields=name(`, {}, { status: 400, reason: "invalidParameter" }],
  ["an unknown parameter", `GET ${hello}?ifGenerationmatch=1`, {}, { status: 400, reason: "invalidParameter" }],
  ["a parameter twice", `GET ${hello}?generation={g}&generation={g}`, {}, { status: 400, reason: "invalidParameter" }],
  ["another method's parameter", `GET ${hello}?prefix=a`, {}, { status: 400, reason: "invalidParameter" }],
  ["projection=noAcl", `GET ${hello}?projection=noAcl`, {}, { status: 200 }],
  ["projection=full", `GET ${hello}?projection=full`, {}, { status: 501, reason: "notImplemented" }],
  ["soft-deleted objects", `GET ${hello}?softDeleted=true`, {}, { status: 501, reason: "notImplemented" }],
  ["an unknown alt", `GET ${hello}?alt=proto`, {}, { status: 400, reason: "invalidAltValue" }],
  ["alt=media of a list", "GET /storage/v1/b/bucket/o?alt=media", {}, { status: 400, reason: "invalidAltValue" }],
  [
    "a conditional header",
    `GET ${hello}`,
    { headers: { "if-none-match": "*" } },
    { status: 501, reason: "notImplemented" },
  ],
  [
    "a customer's key",
    `GET ${hello}?alt=media`,
    { headers: { "x-goog-encryption-algorithm": "AES256" } },
    { status: 501, reason: "notImplemented" },
  ],
  [
    "the bucket",
    "GET /storage/v1/b/bucket",
    {},
    { status: 200, json: { kind: "storage#bucket", name: "bucket", metageneration: "1" } },
  ],
  ["no such bucket to get", "GET /storage/v1/b/nowhere", {}, { status: 404, reason: "notFound" }],
  ["the bucket, not modified", "GET /storage/v1/b/bucket?ifMetagenerationNotMatch=1", {}, { status: 304 }],
  ["a batch", "POST /batch/storage/v1", { body: "x" }, { status: 501, reason: "notImplemented" }],
  ["tokens without a token", "POST /token", { body: "x" }, { status: 501, reason: "notImplemented" }],
];

function range(value: string): RawRequest {
  return { headers: { range: value } };
}
function part(body: string, contentRange: string): Expected {
  const headers = { "content-range": contentRange, "content-length": String(body.length), "x-goog-hash": hash };
  return { status: 206, body, headers: { ...headers, "x-goog-stored-content-length": "11" } };
}
function notSatisfiable(contentRange: string): Expected {
  return { status: 416, reason: "requestedRangeNotSatisfiable", headers: { "content-range": contentRange } };
}
function notMet(location: string): Expected {
  return {
    status: 412,
    reason: "conditionNotMet",
    json: { error: { code: 412, errors: [{ domain: "global", locationType: "parameter", location }] } },
  };
}

test.for(rows)("%s", async ([, line, request, expected]) => {
  await withServer({}, async (server) => {
    const { generation } = await put(server, "hello", "hello world");
    await put(server, "empty", "");
    await put(server, "a/b%2Fc +?", "odd");
    const filled = JSON.parse(JSON.stringify(expected).replaceAll("{g}", String(generation))) as Expected;
    const answer = await raw(server, line.replaceAll("{g}", String(generation)), request);
    expect(answer.status).toBe(filled.status);
    if (filled.reason !== undefined) expect(answer.reason).toBe(filled.reason);
    for (const name of Object.keys(expected.headers ?? {})) {
      expect(answer.headers[name], name).toBe(filled.headers?.[name]);
    }
    if (filled.body !== undefined) expect(answer.body.toString()).toBe(filled.body);
    if (filled.json !== undefined) expect(answer.json).toMatchObject(filled.json);
  });
});

test("what was stored with gzip goes out as it is, and only to who takes that", async () => {
  await withServer({}, async (server) => {
    const line = "POST /upload/storage/v1/b/bucket/o?uploadType=media&name=z&contentEncoding=gzip";
    expect((await raw(server, line, { body: "not really" })).json["contentEncoding"]).toBe("gzip");
    const path = "GET /storage/v1/b/bucket/o/z?alt=media";
    expect((await raw(server, path)).status).toBe(501);
    const sent = await raw(server, path, { headers: { "accept-encoding": "gzip" } });
    expect([sent.status, sent.headers["content-encoding"], sent.body.toString()]).toEqual([200, "gzip", "not really"]);
  });
});

// Goal: uploads in one request keep exactly the bytes and metadata that came, or are refused whole.
// Method: a table of raw requests; multipart bodies made to look like their own boundaries; checksums that are off.
import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ManualClock } from "@varve/fs-core/testing";
import { put, raw, type RawRequest, related, withServer } from "./raw-http.ts";

const media = "/upload/storage/v1/b/bucket/o?uploadType=media";
const multipart = "/upload/storage/v1/b/bucket/o?uploadType=multipart";
const md5 = createHash("md5").update("hello world").digest("base64");
const crc32c = "yZRlqg==";
const body = "hello world";

type Row = readonly [name: string, line: string, request: RawRequest, status: number, resource: object | string];

const rows: readonly Row[] = [
  [
    "media",
    `POST ${media}&name=n`,
    { body, headers: { "content-type": "a/b" } },
    200,
    { contentType: "a/b", size: "11" },
  ],
  [
    "media without a type",
    `POST ${media}&name=n`,
    { body },
    200,
    { contentType: "application/octet-stream", md5Hash: md5 },
  ],
  ["a name in UTF-8", `POST ${media}&name=n%2F%C3%A9`, { body }, 200, { name: "n/é" }],
  ["a plus is a space", `POST ${media}&name=a+b`, { body }, 200, { name: "a b" }],
  ["no name", `POST ${media}`, { body }, 400, "required"],
  ["an empty name", `POST ${media}&name=`, { body }, 400, "required"],
  ["a name of 1024 bytes", `POST ${media}&name=${"%C3%A9".repeat(512)}`, { body }, 200, { name: "é".repeat(512) }],
  ["a name of 1026 bytes", `POST ${media}&name=${"%C3%A9".repeat(513)}`, { body }, 400, "invalid"],
  ["a name with a line feed", `POST ${media}&name=a%0Ab`, { body }, 400, "invalid"],
  ["a name with a carriage return", `POST ${media}&name=a%0Db`, { body }, 400, "invalid"],
  ["the name ..", `POST ${media}&name=..`, { body }, 400, "invalid"],
  ["a certificate's name", `POST ${media}&name=.well-known/acme-challenge/x`, { body }, 400, "invalid"],
  ["no upload type", "POST /upload/storage/v1/b/bucket/o?name=n", { body }, 400, "required"],
  ["an unknown upload type", "POST /upload/storage/v1/b/bucket/o?uploadType=x&name=n", { body }, 400, "invalid"],
  ["not by /upload", "POST /storage/v1/b/bucket/o?uploadType=media&name=n", { body }, 400, "wrongUrlForUpload"],
  ["no such bucket", "POST /upload/storage/v1/b/nowhere/o?uploadType=media&name=n", { body }, 404, "notFound"],
  ["an ACL", `POST ${media}&name=n&predefinedAcl=publicRead`, { body }, 501, "notImplemented"],
  ["a key", `POST ${media}&name=n&kmsKeyName=k`, { body }, 501, "notImplemented"],
  [
    "a zipped request",
    `POST ${media}&name=n`,
    { body, headers: { "content-encoding": "gzip" } },
    501,
    "notImplemented",
  ],
  ["metadata by header", `POST ${media}&name=n`, { body, headers: { "x-goog-meta-a": "b" } }, 501, "notImplemented"],
  ["its CRC32C", `POST ${media}&name=n`, { body, headers: { "x-goog-hash": `crc32c=${crc32c}` } }, 200, { crc32c }],
  [
    "both checksums",
    `POST ${media}&name=n`,
    { body, headers: { "x-goog-hash": `crc32c=${crc32c},md5=${md5}` } },
    200,
    {},
  ],
  ["another CRC32C", `POST ${media}&name=n`, { body, headers: { "x-goog-hash": "crc32c=AAAAAA==" } }, 400, "invalid"],
  [
    "another MD5",
    `POST ${media}&name=n`,
    { body, headers: { "x-goog-hash": `md5=${md5.toLowerCase()}` } },
    400,
    "invalid",
  ],
  ["an unknown checksum", `POST ${media}&name=n`, { body, headers: { "x-goog-hash": "sha1=AA==" } }, 400, "invalid"],
  ["another Content-MD5", `POST ${media}&name=n`, { body, headers: { "content-md5": "AAAA" } }, 400, "invalid"],
  ["must not exist", `POST ${media}&name=n&ifGenerationMatch=0`, { body }, 200, { metageneration: "1" }],
  ["must be of a generation", `POST ${media}&name=n&ifGenerationMatch=5`, { body }, 412, "conditionNotMet"],
  ["must exist", `POST ${media}&name=n&ifGenerationNotMatch=0`, { body }, 412, "conditionNotMet"],
  ["must be of a metageneration", `POST ${media}&name=n&ifMetagenerationMatch=1`, { body }, 412, "conditionNotMet"],
  ["must be of another one", `POST ${media}&name=n&ifMetagenerationNotMatch=1`, { body }, 412, "conditionNotMet"],
  ["must not exist but does", `POST ${media}&name=old&ifGenerationMatch=0`, { body }, 412, "conditionNotMet"],
  ["must exist and does", `POST ${media}&name=old&ifGenerationNotMatch=0`, { body }, 200, { size: "11" }],
  ["of its metageneration", `POST ${media}&name=old&ifMetagenerationMatch=1`, { body }, 200, { metageneration: "1" }],
  ["not of its metageneration", `POST ${media}&name=old&ifMetagenerationNotMatch=1`, { body }, 412, "conditionNotMet"],

  [
    "multipart",
    `POST ${multipart}`,
    related({ name: "n", contentType: "a/b", metadata: { k: "v" }, cacheControl: "no-store" }, body),
    200,
    { name: "n", contentType: "a/b", metadata: { k: "v" }, cacheControl: "no-store", size: "11", crc32c },
  ],
  ["the part's type", `POST ${multipart}`, related({ name: "n" }, body), 200, { contentType: "text/plain" }],
  ["the query's name goes before", `POST ${multipart}&name=q`, related({ name: "n" }, body), 200, { name: "q" }],
  ["multipart without a name", `POST ${multipart}`, related({}, body), 400, "required"],
  ["half a character as a name", `POST ${multipart}`, related({ name: "\ud800" }, body), 400, "invalid"],
  [
    "multipart, its CRC32C",
    `POST ${multipart}`,
    related({ name: "n", crc32c, md5Hash: md5 }, body),
    200,
    { md5Hash: md5 },
  ],
  ["multipart, another CRC32C", `POST ${multipart}`, related({ name: "n", crc32c: "AAAAAA==" }, body), 400, "invalid"],
  ["multipart, another MD5", `POST ${multipart}`, related({ name: "n", md5Hash: "AAAA" }, body), 400, "invalid"],
  ["an unknown field", `POST ${multipart}`, related({ name: "n", contenttype: "a/b" }, body), 400, "invalid"],
  ["a hold", `POST ${multipart}`, related({ name: "n", temporaryHold: true }, body), 501, "notImplemented"],
  ["no hold", `POST ${multipart}`, related({ name: "n", temporaryHold: false }, body), 200, { name: "n" }],
  ["a number as metadata", `POST ${multipart}`, related({ name: "n", metadata: { k: 5 } }, body), 400, "invalid"],
  ["8 KiB of metadata", `POST ${multipart}`, related({ name: "n", metadata: { k: "v".repeat(8191) } }, body), 200, {}],
  [
    "more metadata",
    `POST ${multipart}`,
    related({ name: "n", metadata: { k: "v".repeat(8192) } }, body),
    400,
    "invalid",
  ],
  ["an unknown class", `POST ${multipart}`, related({ name: "n", storageClass: "FAST" }, body), 400, "invalid"],
  [
    "a class",
    `POST ${multipart}`,
    related({ name: "n", storageClass: "NEARLINE" }, body),
    200,
    { storageClass: "NEARLINE" },
  ],
  ["no boundary", `POST ${multipart}`, { ...related({ name: "n" }, body), headers: {} }, 400, "invalid"],
  [
    "a boundary that never comes",
    `POST ${multipart}`,
    { ...related({ name: "n" }, body, "x"), headers: type("y") },
    400,
    "invalid",
  ],
  ["one part", `POST ${multipart}`, { body: "--x\r\n\r\n{}\r\n--x--", headers: type("x") }, 400, "invalid"],
  [
    "metadata that is no JSON",
    `POST ${multipart}`,
    { body: "--x\r\n\r\n{\r\n--x\r\n\r\n\r\n--x--", headers: type("x") },
    400,
    "parseError",
  ],
  [
    "the least body, a quoted boundary",
    `POST ${multipart}`,
    { body: '--x y\r\n\r\n{"name":"n"}\r\n--x y \r\n\r\n\r\n--x y--', headers: type('"x y"') },
    200,
    { size: "0" },
  ],
  [
    "a part in base64",
    `POST ${multipart}`,
    {
      body: '--x\r\n\r\n{"name":"n"}\r\n--x\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--x--',
      headers: type("x"),
    },
    501,
    "notImplemented",
  ],
];

function type(boundary: string): Record<string, string> {
  return { "content-type": `multipart/related; boundary=${boundary}` };
}

test.for(rows)("%s", async ([, line, request, status, expected]) => {
  await withServer({}, async (server) => {
    await put(server, "old", "before");
    const before = server.objects("bucket").length;
    const answer = await raw(server, line, request);
    expect(answer.status, answer.body.toString()).toBe(status);
    if (typeof expected === "string") {
      expect(answer.reason).toBe(expected);
      expect(server.objects("bucket").map(({ name, size }) => [name, size])).toEqual([["old", 6]]);
    } else {
      expect(answer.json).toMatchObject({ kind: "storage#object", bucket: "bucket", ...expected });
      expect(server.objects("bucket").length).toBe(line.includes("name=old") ? before : before + 1);
    }
  });
});

test("any bytes survive multipart, though they look like boundaries", async () => {
  await withServer({}, async (server) => {
    const pieces = fc.constantFrom(
      "\r\n--b",
      "--b",
      "--b--",
      "\r\n",
      "\r",
      "\n",
      "-",
      "b",
      "\0",
      "é",
      "\r\n--bb\r\n",
      "\r\n--b-",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 12 }), async (texts) => {
        // The boundary itself must not begin a line: what a client has to see to.
        const bytes = Buffer.concat(texts.map((text) => Buffer.from(text)));
        const isOwnBoundary = /(^|\r\n)--b([ \t]*\r\n|--)/.test(`${bytes.toString("latin1")}\r\n`);
        fc.pre(!isOwnBoundary);
        const answer = await raw(server, `POST ${multipart}`, related({ name: "n" }, bytes, "b"));
        expect(answer.status, answer.body.toString()).toBe(200);
        expect(Buffer.from(server.objects("bucket")[0]?.bytes() ?? [])).toEqual(bytes);
      }),
      { numRuns: 200, seed: 20260 },
    );
  });
});

test("generations rise with every upload, also when the clock stands", async () => {
  const clock = new ManualClock({ wallUs: 1_700_000_000_000_000 });
  await withServer({ clock }, async (server) => {
    const generations: bigint[] = [];
    for (let nth = 0; nth < 5; nth++) generations.push(BigInt(String((await put(server, "n", "x"))["generation"])));
    expect(generations).toEqual([0n, 1n, 2n, 3n, 4n].map((nth) => 1_700_000_000_000_000n + nth));
  });
});

test("bodies beyond the limit are refused, and what goes makes room", async () => {
  await withServer({ bodyBytesMax: 10 }, async (server) => {
    const upload = (name: string, bytes: string) => raw(server, `POST ${media}&name=${name}`, { body: bytes });
    expect((await upload("a", "123456")).status).toBe(200);
    expect((await upload("b", "12345")).reason).toBe("uploadTooLarge");
    expect((await upload("b", "1234")).status).toBe(200);
    expect((await upload("a", "1")).reason).toBe("uploadTooLarge");
    expect((await raw(server, "DELETE /storage/v1/b/bucket/o/b")).status).toBe(204);
    expect((await upload("a", "1")).status).toBe(200);
    expect((await upload("c", "123456789")).status).toBe(200);
  });
});

test("discarded bodies leave sizes and checksums, and no download", async () => {
  const whole = await withServer({}, (server) => put(server, "n", body + body));
  await withServer({ discardBodies: true, bodyBytesMax: 0 }, async (server) => {
    expect(await put(server, "n", body)).toMatchObject({ size: "11", crc32c, md5Hash: md5 });
    expect(server.objects("bucket")[0]?.bytes()).toBeUndefined();
    expect((await raw(server, "GET /storage/v1/b/bucket/o/n?alt=media")).reason).toBe("notImplemented");
    const sourceObjects = [{ name: "n" }, { name: "n" }];
    const composed = await raw(server, "POST /storage/v1/b/bucket/o/m/compose", { body: { sourceObjects } });
    expect(composed.json["crc32c"]).toBe(whole["crc32c"]);
  });
});

// Goal: each quirk changes what it says, and nothing else does.
// Method: the same requests to a server with the quirk and to one without.
import { describe, expect, test } from "vitest";
import type { S3Quirks } from "../../src/s3/options.ts";
import { element, elements, type Fixture, md5Hex, startFixture } from "./fixture.ts";
import { send } from "./raw-client.ts";

const other = `"${md5Hex("other")}"`;
const minPart = Buffer.alloc(10, "p");

async function completeOver(fixture: Fixture): Promise<number> {
  const created = await fixture.ask("POST", "key", { query: { uploads: "" } });
  const uploadId = element(created.text, "UploadId") ?? "";
  await fixture.ask("PUT", "key", { query: { partNumber: "1", uploadId }, body: minPart });
  const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${md5Hex(minPart)}</ETag></Part></CompleteMultipartUpload>`;
  return (await fixture.ask("POST", "key", { query: { uploadId }, headers: { "if-none-match": "*" }, body })).status;
}

type Attempt = (fixture: Fixture) => Promise<number>;
const attempts: Readonly<
  Record<string, { readonly attempt: Attempt; readonly refused: number; readonly taken: number }>
> = {
  "put over an object": {
    attempt: async ({ ask }) => (await ask("PUT", "key", { headers: { "if-none-match": "*" }, body: "x" })).status,
    refused: 412,
    taken: 200,
  },
  "complete over an object": { attempt: completeOver, refused: 412, taken: 200 },
  "copy over an object": {
    attempt: async ({ ask }) =>
      (await ask("PUT", "key", { headers: { "if-none-match": "*", "x-amz-copy-source": "bucket/source" } })).status,
    refused: 412,
    taken: 200,
  },
  "replace another version": {
    attempt: async ({ ask }) => (await ask("PUT", "key", { headers: { "if-match": other }, body: "x" })).status,
    refused: 412,
    taken: 200,
  },
  "delete another version": {
    attempt: async ({ ask }) => (await ask("DELETE", "key", { headers: { "if-match": other } })).status,
    refused: 412,
    taken: 204,
  },
  "send a wrong checksum": {
    attempt: async ({ ask }) =>
      (await ask("PUT", "key", { headers: { "x-amz-checksum-crc32": "AAAAAA==" }, body: "x" })).status,
    refused: 400,
    taken: 200,
  },
  "send a wrong MD5": {
    attempt: async ({ ask }) =>
      (await ask("PUT", "key", { headers: { "content-md5": other.slice(1, 25) }, body: "x" })).status,
    refused: 400,
    taken: 200,
  },
  rename: {
    attempt: async ({ ask }) =>
      (await ask("PUT", "renamed", { query: { renameObject: "" }, headers: { "x-amz-rename-source": "key" } })).status,
    refused: 501,
    taken: 200,
  },
};

test.each<[keyof S3Quirks | undefined, string[]]>([
  [undefined, []],
  ["ignoreIfNoneMatchOnPut", ["put over an object"]],
  ["ignoreIfNoneMatchOnComplete", ["complete over an object"]],
  ["ignoreIfNoneMatchOnCopy", ["copy over an object"]],
  ["ignoreIfMatch", ["replace another version", "delete another version"]],
  ["noChecksums", ["send a wrong checksum", "send a wrong MD5"]],
  ["express", ["rename"]],
])("with %s", async (quirk, expected) => {
  for (const [name, { attempt, refused, taken }] of Object.entries(attempts)) {
    const fixture = await startFixture({ quirks: quirk === undefined ? {} : { [quirk]: true } });
    for (const key of ["key", "source"]) await fixture.ask("PUT", key, { body: key });
    expect([name, await attempt(fixture)]).toEqual([name, expected.includes(name) ? taken : refused]);
  }
});

describe("noChecksums", () => {
  const trailing = {
    headers: { "x-amz-trailer": "x-amz-checksum-crc32", "x-amz-decoded-content-length": "1" },
    body: "1\r\nx\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
    payloadHash: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
  };

  test("keeps and tells none", async () => {
    const { ask } = await startFixture({ quirks: { noChecksums: true } });
    const put = await ask("PUT", "key", trailing);
    const got = await ask("GET", "key", { headers: { "x-amz-checksum-mode": "ENABLED" } });
    const listed = await ask("GET", "", { query: { "list-type": "2" } });
    expect([put.status, got.text]).toEqual([200, "x"]);
    expect(
      [put, got].flatMap(({ headers }) => Object.keys(headers)).filter((name) => name.includes("checksum")),
    ).toEqual([]);
    expect(elements(listed.text, "ChecksumAlgorithm")).toEqual([]);
  });

  test("takes an upload whose checksums mean nothing", async () => {
    const { ask } = await startFixture({ quirks: { noChecksums: true } });
    const created = await ask("POST", "key", {
      query: { uploads: "" },
      headers: { "x-amz-checksum-algorithm": "SHA256" },
    });
    expect(created.headers["x-amz-checksum-algorithm"]).toBeUndefined();
    const uploadId = element(created.text, "UploadId") ?? "";
    const part = await ask("PUT", "key", { query: { partNumber: "1", uploadId }, body: minPart });
    expect([part.status, part.headers["x-amz-checksum-crc64nvme"]]).toEqual([200, undefined]);
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${md5Hex(minPart)}</ETag><ChecksumSHA256>AAAA</ChecksumSHA256></Part></CompleteMultipartUpload>`;
    const done = await ask("POST", "key", { query: { uploadId }, body });
    expect([done.status, done.text.includes("Checksum")]).toEqual([200, false]);
  });

  test("refuseTrailers asks for a length", async () => {
    const { ask } = await startFixture({ quirks: { refuseTrailers: true } });
    const put = await ask("PUT", "key", trailing);
    expect([put.status, put.code]).toEqual([411, "MissingContentLength"]);
    expect((await ask("PUT", "key", { body: "x" })).status).toBe(200);
  });
});

describe("express", () => {
  const rename = (
    fixture: Fixture,
    source: string,
    key: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; code: string | undefined }> =>
    fixture.ask("PUT", key, { query: { renameObject: "" }, headers: { "x-amz-rename-source": source, ...headers } });

  async function filled(): Promise<Fixture> {
    const fixture = await startFixture({ quirks: { express: true } });
    for (const key of ["a b", "taken"])
      await fixture.ask("PUT", key, { body: key, headers: { "x-amz-meta-name": key } });
    return fixture;
  }

  test("ETags are not those of the bytes, and differ for the same bytes", async () => {
    const { ask } = await startFixture({ quirks: { express: true } });
    const etags = [
      (await ask("PUT", "key", { body: "x" })).headers["etag"],
      (await ask("PUT", "key", { body: "x" })).headers["etag"],
    ];
    expect(etags[0]).toMatch(/^"[0-9a-f]{32}"$/);
    expect(new Set([...etags, `"${md5Hex("x")}"`]).size).toBe(3);
  });

  test("a rename moves all but the time", async () => {
    const fixture = await filled();
    const before = fixture.server.objects("bucket").get("a b");
    fixture.clock.advance(60_000);
    expect((await rename(fixture, "/a%20b", "new")).status).toBe(200);
    const objects = fixture.server.objects("bucket");
    expect(objects.get("new")).toEqual({ ...before, key: "new" });
    expect(objects.has("a b")).toBe(false);
  });

  test.each<[string, [string, string, Record<string, string>?], number, string | undefined]>([
    ["what is not there", ["none", "new"], 404, "NoSuchKey"],
    ["over another", ["a%20b", "taken"], 200, undefined],
    ["over another, unless there is one", ["a%20b", "taken", { "if-none-match": "*" }], 412, "PreconditionFailed"],
    ["another version", ["a%20b", "new", { "x-amz-rename-source-if-match": other }], 412, "PreconditionFailed"],
    ["to a folder", ["a%20b", "new/"], 400, "InvalidRequest"],
    ["nothing", ["", "new"], 400, "InvalidArgument"],
  ])("renames %s", async (_, [source, key, headers], status, code) => {
    const fixture = await filled();
    const response = await rename(fixture, source, key, headers);
    expect([response.status, response.code]).toEqual([status, code]);
    expect(fixture.server.objects("bucket").has("a b")).toBe(status !== 200);
  });

  test("a token makes a repeated rename one", async () => {
    const fixture = await filled();
    const token = { "x-amz-client-token": "t" };
    expect((await rename(fixture, "a%20b", "new", token)).status).toBe(200);
    expect((await rename(fixture, "a%20b", "new", token)).status).toBe(200);
    expect((await rename(fixture, "a%20b", "new")).status).toBe(404);
    expect((await rename(fixture, "taken", "new", token)).code).toBe("IdempotencyParameterMismatch");
  });

  test("objects are of its own storage class", async () => {
    const { server, ask } = await startFixture({ quirks: { express: true } });
    const put = (name: string): ReturnType<typeof ask> =>
      ask("PUT", "d/key", { headers: { "x-amz-storage-class": name }, body: "x" });
    expect([(await put("STANDARD")).status, (await put("EXPRESS_ONEZONE")).status]).toEqual([501, 200]);
    const listed = await send(server, { method: "GET", path: "/bucket", query: { "list-type": "2", prefix: "d/" } });
    expect(element(listed.text, "StorageClass")).toBe("EXPRESS_ONEZONE");
  });
});

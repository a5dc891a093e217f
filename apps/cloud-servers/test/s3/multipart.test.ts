// Goal: parts become one object in the order and under the checks of S3, or stay parts.
// Method: uploads made by raw requests, with parts above the minimum and completions that have one thing wrong.
import { crc32 } from "node:zlib";
import { crc64Nvme } from "@varve/fs-core";
import { describe, expect, test } from "vitest";
import {
  digestBase64,
  element,
  elements,
  type Expected,
  type Fixture,
  md5Hex,
  partsOf,
  startFixture,
} from "./fixture.ts";

const mebibyte = 2 ** 20;
const first = Buffer.alloc(5 * mebibyte, "a");
const second = Buffer.alloc(10, "b");
const whole = Buffer.concat([first, second]);
const big = (value: bigint, bytes: 4 | 8): string =>
  Buffer.from(value.toString(16).padStart(2 * bytes, "0"), "hex").toString("base64");
const crc32Base64 = (data: Uint8Array): string => big(BigInt(crc32(data)), 4);
const md5Of = (data: Uint8Array): Buffer => Buffer.from(md5Hex(data), "hex");
const wholeEtag = `"${md5Hex(Buffer.concat([md5Of(first), md5Of(second)]))}-2"`;

async function begin({ ask }: Fixture, key = "key", headers: Record<string, string> = {}): Promise<string> {
  const created = await ask("POST", key, { query: { uploads: "" }, headers });
  expect(created.status).toBe(200);
  return element(created.text, "UploadId") ?? "";
}

interface Listed {
  readonly number: number | string;
  readonly etag?: string;
  readonly more?: string;
}

function document(parts: readonly Listed[]): string {
  const items = parts.map(({ number, etag, more = "" }) => {
    const tag = etag === undefined ? "" : `<ETag>${etag.replaceAll('"', "&quot;")}</ETag>`;
    return `<Part><PartNumber>${number}</PartNumber>${tag}${more}</Part>`;
  });
  return `<?xml version="1.0"?><CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${items.join("")}</CompleteMultipartUpload>`;
}

const one = { number: 1, etag: `"${md5Hex(first)}"` };
const two = { number: 2, etag: `"${md5Hex(second)}"` };

async function withTwoParts(fixture: Fixture, headers: Record<string, string> = {}): Promise<string> {
  const uploadId = await begin(fixture, "key", headers);
  for (const [partNumber, body] of [
    ["2", second],
    ["1", first],
  ] as const) {
    const put = await fixture.ask("PUT", "key", { query: { partNumber, uploadId }, body });
    expect([put.status, put.headers["etag"]]).toEqual([200, `"${md5Hex(body)}"`]);
  }
  return uploadId;
}

test("two parts, whatever their order of arrival, are one object", async () => {
  const fixture = await startFixture();
  const { ask, server } = fixture;
  const uploadId = await withTwoParts(fixture, { "x-amz-meta-color": "blue" });
  expect(server.objects("bucket").size).toBe(0);
  const done = await ask("POST", "key", { query: { uploadId }, body: document([one, two]) });
  expect(done.status).toBe(200);
  expect(element(done.text, "ETag")).toBe(wholeEtag.replaceAll('"', "&quot;"));
  expect(element(done.text, "ChecksumCRC64NVME")).toBe(big(crc64Nvme(whole), 8));
  expect(element(done.text, "ChecksumType")).toBe("FULL_OBJECT");
  expect(element(done.text, "Location")).toBe(`${server.url}/bucket/key`);
  const got = await ask("GET", "key");
  expect(got.bytes.equals(whole)).toBe(true);
  expect(got.headers).toMatchObject({ etag: wholeEtag, "x-amz-meta-color": "blue" });
  expect(server.uploads("bucket").size).toBe(0);
  const again = await ask("POST", "key", { query: { uploadId }, body: document([one, two]) });
  expect([again.status, again.code]).toEqual([404, "NoSuchUpload"]);
});

test.each<[string, { body: string; headers?: Record<string, string>; uploadId?: string; key?: string }, Expected]>([
  ["in order", { body: document([one, two]) }, { status: 200 }],
  ["with ETags without quotes", { body: document([{ ...one, etag: md5Hex(first) }, two]) }, { status: 200 }],
  ["without one of them", { body: document([two]) }, { status: 200 }],
  ["out of order", { body: document([two, one]) }, { status: 400, code: "InvalidPartOrder" }],
  ["one of them twice", { body: document([one, one]) }, { status: 400, code: "InvalidPartOrder" }],
  ["one that was not uploaded", { body: document([one, { ...two, number: 3 }]) }, { status: 400, code: "InvalidPart" }],
  [
    "with the ETag of another",
    { body: document([{ ...one, etag: two.etag }, two]) },
    { status: 400, code: "InvalidPart" },
  ],
  ["none", { body: document([]) }, { status: 400, code: "MalformedXML" }],
  ["without an ETag", { body: document([{ number: 1 }]) }, { status: 400, code: "MalformedXML" }],
  ["with a number that is none", { body: document([{ ...one, number: "x" }]) }, { status: 400, code: "MalformedXML" }],
  [
    "with a number that is too large",
    { body: document([{ ...one, number: 10_001 }]) },
    { status: 400, code: "InvalidArgument" },
  ],
  ["in another document", { body: "<Delete/>" }, { status: 400, code: "MalformedXML" }],
  ["in half a document", { body: document([one]).slice(0, -1) }, { status: 400, code: "MalformedXML" }],
  ["with an entity", { body: document([one]).replace("&quot;", "&bomb;") }, { status: 400, code: "MalformedXML" }],
  ["of no upload", { body: document([one]), uploadId: "none" }, { status: 404, code: "NoSuchUpload" }],
  ["of another key", { body: document([one]), key: "other" }, { status: 404, code: "NoSuchUpload" }],
  [
    "with the size",
    { body: document([one, two]), headers: { "x-amz-mp-object-size": String(whole.length) } },
    { status: 200 },
  ],
  [
    "with another size",
    { body: document([one, two]), headers: { "x-amz-mp-object-size": "1" } },
    { status: 400, code: "InvalidRequest" },
  ],
  [
    "with the checksum",
    {
      body: document([one, two]),
      headers: { "x-amz-checksum-crc64nvme": big(crc64Nvme(whole), 8), "x-amz-checksum-type": "FULL_OBJECT" },
    },
    { status: 200 },
  ],
  [
    "with another checksum",
    { body: document([one, two]), headers: { "x-amz-checksum-crc64nvme": big(crc64Nvme(first), 8) } },
    { status: 400, code: "BadDigest" },
  ],
  [
    "with a checksum of another kind",
    { body: document([one, two]), headers: { "x-amz-checksum-crc32": crc32Base64(whole) } },
    { status: 400, code: "InvalidRequest" },
  ],
  [
    "with another type of checksum",
    { body: document([one, two]), headers: { "x-amz-checksum-type": "COMPOSITE" } },
    { status: 400, code: "InvalidRequest" },
  ],
  ["if there is no object", { body: document([one, two]), headers: { "if-none-match": "*" } }, { status: 200 }],
  [
    "if there is another object",
    { body: document([one, two]), headers: { "if-match": one.etag } },
    { status: 404, code: "NoSuchKey" },
  ],
])("completes: %s", async (_, { body, headers = {}, uploadId, key = "key" }, expected) => {
  const fixture = await startFixture();
  const id = await withTwoParts(fixture);
  const response = await fixture.ask("POST", key, { query: { uploadId: uploadId ?? id }, headers, body });
  expect(partsOf(response, expected)).toEqual(expected);
  const isDone = expected.status === 200;
  expect([fixture.server.objects("bucket").size, fixture.server.uploads("bucket").size]).toEqual(
    isDone ? [1, 0] : [0, 1],
  );
});

test("conditions hold when the upload ends, and a loser keeps its parts", async () => {
  const fixture = await startFixture();
  const { ask, server } = fixture;
  const ids = [await withTwoParts(fixture), await withTwoParts(fixture)];
  const complete = (uploadId: string, headers: Record<string, string>): ReturnType<typeof ask> =>
    ask("POST", "key", { query: { uploadId }, headers, body: document([one, two]) });
  const outcomes = await Promise.all(ids.map((id) => complete(id, { "if-none-match": "*" })));
  expect(outcomes.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 412]);
  const [loser = ""] = server.uploads("bucket").keys();
  expect((await complete(loser, { "if-match": `"${md5Hex("x")}"` })).status).toBe(412);
  expect((await complete(loser, { "if-match": wholeEtag })).status).toBe(200);
});

test("parts but the last have a least size", async () => {
  const fixture = await startFixture();
  const uploadId = await begin(fixture);
  const small = Buffer.alloc(5 * mebibyte - 1, "a");
  for (const partNumber of ["1", "2"])
    await fixture.ask("PUT", "key", { query: { partNumber, uploadId }, body: small });
  const etag = `"${md5Hex(small)}"`;
  const body = document([
    { number: 1, etag },
    { number: 2, etag },
  ]);
  const response = await fixture.ask("POST", "key", { query: { uploadId }, body });
  expect([response.status, response.code, element(response.text, "ProposedSize")]).toEqual([
    400,
    "EntityTooSmall",
    "5242879",
  ]);
});

test.each<[string, Record<string, string>, Expected]>([
  ["part 0", { partNumber: "0" }, { status: 400, code: "InvalidArgument" }],
  ["part 10 000", { partNumber: "10000" }, { status: 200 }],
  ["part 10 001", { partNumber: "10001" }, { status: 400, code: "InvalidArgument" }],
  ["of no upload", { partNumber: "1", uploadId: "none" }, { status: 404, code: "NoSuchUpload" }],
  ["a part without an upload", { partNumber: "1", uploadId: "" }, { status: 404, code: "NoSuchUpload" }],
])("uploads %s", async (_, query, expected) => {
  const fixture = await startFixture();
  const uploadId = await begin(fixture);
  const response = await fixture.ask("PUT", "key", { query: { uploadId, ...query }, body: "x" });
  expect(partsOf(response, expected)).toEqual(expected);
});

test("an aborted upload is gone, with its parts", async () => {
  const fixture = await startFixture();
  const uploadId = await withTwoParts(fixture);
  const { ask, server } = fixture;
  expect((await ask("DELETE", "key", { query: { uploadId } })).status).toBe(204);
  expect(server.uploads("bucket").size).toBe(0);
  for (const [method, query, body] of [
    ["DELETE", {}, undefined],
    ["GET", {}, undefined],
    ["PUT", { partNumber: "1" }, "x"],
  ] as const) {
    const response = await ask(method, "key", { query: { uploadId, ...query }, ...(body !== undefined && { body }) });
    expect([response.status, response.code]).toEqual([404, "NoSuchUpload"]);
  }
});

describe("checksums", () => {
  const sha = (data: Uint8Array): string => digestBase64("sha256", data);
  const composite = `${sha(Buffer.concat([first, second].map((part) => Buffer.from(sha(part), "base64"))))}-2`;

  test("composite: of the checksums of the parts, which completion must repeat", async () => {
    const fixture = await startFixture();
    const { ask } = fixture;
    const uploadId = await begin(fixture, "key", { "x-amz-checksum-algorithm": "SHA256" });
    const bare = await ask("PUT", "key", { query: { partNumber: "1", uploadId }, body: first });
    expect([bare.status, bare.code]).toEqual([400, "InvalidRequest"]);
    const foreign = await ask("PUT", "key", {
      query: { partNumber: "1", uploadId },
      body: first,
      headers: { "x-amz-checksum-crc32": crc32Base64(first) },
    });
    expect([foreign.status, foreign.code]).toEqual([400, "InvalidRequest"]);
    for (const [partNumber, body] of [
      ["1", first],
      ["2", second],
      ["3", second],
    ] as const) {
      const put = await ask("PUT", "key", {
        query: { partNumber, uploadId },
        body,
        headers: { "x-amz-checksum-sha256": sha(body) },
      });
      expect([put.status, put.headers["x-amz-checksum-sha256"]]).toEqual([200, sha(body)]);
    }
    const listed = (more1: string, more2: string): string =>
      document([
        { ...one, more: more1 },
        { ...two, more: more2 },
      ]);
    const tag = (data: Uint8Array): string => `<ChecksumSHA256>${sha(data)}</ChecksumSHA256>`;
    const complete = (body: string, headers = {}): ReturnType<typeof ask> =>
      ask("POST", "key", { query: { uploadId }, body, headers });
    expect((await complete(listed(tag(first), ""))).code).toBe("InvalidRequest");
    expect((await complete(listed(tag(first), tag(first)))).code).toBe("InvalidPart");
    expect(
      (
        await complete(
          document([
            { ...one, more: tag(first) },
            { number: 3, etag: two.etag, more: tag(second) },
          ]),
        )
      ).code,
    ).toBe("InternalError");
    expect((await complete(listed(tag(first), tag(second)), { "x-amz-checksum-sha256": sha(whole) })).code).toBe(
      "BadDigest",
    );
    const done = await complete(listed(tag(first), tag(second)));
    expect([element(done.text, "ChecksumSHA256"), element(done.text, "ChecksumType")]).toEqual([
      composite,
      "COMPOSITE",
    ]);
    const head = await ask("HEAD", "key", { headers: { "x-amz-checksum-mode": "ENABLED" } });
    expect([head.headers["x-amz-checksum-sha256"], head.headers["x-amz-checksum-type"]]).toEqual([
      composite,
      "COMPOSITE",
    ]);
  });

  test("of all bytes, by an algorithm that the parts may leave out", async () => {
    const fixture = await startFixture();
    const { ask } = fixture;
    const uploadId = await withTwoParts(fixture, {
      "x-amz-checksum-algorithm": "CRC32",
      "x-amz-checksum-type": "FULL_OBJECT",
    });
    const parts = await ask("GET", "key", { query: { uploadId } });
    expect(elements(parts.text, "ChecksumCRC32")).toEqual([crc32Base64(first), crc32Base64(second)]);
    const done = await ask("POST", "key", {
      query: { uploadId },
      body: document([one, two]),
      headers: { "x-amz-checksum-crc32": crc32Base64(whole) },
    });
    expect([element(done.text, "ChecksumCRC32"), element(done.text, "ChecksumType")]).toEqual([
      crc32Base64(whole),
      "FULL_OBJECT",
    ]);
  });

  test.each([
    ["an algorithm that is none", { "x-amz-checksum-algorithm": "CRC16" }],
    ["a type without an algorithm", { "x-amz-checksum-type": "FULL_OBJECT" }],
    ["a type that is none", { "x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "PARTIAL" }],
    ["SHA of all bytes", { "x-amz-checksum-algorithm": "SHA1", "x-amz-checksum-type": "FULL_OBJECT" }],
    ["CRC64NVME of parts", { "x-amz-checksum-algorithm": "CRC64NVME", "x-amz-checksum-type": "COMPOSITE" }],
  ])("refuses %s", async (_, headers) => {
    const { ask } = await startFixture();
    const response = await ask("POST", "key", { query: { uploads: "" }, headers });
    expect([response.status, response.code]).toEqual([400, "InvalidRequest"]);
  });
});

describe("copied parts", () => {
  test.each<[string, Record<string, string>, Expected]>([
    ["all of it", {}, { status: 200 }],
    ["a range", { "x-amz-copy-source-range": "bytes=1-3" }, { status: 200 }],
    ["to its last byte", { "x-amz-copy-source-range": "bytes=9-9" }, { status: 200 }],
    ["beyond its end", { "x-amz-copy-source-range": "bytes=9-10" }, { status: 400, code: "InvalidArgument" }],
    ["an open range", { "x-amz-copy-source-range": "bytes=1-" }, { status: 400, code: "InvalidArgument" }],
    ["a range backwards", { "x-amz-copy-source-range": "bytes=3-1" }, { status: 400, code: "InvalidArgument" }],
    ["if it is it", { "x-amz-copy-source-if-match": `"${md5Hex("0123456789")}"` }, { status: 200 }],
    ["if it is another", { "x-amz-copy-source-if-match": one.etag }, { status: 412, code: "PreconditionFailed" }],
    ["with a header of CopyObject", { "x-amz-metadata-directive": "COPY" }, { status: 501, code: "NotImplemented" }],
  ])("%s", async (_, headers, expected) => {
    const fixture = await startFixture();
    const { ask, server } = fixture;
    await ask("PUT", "source", { body: "0123456789" });
    const uploadId = await begin(fixture);
    const response = await ask("PUT", "key", {
      query: { partNumber: "1", uploadId },
      headers: { "x-amz-copy-source": "bucket/source", ...headers },
    });
    expect(partsOf(response, expected)).toEqual(expected);
    if (expected.status !== 200) return;
    const range = /=(\d+)-(\d+)/.exec(headers["x-amz-copy-source-range"] ?? "");
    const copied = range === null ? "0123456789" : "0123456789".slice(Number(range[1]), Number(range[2]) + 1);
    const etag = `"${md5Hex(copied)}"`;
    expect(element(response.text, "ETag")).toBe(etag.replaceAll('"', "&quot;"));
    await ask("POST", "key", { query: { uploadId }, body: document([{ number: 1, etag }]) });
    expect(Buffer.from(server.objects("bucket").get("key")?.data ?? []).toString()).toBe(copied);
  });
});

test("parts are listed in pages, by number", async () => {
  const fixture = await startFixture();
  const { ask } = fixture;
  const uploadId = await begin(fixture);
  for (const partNumber of ["10", "2", "7"])
    await ask("PUT", "key", { query: { partNumber, uploadId }, body: "x".repeat(Number(partNumber)) });
  const page = await ask("GET", "key", { query: { uploadId, "max-parts": "2" } });
  expect([elements(page.text, "PartNumber"), elements(page.text, "Size")]).toEqual([
    ["2", "7"],
    ["2", "7"],
  ]);
  expect([element(page.text, "IsTruncated"), element(page.text, "NextPartNumberMarker")]).toEqual(["true", "7"]);
  const rest = await ask("GET", "key", { query: { uploadId, "part-number-marker": "7" } });
  expect([elements(rest.text, "PartNumber"), element(rest.text, "IsTruncated")]).toEqual([["10"], "false"]);
});

test("uploads are listed in pages, by key and then by age", async () => {
  const fixture = await startFixture();
  const { ask } = fixture;
  const ids: string[] = [];
  for (const key of ["b", "a", "b", "c/x"]) ids.push(await begin(fixture, key));
  const list = (query: Record<string, string>): ReturnType<typeof ask> =>
    ask("GET", "", { query: { uploads: "", ...query } });
  const all = await list({});
  expect(elements(all.text, "UploadId")).toEqual([ids[1], ids[0], ids[2], ids[3]]);
  expect(elements((await list({ prefix: "b" })).text, "UploadId")).toEqual([ids[0], ids[2]]);
  const page = await list({ "max-uploads": "2" });
  expect(element(page.text, "IsTruncated")).toBe("true");
  const markers = {
    "key-marker": element(page.text, "NextKeyMarker") ?? "",
    "upload-id-marker": element(page.text, "NextUploadIdMarker") ?? "",
  };
  expect(elements((await list(markers)).text, "UploadId")).toEqual([ids[2], ids[3]]);
  expect(elements((await list({ "key-marker": "b" })).text, "UploadId")).toEqual([ids[3]]);
  expect((await list({ delimiter: "/" })).code).toBe("NotImplemented");
});

// Goal: each request says what the S3 API wants said, and each answer is understood.
// Method: a server that remembers requests and plays answers in the form that AWS documents.
import { S3Client } from "@aws-sdk/client-s3";
import { crc64Combine, crc64Nvme, parseStoreUrl, systemClock, systemRandom } from "@varve/fs-core";
import { oddKeys } from "@varve/fs-core/testing";
import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { checksumText } from "../src/checksum-text.ts";
import { createS3Driver, storeBackend, type S3Settings } from "../src/index.ts";
import { call, driverAt, info, plainPut } from "./driver-under-test.ts";
import {
  type ReceivedRequest,
  type ScriptedAnswer,
  type ScriptedServer,
  startScriptedServer,
} from "./scripted-server.ts";

let server: ScriptedServer;
let driver: ReturnType<typeof driverAt>;
beforeAll(async () => {
  server = await startScriptedServer();
});
beforeEach(() => open());
afterEach(() => driver.close());
afterAll(() => server.close());

function open(settings: Partial<S3Settings> = {}): void {
  driver = driverAt(server.url, settings);
}

/** The only request since the last answer was given. */
function sent(): ReceivedRequest {
  expect(server.requests.length).toBe(1);
  return server.requests[0] as ReceivedRequest;
}

const date = "Tue, 01 Dec 2026 00:00:00 GMT";
const bytes = Buffer.from("0123456789");
const checksum = crc64Nvme(bytes);
const found: ScriptedAnswer = {
  status: 200,
  headers: { etag: '"v1"', "last-modified": date, "content-type": "text/plain", "x-amz-meta-a_b": "c d" },
  body: "0123456789",
};
const kept: ScriptedAnswer = { status: 200, headers: { etag: '"v1"' } };

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString();
}

const xml = (body: string): ScriptedAnswer => ({
  status: 200,
  headers: { "content-type": "application/xml" },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}`,
});

describe("keys", () => {
  const keys = [
    ...oddKeys,
    "a b",
    "a+b",
    "50%",
    "%20",
    "a#b",
    "a?b",
    "a&b=c;d",
    "é/ü",
    "日本/語",
    "😀",
    "(a)'b'!*",
    '"<q>"',
    "k".repeat(1024),
    `${"é".repeat(511)}ab`,
  ];

  test.for(keys)("%s is escaped once in a URL, and in the name of a source", async (key) => {
    server.play(found);
    await driver.head(key, call());
    const { target } = sent();
    expect(target).toMatch(/^\/logs\/[A-Za-z0-9._~%/-]+$/);
    expect(decodeURIComponent(target)).toBe(`/logs/${key}`);
    server.play(xml("<CopyObjectResult><ETag>&quot;v2&quot;</ETag></CopyObjectResult>"));
    await driver.copy({ ...info, key }, "to", { ...plainPut, ifSourceMatch: "v1" }, call());
    const source = sent().headers["x-amz-copy-source"] ?? "";
    expect(source).toMatch(/^logs\/[A-Za-z0-9._~%/-]+$/);
    expect(decodeURIComponent(source)).toBe(`logs/${key}`);
  });

  test.for(keys)("%s comes back from a listing, and goes into a deletion", async (key) => {
    // As S3 escapes names: a space is a plus.
    const escaped = encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/");
    server.play(
      xml(
        `<ListBucketResult><Name>logs</Name><IsTruncated>false</IsTruncated><EncodingType>url</EncodingType><Contents>` +
          `<Key>${escaped}</Key><LastModified>2026-12-01T00:00:00.000Z</LastModified><ETag>"v1"</ETag><Size>10</Size>` +
          `</Contents></ListBucketResult>`,
      ),
    );
    const page = await driver.listPage(
      { prefix: "", startAfter: undefined, delimiter: undefined, pageSize: 10, pageToken: undefined },
      call(),
    );
    expect(page.objects).toEqual([{ key, size: 10, version: "v1", lastModifiedMs: Date.parse(date) }]);
    server.play(xml("<DeleteResult/>"));
    expect(await driver.deleteMany?.([key, "other"], call())).toEqual([]);
    const text = sent()
      .body.toString()
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&quot;", '"')
      .replaceAll(/&apos;|&#39;/g, "'")
      .replaceAll("&amp;", "&");
    expect(text).toContain(`<Key>${key}</Key>`);
  });

  test("a prefix lies before every key, and counts towards the longest", async () => {
    open({ prefix: "a b/c" });
    expect(driver.url).toBe("s3://logs/a%20b/c");
    expect(driver.capabilities.limits.keyBytesMax).toBe(1024 - 6);
    server.play(found);
    await driver.head("k", call());
    expect(sent().target).toBe("/logs/a%20b/c/k");
  });
});

describe("head and get", () => {
  test("what is there", async () => {
    server.play(found);
    expect(await driver.head("k", call())).toEqual({
      key: "k",
      size: 10,
      version: "v1",
      lastModifiedMs: Date.parse(date),
      metadata: { a_b: "c d" },
      contentType: "text/plain",
      checksum: undefined,
    });
    expect(sent().headers["x-amz-checksum-mode"]).toBe("ENABLED");
  });

  test("what is not there", async () => {
    server.play({ status: 404 });
    expect(await driver.head("k", call())).toBeUndefined();
  });

  test("the store's checksum, unless it is one of checksums", async () => {
    const withChecksum = (text: string): ScriptedAnswer => ({
      ...found,
      headers: { ...found.headers, "x-amz-checksum-crc64nvme": text },
    });
    server.play(withChecksum(checksumText(checksum)));
    const body = await driver.get("k", {}, call());
    expect(body.info.checksum).toBe(checksum);
    expect(sent().headers["x-amz-checksum-mode"]).toBe("ENABLED");
    expect(sent().headers["authorization"]).toContain("x-amz-checksum-mode");
    server.play(withChecksum(`${checksumText(checksum)}-2`));
    expect((await driver.head("k", call()))?.checksum).toBeUndefined();
  });

  test("bytes as they are, with a checksum that does not fit them: that is for the engine to find", async () => {
    server.play({ ...found, headers: { ...found.headers, "x-amz-checksum-crc64nvme": checksumText(1n) } });
    const { chunks } = await driver.get("k", {}, call());
    expect(await textOf(chunks)).toBe("0123456789");
  });

  test("without checksums of the store, none is asked for", async () => {
    open({ checksumMode: "metadata" });
    server.play(found);
    await driver.get("k", {}, call());
    expect(sent().headers["x-amz-checksum-mode"]).toBeUndefined();
  });

  test.for([
    [{ offset: 2, length: 3 }, "bytes=2-4", 2],
    [{ offset: 2 }, "bytes=2-", 2],
    [{ suffixLength: 3 }, "bytes=-3", 7],
  ] as const)("a range: %o", async ([range, header, offset]) => {
    const body = "0123456789".slice(offset, offset + 3);
    server.play({
      ...found,
      status: 206,
      headers: { ...found.headers, "content-range": `bytes ${offset}-${offset + 2}/10` },
      body,
    });
    const answer = await driver.get("k", { range, ifMatch: "v1" }, call());
    expect(sent().headers).toMatchObject({ range: header, "if-match": '"v1"' });
    // What would come with it may be the checksum of a part.
    expect(sent().headers["x-amz-checksum-mode"]).toBeUndefined();
    expect(answer.range).toEqual({ offset, length: 3 });
    expect(answer.info.size).toBe(10);
    expect(await textOf(answer.chunks)).toBe(body);
  });

  test("versions without quotes, for servers that compare them so", async () => {
    open({ etagQuotes: "bare" });
    server.play(found);
    await driver.get("k", { ifMatch: "v1" }, call());
    expect(sent().headers["if-match"]).toBe("v1");
  });
});

describe("put, copy, delete", () => {
  test("bytes, metadata, condition and checksum", async () => {
    server.play({ ...kept, headers: { ...kept.headers, "x-amz-checksum-crc64nvme": checksumText(checksum) } });
    const put = { metadata: { varve_put_id: "7f" }, contentType: "text/plain", checksum, ifAbsent: true };
    expect(await driver.put("k", bytes, put, call())).toEqual({ version: "v1" });
    const { method, headers, body } = sent();
    expect(method).toBe("PUT");
    expect(body.equals(bytes)).toBe(true);
    expect(headers).toMatchObject({
      "content-length": "10",
      "content-type": "text/plain",
      "if-none-match": "*",
      "x-amz-meta-varve_put_id": "7f",
      "x-amz-checksum-crc64nvme": checksumText(checksum),
      "x-amz-content-sha256": createHash("sha256").update(bytes).digest("hex"),
    });
    expect(headers["expect"]).toBeUndefined();
    expect(Object.keys(headers).filter((name) => name.startsWith("x-amz-checksum"))).toHaveLength(1);
  });

  test("no bytes, and no checksum in the mode without", async () => {
    open({ checksumMode: "metadata" });
    server.play(kept);
    await driver.put("k", new Uint8Array(0), { ...plainPut, checksum: 0n, ifMatch: "v0" }, call());
    const { headers, body } = sent();
    expect(headers).toMatchObject({ "content-length": "0", "if-match": '"v0"' });
    expect(body.byteLength).toBe(0);
    expect(Object.keys(headers).filter((name) => name.includes("checksum"))).toEqual([]);
    expect(driver.capabilities.checksum).toBe("none");
  });

  test("a view of a larger buffer is sent as that view", async () => {
    server.play(kept);
    await driver.put("k", new Uint8Array(new Uint8Array([1, 2, 3, 4, 5]).buffer, 1, 3), plainPut, call());
    expect([...sent().body]).toEqual([2, 3, 4]);
  });

  test("a store that kept other bytes", async () => {
    server.play({ ...kept, headers: { ...kept.headers, "x-amz-checksum-crc64nvme": checksumText(5n) } });
    await expect(driver.put("k", bytes, { ...plainPut, checksum }, call())).rejects.toMatchObject({
      code: "CORRUPT",
      outcome: "unknown",
    });
  });

  test("class and encryption, wherever an object begins", async () => {
    open({ storageClass: "STANDARD_IA", serverSideEncryption: "aws:kms", kmsKeyId: "key-1" });
    const wanted = {
      "x-amz-storage-class": "STANDARD_IA",
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": "key-1",
    };
    server.play(kept);
    await driver.put("k", bytes, plainPut, call());
    expect(sent().headers).toMatchObject(wanted);
    server.play(xml("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"));
    await driver.beginUpload("k", plainPut, call());
    expect(sent().headers).toMatchObject(wanted);
    server.play(xml("<CopyObjectResult><ETag>e</ETag></CopyObjectResult>"));
    await driver.copy(info, "k", { ...plainPut, ifSourceMatch: "v1" }, call());
    expect(sent().headers).toMatchObject(wanted);
  });

  test("a copy replaces metadata, on conditions for both ends", async () => {
    server.play(
      xml(
        `<CopyObjectResult><ETag>&quot;v2&quot;</ETag><ChecksumCRC64NVME>${checksumText(7n)}</ChecksumCRC64NVME></CopyObjectResult>`,
      ),
    );
    const copy = { ...plainPut, metadata: { a: "b" }, ifSourceMatch: "v1", ifAbsent: true };
    expect(await driver.copy(info, "to", { ...copy, checksum: 7n }, call())).toEqual({ version: "v2" });
    expect(sent().headers).toMatchObject({
      "x-amz-copy-source": "logs/from",
      "x-amz-copy-source-if-match": '"v1"',
      "x-amz-metadata-directive": "REPLACE",
      "x-amz-meta-a": "b",
      "content-type": "text/plain",
      "if-none-match": "*",
      "x-amz-checksum-algorithm": "CRC64NVME",
    });
    await expect(driver.copy(info, "to", { ...copy, checksum: 8n }, call())).rejects.toMatchObject({ code: "CORRUPT" });
  });

  test("a deletion, on a condition or not; nothing there is fine", async () => {
    server.play({ status: 204 });
    await driver.delete("k", { ifMatch: "v1" }, call());
    expect(sent()).toMatchObject({ method: "DELETE", headers: { "if-match": '"v1"' } });
    server.play({ ...xml("<Error><Code>NoSuchKey</Code></Error>"), status: 404 });
    await driver.delete("k", {}, call());
  });

  test("many deletions: what failed is told, what was gone is not", async () => {
    open({ prefix: "p" });
    server.play(
      xml(
        "<DeleteResult><Error><Key>p/a</Key><Code>AccessDenied</Code><Message>no</Message></Error>" +
          "<Error><Key>p/b</Key><Code>NoSuchKey</Code></Error>" +
          "<Error><Key>p/c</Key><Code>InternalError</Code></Error>" +
          "<Error><Key>p/d</Key><Code>SlowDown</Code></Error></DeleteResult>",
      ),
    );
    const failures = (await driver.deleteMany?.(["a", "b", "c", "d", "e"], call())) ?? [];
    expect(failures.map(({ key }) => key)).toEqual(["a", "c", "d"]);
    expect(failures.map(({ error }) => error)).toMatchObject([
      { code: "PERMISSION_DENIED", key: "a", outcome: "none" },
      { code: "UNAVAILABLE", outcome: "unknown" },
      { code: "THROTTLED", outcome: "none" },
    ]);
    const { target, headers, body } = sent();
    expect(target).toMatch(/^\/logs\/?\?delete=?$/);
    expect(body.toString()).toContain("<Quiet>true</Quiet>");
    expect(headers["content-md5"]).toBe(createHash("md5").update(body).digest("base64"));
  });
});

describe("uploads in parts", () => {
  const first = { number: 1, size: 4, tag: '"p1"', checksum: crc64Nvme(bytes.subarray(0, 4)) };
  const second = { number: 2, size: 6, tag: '"p2"', checksum: crc64Nvme(bytes.subarray(4)) };
  const done = (text: string): ScriptedAnswer =>
    xml(
      `<CompleteMultipartUploadResult><ETag>&quot;v-2&quot;</ETag><ChecksumCRC64NVME>${text}</ChecksumCRC64NVME></CompleteMultipartUploadResult>`,
    );

  test("begun with the kind of checksum", async () => {
    server.play(xml("<InitiateMultipartUploadResult><UploadId>a+b/c</UploadId></InitiateMultipartUploadResult>"));
    expect(await driver.beginUpload("k", { ...plainPut, metadata: { a: "b" } }, call())).toBe("a+b/c");
    expect(sent().headers).toMatchObject({
      "x-amz-checksum-algorithm": "CRC64NVME",
      "x-amz-checksum-type": "FULL_OBJECT",
      "x-amz-meta-a": "b",
    });
  });

  test("a part with its checksum", async () => {
    server.play({ status: 200, headers: { etag: '"p1"', "x-amz-checksum-crc64nvme": checksumText(first.checksum) } });
    const part = { number: 1, offset: 0, bytes: bytes.subarray(0, 4), checksum: first.checksum, isLast: false };
    expect(await driver.uploadPart("k", "a+b/c", part, call())).toEqual(first);
    const { target, headers, body } = sent();
    expect(new URL(target, "http://x").searchParams.get("uploadId")).toBe("a+b/c");
    expect(new URL(target, "http://x").searchParams.get("partNumber")).toBe("1");
    expect(headers["x-amz-checksum-crc64nvme"]).toBe(checksumText(first.checksum));
    expect(body.toString()).toBe("0123");
  });

  test("a part from another object", async () => {
    server.play(xml(`<CopyPartResult><ETag>"p2"</ETag></CopyPartResult>`));
    const part = { number: 2, from: { ...info, key: "a b" }, offset: 4, size: 6 };
    expect(await driver.uploadPartCopy?.("k", "u", part, call())).toEqual({
      number: 2,
      size: 6,
      tag: '"p2"',
      checksum: undefined,
    });
    expect(sent().headers).toMatchObject({
      "x-amz-copy-source": "logs/a%20b",
      "x-amz-copy-source-if-match": '"v1"',
      "x-amz-copy-source-range": "bytes=4-9",
    });
  });

  test("completed with the whole's checksum, put together from the parts'", async () => {
    const whole = crc64Combine(first.checksum, second.checksum, second.size);
    expect(whole).toBe(checksum);
    server.play(done(checksumText(whole)));
    const complete = { ...plainPut, size: 10, ifAbsent: true };
    expect(await driver.completeUpload("k", "u", [first, second], complete, call())).toEqual({ version: "v-2" });
    const { headers, body } = sent();
    expect(headers).toMatchObject({
      "if-none-match": "*",
      "x-amz-checksum-crc64nvme": checksumText(checksum),
      "x-amz-checksum-type": "FULL_OBJECT",
      "x-amz-mp-object-size": "10",
    });
    expect(body.toString().replaceAll(/\s+/g, "")).toContain(
      `<ETag>"p1"</ETag>`.replaceAll('"', body.includes("&quot;") ? "&quot;" : '"'),
    );
    expect(body.toString().match(/<PartNumber>(\d)<\/PartNumber>/g)).toHaveLength(2);
  });

  test("parts that do not make the whole are not completed; a store that made another is not believed", async () => {
    server.play(done(checksumText(5n)));
    await expect(
      driver.completeUpload("k", "u", [first, second], { ...plainPut, checksum: 5n, size: 10 }, call()),
    ).rejects.toMatchObject({ code: "CORRUPT", outcome: "none" });
    expect(server.requests.length).toBe(0);
    await expect(
      driver.completeUpload("k", "u", [first, second], { ...plainPut, size: 10 }, call()),
    ).rejects.toMatchObject({ code: "CORRUPT", outcome: "unknown" });
  });

  test("without checksums of the store, none is sent", async () => {
    open({ checksumMode: "metadata" });
    server.play(xml(`<CompleteMultipartUploadResult><ETag>"v-2"</ETag></CompleteMultipartUploadResult>`));
    await driver.completeUpload("k", "u", [first, second], { ...plainPut, checksum, size: 10 }, call());
    const { headers, body } = sent();
    expect(Object.keys(headers).filter((name) => /checksum|mp-object-size/.test(name))).toEqual([]);
    expect(body.toString()).not.toContain("CRC64");
  });

  test("dropped, and dropped again", async () => {
    server.play({ status: 204 }, { ...xml("<Error><Code>NoSuchUpload</Code></Error>"), status: 404 });
    await driver.abortUpload("k", "u", call());
    await driver.abortUpload("k", "u", call());
  });
});

describe("listings", () => {
  test("a page with folders, from a place on", async () => {
    open({ prefix: "p q" });
    server.play(
      xml(
        `<ListBucketResult><Name>logs</Name><IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>` +
          `<NextContinuationToken>t+1/=</NextContinuationToken>` +
          `<Contents><Key>p+q/</Key><LastModified>2026-12-01T00:00:00.000Z</LastModified><ETag>"v"</ETag><Size>0</Size></Contents>` +
          `<Contents><Key>p+q/x/a%2Bb</Key><LastModified>2026-12-01T00:00:00.000Z</LastModified><ETag>&quot;v&quot;</ETag><Size>3</Size></Contents>` +
          `<CommonPrefixes><Prefix>p+q/x/f/</Prefix></CommonPrefixes></ListBucketResult>`,
      ),
    );
    const request = { prefix: "x/", startAfter: "x/a", delimiter: "/", pageSize: 7 } as const;
    expect(await driver.listPage({ ...request, pageToken: undefined }, call())).toEqual({
      objects: [{ key: "x/a+b", size: 3, version: "v", lastModifiedMs: Date.parse(date) }],
      prefixes: ["x/f/"],
      nextPageToken: "t+1/=",
    });
    const query = (): Record<string, string> => Object.fromEntries(new URL(sent().target, "http://x").searchParams);
    expect(query()).toEqual({
      "list-type": "2",
      prefix: "p q/x/",
      "start-after": "p q/x/a",
      delimiter: "/",
      "max-keys": "7",
      "encoding-type": "url",
    });
    server.play(xml("<ListBucketResult><Name>logs</Name><IsTruncated>false</IsTruncated></ListBucketResult>"));
    await driver.listPage({ ...request, pageToken: "t+1/=" }, call());
    expect(query()).toMatchObject({ "continuation-token": "t+1/=" });
    expect(query()).not.toHaveProperty("start-after");
  });

  test("a server that does not escape names", async () => {
    server.play(
      xml(
        `<ListBucketResult><Name>logs</Name><IsTruncated>false</IsTruncated><Contents><Key>a+b%20</Key>` +
          `<LastModified>2026-12-01T00:00:00.000Z</LastModified><ETag>v</ETag><Size>3</Size></Contents></ListBucketResult>`,
      ),
    );
    const request = { prefix: "", startAfter: undefined, delimiter: undefined, pageSize: 7, pageToken: undefined };
    expect((await driver.listPage(request, call())).objects[0]?.key).toBe("a+b%20");
  });

  test("uploads under way, page by page", async () => {
    server.play(
      xml(
        `<ListMultipartUploadsResult><Bucket>logs</Bucket><IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>` +
          `<NextKeyMarker>a%2Bb</NextKeyMarker><NextUploadIdMarker>u1</NextUploadIdMarker>` +
          `<Upload><Key>a%2Bb</Key><UploadId>u1</UploadId><Initiated>2026-12-01T00:00:00.000Z</Initiated></Upload></ListMultipartUploadsResult>`,
      ),
    );
    const page = await driver.listUploadsPage?.({ prefix: "a", pageToken: undefined }, call());
    expect(page?.uploads).toEqual([{ key: "a+b", uploadId: "u1", startedMs: Date.parse(date) }]);
    server.play(xml("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>"));
    expect(await driver.listUploadsPage?.({ prefix: "a", pageToken: page?.nextPageToken }, call())).toEqual({
      uploads: [],
      nextPageToken: undefined,
    });
    const { searchParams } = new URL(sent().target, "http://x");
    expect([searchParams.get("key-marker"), searchParams.get("upload-id-marker")]).toEqual(["a+b", "u1"]);
  });
});

describe("directory buckets", () => {
  test("what they can and cannot do", () => {
    open({ express: true });
    expect(driver.capabilities).toMatchObject({
      rename: true,
      uniqueVersions: true,
      orderedList: false,
      listAnyPrefix: false,
      listStartAfter: false,
    });
    const name = "logs--use1-az4--x-s3";
    expect(createS3Driver({ bucket: name, region: "us-east-1" }).capabilities.rename).toBe(true);
    expect(createS3Driver({ bucket: "logs", region: "us-east-1" }).capabilities).toMatchObject({
      rename: false,
      orderedList: true,
      checksum: "crc64nvme",
      limits: { objectBytesMax: 10_000 * 5 * 2 ** 30 },
    });
  });

  test("a rename, each under a name of its own", async () => {
    open({ express: true, prefix: "p" });
    server.play({ status: 200 });
    await driver.rename?.("a b", "c+d", { ifAbsent: true }, call());
    await driver.rename?.("a b", "c+d", { ifAbsent: false }, call());
    const [first, second] = server.requests;
    expect(first?.target).toMatch(/^\/logs\/p\/c%2Bd\?renameObject/);
    expect(first?.headers).toMatchObject({ "x-amz-rename-source": "p/a%20b", "if-none-match": "*" });
    expect(second?.headers["if-none-match"]).toBeUndefined();
    const tokens = [first, second].map((request) => request?.headers["x-amz-client-token"]);
    expect(tokens[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(tokens[0]).not.toBe(tokens[1]);
    server.play({ ...xml("<Error><Code>PreconditionFailed</Code></Error>"), status: 412 });
    await expect(driver.rename?.("a", "b", { ifAbsent: true }, call())).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
      key: "b",
    });
  });
});

describe("a client of the caller's", () => {
  const config = {
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
  } as const;

  test("is used, and stays open", async () => {
    const client = new S3Client({
      ...config,
      endpoint: server.url,
      maxAttempts: 1,
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
    });
    let isDestroyed = false;
    const destroy = client.destroy.bind(client);
    client.destroy = () => {
      isDestroyed = true;
      destroy();
    };
    const own = createS3Driver({ bucket: "logs", client });
    server.play(found);
    expect(await own.head("k", call())).toMatchObject({ size: 10 });
    await own.close();
    expect(isDestroyed).toBe(false);
    client.destroy();
  });

  test("is refused when it would retry or change what is sent", async () => {
    const client = new S3Client({ ...config, endpoint: server.url });
    const own = createS3Driver({ bucket: "logs", client });
    server.play(found);
    await expect(own.head("k", call())).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(/maxAttempts.*requestChecksumCalculation.*responseChecksumValidation/),
    });
    expect(server.requests.length).toBe(0);
    client.destroy();
  });
});

describe("the registry's door", () => {
  const parts = { clock: systemClock, random: systemRandom };

  test("opens below the URL, and refuses what the URL says", async () => {
    const url = parseStoreUrl("s3://logs/a/b");
    const opened = await storeBackend.open(url, { region: "us-east-1" }, parts);
    expect(opened.url).toBe(url.href);
    await opened.close();
    await expect(storeBackend.open(url, { bucket: "other", prefix: "" }, parts)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("bucket, prefix"),
    });
    await expect(storeBackend.open(url, { regoin: "x" }, parts)).rejects.toMatchObject({
      message: expect.stringContaining("did you mean region?"),
    });
  });

  test("a closed driver sends nothing", async () => {
    server.play(found);
    await driver.close();
    await driver.close();
    await expect(driver.head("k", call())).rejects.toMatchObject({ code: "CLOSED" });
    expect(server.requests.length).toBe(0);
  });
});

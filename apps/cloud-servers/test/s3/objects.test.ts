// Goal: objects are written, read and deleted under the conditions, ranges and limits of S3.
// Method: a table of raw requests against one object, with the exact status, code and headers of each.
import { expect, test } from "vitest";
import { type Expected, md5Hex, partsOf, startFixture } from "./fixture.ts";

const data = "0123456789";
const etag = `"${md5Hex(data)}"`;
const other = `"${md5Hex("x")}"`;

interface Row {
  readonly method: string;
  readonly key?: string;
  readonly headers?: Record<string, string>;
  readonly query?: Record<string, string>;
  readonly body?: string;
}

test.each<[string, Row, Expected]>([
  [
    "get",
    { method: "GET" },
    {
      status: 200,
      text: data,
      headers: {
        etag,
        "content-length": "10",
        "content-type": "text/plain",
        "x-amz-meta-color": "blue",
        "accept-ranges": "bytes",
        "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT",
        "content-range": undefined,
      },
    },
  ],
  [
    "head",
    { method: "HEAD" },
    { status: 200, text: "", headers: { etag, "content-length": "10", "x-amz-meta-color": "blue" } },
  ],
  ["get nothing", { method: "GET", key: "none" }, { status: 404, code: "NoSuchKey" }],
  ["head nothing", { method: "HEAD", key: "none" }, { status: 404, text: "", headers: { "content-length": "0" } }],
  [
    "bytes=0-3",
    { method: "GET", headers: { range: "bytes=0-3" } },
    { status: 206, text: "0123", headers: { "content-range": "bytes 0-3/10", "content-length": "4" } },
  ],
  [
    "bytes=4-",
    { method: "GET", headers: { range: "bytes=4-" } },
    { status: 206, text: "456789", headers: { "content-range": "bytes 4-9/10" } },
  ],
  [
    "bytes=-3",
    { method: "GET", headers: { range: "bytes=-3" } },
    { status: 206, text: "789", headers: { "content-range": "bytes 7-9/10" } },
  ],
  [
    "bytes=-99",
    { method: "GET", headers: { range: "bytes=-99" } },
    { status: 206, text: data, headers: { "content-range": "bytes 0-9/10" } },
  ],
  [
    "bytes=8-99",
    { method: "GET", headers: { range: "bytes=8-99" } },
    { status: 206, text: "89", headers: { "content-range": "bytes 8-9/10" } },
  ],
  ["bytes=10-", { method: "GET", headers: { range: "bytes=10-" } }, { status: 416, code: "InvalidRange" }],
  ["bytes=-0", { method: "GET", headers: { range: "bytes=-0" } }, { status: 416, code: "InvalidRange" }],
  [
    "a range of nothing",
    { method: "GET", key: "empty", headers: { range: "bytes=0-0" } },
    { status: 416, code: "InvalidRange" },
  ],
  ["a range that is none", { method: "GET", headers: { range: "bytes=5-2" } }, { status: 200, text: data }],
  ["several ranges", { method: "GET", headers: { range: "bytes=0-1,3-4" } }, { status: 501, code: "NotImplemented" }],
  [
    "head of a range",
    { method: "HEAD", headers: { range: "bytes=0-3" } },
    { status: 206, text: "", headers: { "content-length": "4", "content-range": "bytes 0-3/10" } },
  ],
  ["If-Match", { method: "GET", headers: { "if-match": etag } }, { status: 200, text: data }],
  [
    "If-Match of another",
    { method: "GET", headers: { "if-match": other } },
    { status: 412, code: "PreconditionFailed" },
  ],
  ["head with If-Match of another", { method: "HEAD", headers: { "if-match": other } }, { status: 412, text: "" }],
  [
    "If-None-Match",
    { method: "GET", headers: { "if-none-match": etag } },
    { status: 304, text: "", headers: { etag, "content-length": undefined } },
  ],
  ["If-None-Match of another", { method: "GET", headers: { "if-none-match": other } }, { status: 200, text: data }],
  ["If-None-Match *", { method: "HEAD", headers: { "if-none-match": "*" } }, { status: 304 }],
  [
    "If-Modified-Since",
    { method: "GET", headers: { "if-modified-since": "Tue, 14 Nov 2023 22:13:20 GMT" } },
    { status: 501, code: "NotImplemented" },
  ],
  [
    "create",
    { method: "PUT", key: "new", headers: { "if-none-match": "*" }, body: "x" },
    { status: 200, headers: { etag: other } },
  ],
  [
    "create what is there",
    { method: "PUT", headers: { "if-none-match": "*" }, body: "x" },
    { status: 412, code: "PreconditionFailed" },
  ],
  [
    "create unless an ETag",
    { method: "PUT", headers: { "if-none-match": etag }, body: "x" },
    { status: 501, code: "NotImplemented" },
  ],
  ["replace", { method: "PUT", headers: { "if-match": etag }, body: "x" }, { status: 200, headers: { etag: other } }],
  ["replace without quotes", { method: "PUT", headers: { "if-match": md5Hex(data) }, body: "x" }, { status: 200 }],
  [
    "replace another",
    { method: "PUT", headers: { "if-match": other }, body: "x" },
    { status: 412, code: "PreconditionFailed" },
  ],
  [
    "replace nothing",
    { method: "PUT", key: "none", headers: { "if-match": etag }, body: "x" },
    { status: 404, code: "NoSuchKey" },
  ],
  ["delete", { method: "DELETE" }, { status: 204, text: "", headers: { "content-length": undefined } }],
  ["delete nothing", { method: "DELETE", key: "none" }, { status: 204 }],
  ["delete the one", { method: "DELETE", headers: { "if-match": etag } }, { status: 204 }],
  ["delete any", { method: "DELETE", headers: { "if-match": "*" } }, { status: 204 }],
  ["delete another", { method: "DELETE", headers: { "if-match": other } }, { status: 412, code: "PreconditionFailed" }],
  [
    "delete nothing on a condition",
    { method: "DELETE", key: "none", headers: { "if-match": "*" } },
    { status: 404, code: "NoSuchKey" },
  ],
  ["a key of 1024 bytes", { method: "PUT", key: "é".repeat(512), body: "x" }, { status: 200 }],
  [
    "a key of 1025 bytes",
    { method: "PUT", key: `${"é".repeat(512)}a`, body: "x" },
    { status: 400, code: "KeyTooLongError" },
  ],
  [
    "2048 bytes of metadata",
    { method: "PUT", headers: { "x-amz-meta-a": "v".repeat(2047) }, body: "x" },
    { status: 200 },
  ],
  [
    "2049 bytes of metadata",
    { method: "PUT", headers: { "x-amz-meta-ab": "v".repeat(2047) }, body: "x" },
    { status: 400, code: "MetadataTooLarge" },
  ],
  ["the standard class", { method: "PUT", headers: { "x-amz-storage-class": "STANDARD" }, body: "x" }, { status: 200 }],
  [
    "another class",
    { method: "PUT", headers: { "x-amz-storage-class": "GLACIER" }, body: "x" },
    { status: 501, code: "NotImplemented" },
  ],
])("%s", async (_, { method, key = "key", headers = {}, query = {}, body }, expected) => {
  const { ask, server } = await startFixture();
  await ask("PUT", "key", { body: data, headers: { "content-type": "text/plain", "x-amz-meta-color": "blue" } });
  await ask("PUT", "empty", { body: "" });
  const response = await ask(method, key, { headers, query, ...(body !== undefined && { body }) });
  expect(partsOf(response, expected)).toEqual(expected);
  if (method === "DELETE") expect(server.objects("bucket").has("key")).toBe(key !== "key" || expected.status !== 204);
  if (method === "PUT" && expected.status !== 200) expect(server.objects("bucket").get("key")?.etag).toBe(etag);
});

test("metadata comes back as it went, and a new object has none of the old one's", async () => {
  const { ask, clock } = await startFixture();
  const system = {
    "cache-control": "no-store",
    "content-disposition": "inline",
    "content-language": "de",
    expires: "0",
  };
  await ask("PUT", "key", { body: data, headers: { ...system, "x-amz-meta-size": "10" } });
  const first = await ask("HEAD", "key");
  expect(first.headers).toMatchObject({ ...system, "x-amz-meta-size": "10", "content-type": "binary/octet-stream" });
  clock.advance(61_000);
  await ask("PUT", "key", { body: "x" });
  const second = await ask("HEAD", "key");
  expect(second.headers["cache-control"]).toBeUndefined();
  expect(second.headers["x-amz-meta-size"]).toBeUndefined();
  expect(second.headers["last-modified"]).toBe("Tue, 14 Nov 2023 22:14:21 GMT");
});

test("of 20 conditional creators exactly one wins, whichever way they take", async () => {
  const { ask, server } = await startFixture();
  await ask("PUT", "source", { body: "source" });
  const puts = Array.from({ length: 20 }, (_, index) =>
    index % 2 === 0
      ? ask("PUT", "key", { body: `writer ${index}`, headers: { "if-none-match": "*" } })
      : ask("PUT", "key", { headers: { "if-none-match": "*", "x-amz-copy-source": "bucket/source" } }),
  );
  const responses = await Promise.all(puts);
  const statuses = responses.map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  expect(statuses.filter((status) => status === 412)).toHaveLength(19);
  const winner = statuses.indexOf(200);
  const stored = Buffer.from(server.objects("bucket").get("key")?.data ?? []).toString();
  expect(stored).toBe(winner % 2 === 0 ? `writer ${winner}` : "source");
});

test("of 20 conditional replacers of one version exactly one wins", async () => {
  const { ask } = await startFixture();
  await ask("PUT", "key", { body: data });
  const puts = Array.from({ length: 20 }, (_, index) =>
    ask("PUT", "key", { body: `writer ${index}`, headers: { "if-match": etag } }),
  );
  const statuses = (await Promise.all(puts)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  expect(statuses.filter((status) => status === 412)).toHaveLength(19);
});

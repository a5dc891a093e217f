// Goal: CopyObject copies what its source is at that moment, under conditions on both ends, or says why not.
// Method: a table of raw requests; what the destination holds afterwards.
import { expect, test } from "vitest";
import { element, type Expected, md5Hex, partsOf, startFixture } from "./fixture.ts";
import { send } from "./raw-client.ts";

const data = "0123456789";
const etag = `"${md5Hex(data)}"`;
const other = `"${md5Hex("x")}"`;
const from = (source: string, more: Record<string, string> = {}): Record<string, string> => ({
  "x-amz-copy-source": source,
  ...more,
});

test.each<[string, Record<string, string>, Expected, string?]>([
  ["from the same bucket", from("bucket/a%20b/%C3%A9"), { status: 200 }],
  ["with a leading slash", from("/bucket/a%20b/%C3%A9"), { status: 200 }],
  ["with an encoded slash", from("bucket%2Fa%20b%2F%C3%A9"), { status: 200 }],
  ["from no key", from("bucket"), { status: 400, code: "InvalidArgument" }],
  ["from a key that is not there", from("bucket/none"), { status: 404, code: "NoSuchKey" }],
  ["from a bucket that is not there", from("none/a"), { status: 404, code: "NoSuchBucket" }],
  ["from a version", from("bucket/a%20b/%C3%A9?versionId=1"), { status: 501, code: "NotImplemented" }],
  ["from bad encoding", from("bucket/a%2"), { status: 400, code: "InvalidURI" }],
  ["if the source is it", from("bucket/a%20b/%C3%A9", { "x-amz-copy-source-if-match": etag }), { status: 200 }],
  [
    "if the source is another",
    from("bucket/a%20b/%C3%A9", { "x-amz-copy-source-if-match": other }),
    { status: 412, code: "PreconditionFailed" },
  ],
  [
    "unless the source is it",
    from("bucket/a%20b/%C3%A9", { "x-amz-copy-source-if-none-match": etag }),
    { status: 412, code: "PreconditionFailed" },
  ],
  [
    "if the source changed since",
    from("bucket/a%20b/%C3%A9", { "x-amz-copy-source-if-modified-since": "Tue, 14 Nov 2023 22:13:20 GMT" }),
    { status: 501, code: "NotImplemented" },
  ],
  ["if there is no destination", from("bucket/a%20b/%C3%A9", { "if-none-match": "*" }), { status: 200 }],
  [
    "if there is none, but there is",
    from("bucket/a%20b/%C3%A9", { "if-none-match": "*" }),
    { status: 412, code: "PreconditionFailed" },
    "taken",
  ],
  ["over what it knows", from("bucket/a%20b/%C3%A9", { "if-match": other }), { status: 200 }, "taken"],
  [
    "over what it does not",
    from("bucket/a%20b/%C3%A9", { "if-match": etag }),
    { status: 412, code: "PreconditionFailed" },
    "taken",
  ],
  ["onto itself", from("bucket/taken"), { status: 400, code: "InvalidRequest" }, "taken"],
  [
    "with a directive that is none",
    from("bucket/taken", { "x-amz-metadata-directive": "MERGE" }),
    { status: 400, code: "InvalidArgument" },
  ],
  [
    "with a checksum that is none",
    from("bucket/taken", { "x-amz-checksum-algorithm": "CRC16" }),
    { status: 400, code: "InvalidRequest" },
  ],
  ["with an ACL", from("bucket/taken", { "x-amz-acl": "private" }), { status: 501, code: "NotImplemented" }],
])("%s", async (_, headers, expected, key = "copy") => {
  const { ask, server } = await startFixture();
  await ask("PUT", "a b/é", { body: data });
  await ask("PUT", "taken", { body: "x" });
  const before = server.objects("bucket").get(key)?.etag;
  const response = await ask("PUT", key, { headers });
  expect(partsOf(response, expected)).toEqual(expected);
  expect(server.objects("bucket").get(key)?.etag).toBe(expected.status === 200 ? etag : before);
  if (expected.status === 200) {
    expect(element(response.text, "ETag")).toBe(etag.replaceAll('"', "&quot;"));
    expect(element(response.text, "LastModified")).toBe("2023-11-14T22:13:20.000Z");
  }
});

test("metadata is the source's, or what the request says", async () => {
  const { ask } = await startFixture();
  await ask("PUT", "key", { body: data, headers: { "x-amz-meta-color": "blue", "content-type": "text/plain" } });
  const replace = { "x-amz-copy-source": "bucket/key", "x-amz-meta-size": "10" };
  await ask("PUT", "copied", { headers: replace });
  expect((await ask("HEAD", "copied")).headers).toMatchObject({
    "x-amz-meta-color": "blue",
    "content-type": "text/plain",
  });
  for (const key of ["replaced", "key"]) {
    await ask("PUT", key, { headers: { ...replace, "x-amz-metadata-directive": "REPLACE" } });
    const { headers } = await ask("HEAD", key);
    expect([headers["x-amz-meta-color"], headers["x-amz-meta-size"]]).toEqual([undefined, "10"]);
    expect(headers["content-type"]).toBe("binary/octet-stream");
  }
});

test("the checksum is of the source's kind, or the one asked for", async () => {
  const { ask } = await startFixture();
  await ask("PUT", "key", { body: "123456789", headers: { "x-amz-checksum-crc32": "y/Q5Jg==" } });
  const same = await ask("PUT", "same", { headers: from("bucket/key") });
  expect([element(same.text, "ChecksumCRC32"), element(same.text, "ChecksumType")]).toEqual([
    "y/Q5Jg==",
    "FULL_OBJECT",
  ]);
  const asked = await ask("PUT", "asked", { headers: from("bucket/key", { "x-amz-checksum-algorithm": "CRC64NVME" }) });
  expect(element(asked.text, "ChecksumCRC64NVME")).toBe("rosUhgp5mIg=");
});

test("a source above the limit is refused, and one from another bucket is not", async () => {
  const { ask, server } = await startFixture({ limits: { copyBytesMax: 10 } });
  await ask("PUT", "ten", { body: data });
  await ask("PUT", "eleven", { body: `${data}x` });
  const refused = await ask("PUT", "copy", { headers: from("bucket/eleven") });
  expect([refused.status, refused.code]).toEqual([400, "InvalidRequest"]);
  const copied = await send(server, { method: "PUT", path: "/other/copy", headers: from("bucket/ten") });
  expect(copied.status).toBe(200);
  expect(server.objects("other").get("copy")?.bytes).toBe(10);
});

// Goal: requests find their bucket, key and operation, and what the server does not know is refused, never ignored.
// Method: raw requests in both styles of address; a table of operations, parameters and headers that S3 has and this
// server has not.
import { expect, test } from "vitest";
import { element, type Expected, partsOf, startFixture } from "./fixture.ts";
import { type RawRequest, send, sendAs, signedHeaders } from "./raw-client.ts";

test.each<[string, RawRequest, Expected]>([
  ["HeadBucket", { method: "HEAD", path: "/bucket" }, { status: 200, headers: { "x-amz-bucket-region": "us-east-1" } }],
  ["HeadBucket with a slash", { method: "HEAD", path: "/bucket/" }, { status: 200 }],
  ["HeadBucket of none", { method: "HEAD", path: "/none" }, { status: 404, text: "" }],
  ["a key in no bucket", { method: "GET", path: "/none/key" }, { status: 404, code: "NoSuchBucket" }],
  ["a put in no bucket", { method: "PUT", path: "/none/key", body: "x" }, { status: 404, code: "NoSuchBucket" }],
  [
    "a name that SDKs add",
    { method: "PUT", path: "/bucket/key", query: { "x-id": "PutObject" }, body: "x" },
    { status: 200 },
  ],
  ["ListBuckets", { method: "GET", path: "/" }, { status: 501, code: "NotImplemented" }],
  ["CreateBucket", { method: "PUT", path: "/new-bucket" }, { status: 501, code: "NotImplemented" }],
  ["DeleteBucket", { method: "DELETE", path: "/bucket" }, { status: 501, code: "NotImplemented" }],
  ["the old list", { method: "GET", path: "/bucket" }, { status: 501, code: "NotImplemented" }],
  ["an ACL", { method: "GET", path: "/bucket/key", query: { acl: "" } }, { status: 501, code: "NotImplemented" }],
  [
    "tagging",
    { method: "PUT", path: "/bucket/key", query: { tagging: "" }, body: "x" },
    { status: 501, code: "NotImplemented" },
  ],
  [
    "a version",
    { method: "GET", path: "/bucket/key", query: { versionId: "1" } },
    { status: 501, code: "NotImplemented" },
  ],
  [
    "a version to delete",
    { method: "DELETE", path: "/bucket/key", query: { versionId: "1" } },
    { status: 501, code: "NotImplemented" },
  ],
  [
    "a part to get",
    { method: "GET", path: "/bucket/key", query: { partNumber: "1" } },
    { status: 501, code: "NotImplemented" },
  ],
  [
    "another content type to get",
    { method: "GET", path: "/bucket/key", query: { "response-content-type": "a/b" } },
    { status: 501, code: "NotImplemented" },
  ],
  [
    "half of UploadPart",
    { method: "PUT", path: "/bucket/key", query: { partNumber: "1" }, body: "x" },
    { status: 501, code: "NotImplemented" },
  ],
  ["lifecycle", { method: "GET", path: "/bucket", query: { lifecycle: "" } }, { status: 501, code: "NotImplemented" }],
  [
    "encryption",
    { method: "PUT", path: "/bucket/key", headers: { "x-amz-server-side-encryption": "AES256" }, body: "x" },
    { status: 501, code: "NotImplemented" },
  ],
  [
    "tags",
    { method: "PUT", path: "/bucket/key", headers: { "x-amz-tagging": "a=b" }, body: "x" },
    { status: 501, code: "NotImplemented" },
  ],
  [
    "a lock",
    { method: "PUT", path: "/bucket/key", headers: { "x-amz-object-lock-mode": "COMPLIANCE" }, body: "x" },
    { status: 501, code: "NotImplemented" },
  ],
  [
    "an offset to write at",
    { method: "PUT", path: "/bucket/key", headers: { "x-amz-write-offset-bytes": "1" }, body: "x" },
    { status: 501, code: "NotImplemented" },
  ],
  [
    "an owner to check",
    { method: "GET", path: "/bucket/key", headers: { "x-amz-expected-bucket-owner": "1" } },
    { status: 501, code: "NotImplemented" },
  ],
  [
    "metadata of a read",
    { method: "GET", path: "/bucket/key", headers: { "x-amz-meta-a": "1" } },
    { status: 501, code: "NotImplemented" },
  ],
  [
    "a condition on a part",
    {
      method: "PUT",
      path: "/bucket/key",
      query: { partNumber: "1", uploadId: "1" },
      headers: { "if-none-match": "*" },
      body: "x",
    },
    { status: 501, code: "NotImplemented" },
  ],
  [
    "a range to put",
    { method: "PUT", path: "/bucket/key", headers: { range: "bytes=0-1" }, body: "x" },
    { status: 501, code: "NotImplemented" },
  ],
  [
    "RenameObject",
    { method: "PUT", path: "/bucket/key", query: { renameObject: "" }, headers: { "x-amz-rename-source": "a" } },
    { status: 501, code: "NotImplemented" },
  ],
  ["PATCH", { method: "PATCH", path: "/bucket/key" }, { status: 405, code: "MethodNotAllowed" }],
  ["POST of nothing", { method: "POST", path: "/bucket/key" }, { status: 405, code: "MethodNotAllowed" }],
])("%s", async (_, request, expected) => {
  const { server, ask } = await startFixture();
  await ask("PUT", "key", { body: "old" });
  expect(partsOf(await send(server, request), expected)).toEqual(expected);
  const kept = Buffer.from(server.objects("bucket").get("key")?.data ?? []).toString();
  expect(kept).toBe(request.method === "PUT" && expected.status === 200 ? "x" : "old");
});

test("GetBucketLocation", async () => {
  const first = await startFixture();
  const located = await first.ask("GET", "", { query: { location: "" } });
  expect(located.text).toContain(
    '<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>',
  );
  const second = await startFixture({ region: "eu-west-1" });
  const identity = {
    accessKeyId: "AKIATEST",
    secretAccessKey: "a secret/of+a test",
    region: "eu-west-1",
    service: "s3",
  };
  const elsewhere = await second.ask("GET", "", { query: { location: "" }, identity });
  expect(elsewhere.text).toContain(">eu-west-1</LocationConstraint>");
});

test("virtual-hosted style is another way to the same objects", async () => {
  const { server, ask } = await startFixture();
  const host = `bucket.localhost:${server.port}`;
  expect((await send(server, { method: "PUT", path: "/a/b", headers: { host }, body: "x" })).status).toBe(200);
  expect((await ask("GET", "a/b")).text).toBe("x");
  const listed = await send(server, { method: "GET", path: "/", query: { "list-type": "2" }, headers: { host } });
  expect(element(listed.text, "Key")).toBe("a/b");
  const none = await send(server, { method: "GET", path: "/a", headers: { host: "none.localhost" } });
  expect([none.status, none.code]).toEqual([404, "NoSuchBucket"]);
});

test.each<[string, string, Expected]>([
  ["an escape that is none", "/bucket/a%2", { status: 400, code: "InvalidURI" }],
  ["bytes that are no UTF-8", "/bucket/%ff", { status: 400, code: "InvalidURI" }],
  ["a parameter twice", "/bucket/key?a=1&a=2", { status: 400, code: "InvalidArgument" }],
])("refuses %s", async (_, target, expected) => {
  const { server } = await startFixture();
  const headers = signedHeaders(server, { method: "GET", path: "/" });
  expect(partsOf(await sendAs(server, "GET", target, headers, undefined), expected)).toEqual(expected);
});

test("keys are exactly what was asked for: no dots or slashes are tidied away", async () => {
  const { server, ask } = await startFixture();
  const names = ["a//b", "./a", "a/../b", "a/", "+", "%41", " "];
  for (const name of names) expect((await ask("PUT", name, { body: name })).status).toBe(200);
  expect([...server.objects("bucket").keys()]).toEqual(names);
  for (const name of names) expect((await ask("GET", name)).text).toBe(name);
});

test("the last requests are remembered, no more", async () => {
  const { server, ask } = await startFixture({ requestsMax: 3 });
  for (let index = 0; index < 10; index += 1) await ask("GET", `k${index}`, { query: { "x-id": String(index) } });
  expect(server.requests.map(({ key, query, status }) => [key, query, status])).toEqual([
    ["k7", { "x-id": "7" }, 404],
    ["k8", { "x-id": "8" }, 404],
    ["k9", { "x-id": "9" }, 404],
  ]);
});

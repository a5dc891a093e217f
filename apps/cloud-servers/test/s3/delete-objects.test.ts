// Goal: many keys are deleted in one request, each with its own outcome.
// Method: documents made by hand, right and wrong; a fault that fails some keys.
import { expect, test } from "vitest";
import {
  digestBase64,
  elements,
  type Expected,
  type Fixture,
  md5Base64,
  md5Hex,
  partsOf,
  startFixture,
} from "./fixture.ts";
import type { RawResponse } from "./raw-client.ts";

const document = (keys: readonly string[], more = ""): string =>
  `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join("")}${more}</Delete>`;

function remove({ ask }: Fixture, body: string, headers?: Record<string, string>): Promise<RawResponse> {
  return ask("POST", "", { query: { delete: "" }, headers: headers ?? { "content-md5": md5Base64(body) }, body });
}

async function filled(): Promise<Fixture> {
  const fixture = await startFixture();
  for (const key of ["a", "b", "c&d"]) await fixture.ask("PUT", key, { body: key });
  return fixture;
}

test("deletes what is there and what is not", async () => {
  const fixture = await filled();
  const response = await remove(fixture, document(["a", "c&amp;d", "none", "&#x65;"]));
  expect([response.status, elements(response.text, "Key")]).toEqual([200, ["a", "c&amp;d", "none", "e"]]);
  expect(response.text).not.toContain("<Error>");
  expect([...fixture.server.objects("bucket").keys()]).toEqual(["b"]);
});

test("says nothing of success when told to be quiet", async () => {
  const fixture = await filled();
  const response = await remove(fixture, document(["a", "x".repeat(1025)], "<Quiet>true</Quiet>"));
  expect(response.text).not.toContain("<Deleted>");
  expect(elements(response.text, "Code")).toEqual(["KeyTooLongError"]);
});

test("each key may have its condition", async () => {
  const fixture = await filled();
  const etag = (text: string): string => `<ETag>"${md5Hex(text)}"</ETag>`;
  const objects = [`<Key>a</Key>${etag("a")}`, `<Key>b</Key>${etag("a")}`, `<Key>none</Key>${etag("a")}`];
  const response = await remove(
    fixture,
    `<Delete>${objects.map((each) => `<Object>${each}</Object>`).join("")}</Delete>`,
  );
  expect(elements(response.text, "Code")).toEqual(["PreconditionFailed", "NoSuchKey"]);
  expect([...fixture.server.objects("bucket").keys()].sort()).toEqual(["b", "c&d"]);
});

test("a fault fails some keys and no others", async () => {
  const fixture = await filled();
  fixture.server.faults.add({ operation: "DeleteObjects", action: { kind: "failKeys", contains: "b" } });
  const response = await remove(fixture, document(["a", "b"]));
  expect([response.status, elements(response.text, "Key"), elements(response.text, "Code")]).toEqual([
    200,
    ["a", "b"],
    ["InternalError"],
  ]);
  expect([...fixture.server.objects("bucket").keys()].sort()).toEqual(["b", "c&d"]);
  expect(fixture.server.faults.injected).toBe(1);
});

const thousand = Array.from({ length: 1000 }, (_, index) => `k${index}`);

test.each<[string, string, Record<string, string> | undefined, Expected]>([
  ["1000 keys", document(thousand), undefined, { status: 200 }],
  ["1001 keys", document([...thousand, "one more"]), undefined, { status: 400, code: "MalformedXML" }],
  ["no keys", document([]), undefined, { status: 400, code: "MalformedXML" }],
  ["an empty key", document([""]), undefined, { status: 400, code: "MalformedXML" }],
  ["another document", "<Remove/>", undefined, { status: 400, code: "MalformedXML" }],
  ["no document", "a", undefined, { status: 400, code: "MalformedXML" }],
  ["two documents", "<Delete/><Delete/>", undefined, { status: 400, code: "MalformedXML" }],
  [
    "a version",
    "<Delete><Object><Key>a</Key><VersionId>1</VersionId></Object></Delete>",
    undefined,
    { status: 501, code: "NotImplemented" },
  ],
  ["no digest", document(["a"]), {}, { status: 400, code: "InvalidRequest" }],
  ["a wrong digest", document(["a"]), { "content-md5": md5Base64("") }, { status: 400, code: "BadDigest" }],
  [
    "a checksum",
    "<Delete><Object><Key>a</Key></Object></Delete>",
    { "x-amz-checksum-crc32": "DMmLhg==" },
    { status: 400, code: "BadDigest" },
  ],
])("%s", async (_, body, headers, expected) => {
  const fixture = await filled();
  expect(partsOf(await remove(fixture, body, headers), expected)).toEqual(expected);
  if (expected.status !== 200) expect(fixture.server.objects("bucket").size).toBe(3);
});

test("a checksum is as good as a digest", async () => {
  const fixture = await filled();
  const body = document(["a"]);
  const sha256 = digestBase64("sha256", body);
  expect((await remove(fixture, body, { "x-amz-checksum-sha256": sha256 })).status).toBe(200);
});

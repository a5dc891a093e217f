// Goal: listings show every key once, in the order of S3, in pages, with common prefixes.
// Method: buckets with awkward keys, read page by page with every page size, against a plain model.
import { describe, expect, test } from "vitest";
import { element, elements, type Expected, type Fixture, partsOf, startFixture } from "./fixture.ts";

const keys = ["a", "a/", "a/1", "a/2", "a/b/1", "a0", "b/1", "c", "é", "\u{ff5e}", "\u{1f600}", "z&<>\"'"];

async function filled(
  options: Parameters<typeof startFixture>[0] = {},
  names: readonly string[] = keys,
): Promise<Fixture> {
  const fixture = await startFixture(options);
  for (const key of [...names].reverse()) await fixture.ask("PUT", key, { body: key });
  return fixture;
}

const unescape = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot);/g, (_, name: string) => ({ amp: "&", lt: "<", gt: ">", quot: '"' })[name] ?? "");

interface Page {
  readonly keys: string[];
  readonly prefixes: string[];
  readonly next: string | undefined;
  readonly text: string;
}

async function list({ ask }: Fixture, query: Record<string, string> = {}): Promise<Page> {
  const { status, text } = await ask("GET", "", { query: { "list-type": "2", ...query } });
  expect(status).toBe(200);
  const next = element(text, "NextContinuationToken");
  expect(element(text, "IsTruncated")).toBe(String(next !== undefined));
  const page = {
    keys: elements(text, "Key").map(unescape),
    prefixes: [...text.matchAll(/<CommonPrefixes><Prefix>([^<]*)</g)].map((match) => unescape(match[1] ?? "")),
  };
  expect(element(text, "KeyCount")).toBe(String(page.keys.length + page.prefixes.length));
  return { ...page, next, text };
}

async function listAll(
  fixture: Fixture,
  query: Record<string, string>,
): Promise<{ keys: string[]; prefixes: string[] }> {
  const all: { keys: string[]; prefixes: string[] } = { keys: [], prefixes: [] };
  for (let token: string | undefined = ""; token !== undefined; ) {
    const page: Page = await list(fixture, { ...query, ...(token !== "" && { "continuation-token": token }) });
    all.keys.push(...page.keys);
    all.prefixes.push(...page.prefixes);
    token = page.next;
  }
  return all;
}

describe("keys", () => {
  test.each<[string, Record<string, string>, string[], string[]?]>([
    ["all, by the bytes of UTF-8", {}, [...keys.slice(0, 8), "z&<>\"'", "é", "\u{ff5e}", "\u{1f600}"]],
    ["below a prefix", { prefix: "a/" }, ["a/", "a/1", "a/2", "a/b/1"]],
    ["below nothing", { prefix: "x" }, []],
    ["after one", { "start-after": "a/2" }, ["a/b/1", "a0", "b/1", "c", "z&<>\"'", "é", "\u{ff5e}", "\u{1f600}"]],
    ["after one that is not there", { "start-after": "d" }, ["z&<>\"'", "é", "\u{ff5e}", "\u{1f600}"]],
    ["by folder", { delimiter: "/" }, ["a", "a0", "c", "z&<>\"'", "é", "\u{ff5e}", "\u{1f600}"], ["a/", "b/"]],
    ["of one folder", { delimiter: "/", prefix: "a/" }, ["a/", "a/1", "a/2"], ["a/b/"]],
    [
      "by another delimiter",
      { delimiter: "/1" },
      ["a", "a/", "a/2", "a0", "c", "z&<>\"'", "é", "\u{ff5e}", "\u{1f600}"],
      ["a/1", "a/b/1", "b/1"],
    ],
  ])("%s", async (_, query, expected, prefixes = []) => {
    const fixture = await filled();
    for (const max of ["1", "2", "3", "1000"]) {
      expect(await listAll(fixture, { ...query, "max-keys": max })).toEqual({ keys: expected, prefixes });
    }
  });

  test("a page goes on where the last one ended, whatever happens between them", async () => {
    const fixture = await filled({}, ["a", "b", "d"]);
    const first = await list(fixture, { "max-keys": "2" });
    await fixture.ask("DELETE", "b");
    await fixture.ask("PUT", "c", { body: "" });
    await fixture.ask("PUT", "aa", { body: "" });
    expect((await list(fixture, { "continuation-token": first.next ?? "" })).keys).toEqual(["c", "d"]);
  });
});

test("entries tell what S3 tells", async () => {
  const fixture = await filled({}, ["key"]);
  const { text } = await list(fixture, { "fetch-owner": "true", prefix: "k" });
  expect(text).toContain("<Name>bucket</Name><Prefix>k</Prefix>");
  expect(text).toContain(
    "<Contents><Key>key</Key><LastModified>2023-11-14T22:13:20.000Z</LastModified><ETag>&quot;3c6e0b8a9c15224a8228b9a98ca1531d&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>3</Size><StorageClass>STANDARD</StorageClass></Contents>",
  );
  expect(text).toMatch(
    /^<\?xml version="1.0" encoding="UTF-8"\?>\n<ListBucketResult xmlns="http:\/\/s3.amazonaws.com\/doc\/2006-03-01\/">/,
  );
});

test("encoding-type=url makes any key safe for XML", async () => {
  const fixture = await filled({}, ["test_file(3).png", "a b+c/\u0001", "é/x"]);
  const { text } = await list(fixture, { "encoding-type": "url", delimiter: "/" });
  expect(elements(text, "Key")).toEqual(["test_file%283%29.png"]);
  expect([...text.matchAll(/<CommonPrefixes><Prefix>([^<]*)</g)].map((match) => match[1])).toEqual([
    "a+b%2Bc/",
    "%C3%A9/",
  ]);
  const inside = await list(fixture, { "encoding-type": "url", prefix: "a b+c/" });
  expect([inside.keys, element(inside.text, "Prefix")]).toEqual([["a+b%2Bc/%01"], "a+b%2Bc/"]);
});

test.each<[string, Record<string, string>, Expected]>([
  ["no key at all", { "max-keys": "0" }, { status: 200 }],
  ["more than a page holds", { "max-keys": "1001" }, { status: 200 }],
  ["a number that is none", { "max-keys": "x" }, { status: 400, code: "InvalidArgument" }],
  ["a negative number", { "max-keys": "-1" }, { status: 400, code: "InvalidArgument" }],
  ["a token that is none", { "continuation-token": "abc" }, { status: 400, code: "InvalidArgument" }],
  ["an encoding that is none", { "encoding-type": "xml" }, { status: 400, code: "InvalidArgument" }],
  ["the old list type", { "list-type": "1" }, { status: 501, code: "NotImplemented" }],
  ["a parameter of the old list", { marker: "a" }, { status: 501, code: "NotImplemented" }],
])("%s", async (_, query, expected) => {
  const { ask } = await startFixture();
  const response = await ask("GET", "", { query: { "list-type": "2", ...query } });
  expect(partsOf(response, expected)).toEqual(expected);
});

test("a page holds at most 1000 keys", async () => {
  const fixture = await startFixture();
  const names = Array.from({ length: 1001 }, (_, index) => `k${String(index).padStart(4, "0")}`);
  for (const name of names) await fixture.ask("PUT", name, { body: "" });
  const page = await list(fixture, { "max-keys": "5000" });
  expect([page.keys.length, element(page.text, "MaxKeys")]).toEqual([1000, "1000"]);
  expect((await list(fixture, { "max-keys": "0" })).keys).toEqual([]);
  expect((await listAll(fixture, {})).keys).toEqual(names);
});

describe("a directory bucket", () => {
  const names = Array.from({ length: 40 }, (_, index) => `d/${index}`);

  test("lists every key once, in pages, but not in order", async () => {
    const fixture = await filled({ quirks: { express: true } }, names);
    const { keys: listed } = await listAll(fixture, { prefix: "d/", "max-keys": "7" });
    expect(listed).not.toEqual([...names].sort());
    expect([...listed].sort()).toEqual([...names].sort());
  });

  test.each<[string, Record<string, string>, Expected]>([
    ["a prefix that ends in no delimiter", { prefix: "d" }, { status: 400, code: "InvalidRequest" }],
    ["another delimiter", { delimiter: "," }, { status: 400, code: "InvalidRequest" }],
    ["a start", { "start-after": "d/1" }, { status: 501, code: "NotImplemented" }],
  ])("refuses %s", async (_, query, expected) => {
    const { ask } = await startFixture({ quirks: { express: true } });
    expect(partsOf(await ask("GET", "", { query: { "list-type": "2", ...query } }), expected)).toEqual(expected);
  });
});

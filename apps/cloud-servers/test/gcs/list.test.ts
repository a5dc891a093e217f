// Goal: lists show each name once, in the order of UTF-8, whatever the page size, prefix, delimiter and offsets.
// Method: a table over one set of names; then a property that compares all pages with a filter over all names.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { GcsServer } from "@varve/cloud-servers";
import { put, raw, withServer } from "./raw-http.ts";

const names = ["a", "a/", "a/b", "a/b/c", "a/b/d", "a/c", "b//x", "b/y", "z\u{ffff}", "z\u{10000}"];

interface Page {
  readonly items: string[];
  readonly prefixes: string[];
  readonly next: string | undefined;
}

async function page(server: GcsServer, query: Readonly<Record<string, string>>): Promise<Page> {
  const answer = await raw(server, `GET /storage/v1/b/bucket/o?${new URLSearchParams(query).toString()}`);
  expect(answer.status, answer.body.toString()).toBe(200);
  const {
    items = [],
    prefixes = [],
    nextPageToken,
  } = answer.json as {
    items?: { name: string }[];
    prefixes?: string[];
    nextPageToken?: string;
  };
  return { items: items.map(({ name }) => name), prefixes, next: nextPageToken };
}

async function pages(server: GcsServer, query: Readonly<Record<string, string>>): Promise<Page[]> {
  const all: Page[] = [];
  let next: string | undefined;
  do {
    const got = await page(server, next === undefined ? query : { ...query, pageToken: next });
    all.push(got);
    next = got.next;
    if (all.length > 100) throw new Error("the list does not end");
  } while (next !== undefined);
  return all;
}

test.for([
  [{}, names, []],
  [{ prefix: "a/" }, ["a/", "a/b", "a/b/c", "a/b/d", "a/c"], []],
  [{ delimiter: "/" }, ["a", "z\u{ffff}", "z\u{10000}"], ["a/", "b/"]],
  [{ delimiter: "/", prefix: "a/" }, ["a/", "a/b", "a/c"], ["a/b/"]],
  [{ delimiter: "/", includeTrailingDelimiter: "true" }, ["a", "a/", "z\u{ffff}", "z\u{10000}"], ["a/", "b/"]],
  [{ delimiter: "//" }, names.filter((name) => !name.includes("//")), ["b//"]],
  [{ delimiter: "/b" }, ["a", "a/", "a/c", "b//x", "b/y", "z\u{ffff}", "z\u{10000}"], ["a/b"]],
  [{ startOffset: "a/b/d" }, ["a/b/d", "a/c", "b//x", "b/y", "z\u{ffff}", "z\u{10000}"], []],
  [{ endOffset: "a/b/d" }, ["a", "a/", "a/b", "a/b/c"], []],
  [{ startOffset: "a/b", endOffset: "a/b" }, [], []],
  [{ startOffset: "a/b/d", delimiter: "/", prefix: "a/" }, ["a/c"], ["a/b/"]],
  [{ prefix: "no" }, [], []],
] as const)("%j", async ([query, items, prefixes]) => {
  await withServer({}, async (server) => {
    for (const name of names.toReversed()) await put(server, name, name);
    expect(await page(server, query)).toEqual({ items, prefixes, next: undefined });
    const singly = await pages(server, { ...query, maxResults: "1" });
    expect(singly.flatMap((one) => one.items)).toEqual(items);
    expect(singly.flatMap((one) => one.prefixes)).toEqual(prefixes);
    expect(singly.length).toBe(Math.max(1, items.length + prefixes.length));
  });
});

test("any question has the same answer in pages as a filter over all names", async () => {
  await withServer({}, async (server) => {
    const text = (maxLength: number) => fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength });
    const present = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(text(5), { maxLength: 4 }),
        fc.record({
          prefix: text(2),
          delimiter: fc.constantFrom("", "/", "a", "ab"),
          startOffset: text(3),
          endOffset: fc.option(text(3), { nil: undefined }),
          includeTrailingDelimiter: fc.boolean(),
          maxResults: fc.integer({ min: 1, max: 5 }),
        }),
        async (added, { endOffset, includeTrailingDelimiter, maxResults, ...texts }) => {
          for (const name of added) {
            if (name === "") continue;
            await put(server, name, "");
            present.add(name);
          }
          const query = { ...texts, ...(endOffset === undefined ? {} : { endOffset }) };
          const all = await pages(server, {
            ...query,
            includeTrailingDelimiter: String(includeTrailingDelimiter),
            maxResults: String(maxResults),
          });
          const expected = filtered([...present].sort(), { ...query, includeTrailingDelimiter });
          expect(all.flatMap(({ items }) => items)).toEqual(expected.items);
          expect(all.flatMap(({ prefixes }) => prefixes)).toEqual(expected.prefixes);
          for (const { items, prefixes } of all.slice(0, -1)) expect(items.length + prefixes.length).toBe(maxResults);
        },
      ),
      { numRuns: 100, seed: 7 },
    );
  });
});

/** The documentation's words as a filter: simple, and slow. */
function filtered(
  all: readonly string[],
  question: {
    readonly prefix: string;
    readonly delimiter: string;
    readonly startOffset: string;
    readonly endOffset?: string;
    readonly includeTrailingDelimiter: boolean;
  },
): { items: string[]; prefixes: string[] } {
  const { prefix, delimiter, startOffset, endOffset, includeTrailingDelimiter } = question;
  const inRange = all.filter(
    (name) => name.startsWith(prefix) && name >= startOffset && (endOffset === undefined || name < endOffset),
  );
  const items: string[] = [];
  const prefixes = new Set<string>();
  for (const name of inRange) {
    const rest = name.slice(prefix.length);
    if (delimiter === "" || !rest.includes(delimiter)) {
      items.push(name);
      continue;
    }
    const directory = prefix + rest.slice(0, rest.indexOf(delimiter) + delimiter.length);
    prefixes.add(directory);
    if (includeTrailingDelimiter && name === directory) items.push(name);
  }
  return { items, prefixes: [...prefixes] };
}

test("a page has at most 1000 entries", async () => {
  await withServer({ discardBodies: true }, async (server) => {
    const all = Array.from({ length: 1003 }, (_, nth) => `n${String(nth).padStart(4, "0")}`);
    await Promise.all(all.map((name) => put(server, name, "")));
    for (const query of [{}, { maxResults: "5000" }]) {
      const [first, second, ...more] = await pages(server, query);
      expect([first?.items.length, second?.items, more]).toEqual([1000, all.slice(1000), []]);
    }
  });
});

test("changes between pages neither repeat nor hide what stays", async () => {
  await withServer({}, async (server) => {
    for (const name of ["a", "b", "c", "d"]) await put(server, name, name);
    const first = await page(server, { maxResults: "2" });
    await raw(server, "DELETE /storage/v1/b/bucket/o/b");
    await put(server, "bb", "");
    const second = await page(server, { maxResults: "5", pageToken: first.next ?? "" });
    expect([first.items, second.items]).toEqual([
      ["a", "b"],
      ["bb", "c", "d"],
    ]);
  });
});

test("items are whole resources, and fields cuts them down", async () => {
  await withServer({}, async (server) => {
    const { generation } = await put(server, "n", "hello");
    const list = await raw(server, "GET /storage/v1/b/bucket/o");
    expect(list.json).toMatchObject({ kind: "storage#objects", items: [{ name: "n", size: "5", generation }] });
    await put(server, "o", "");
    const cut = await raw(server, "GET /storage/v1/b/bucket/o?maxResults=1&fields=items(name,size)");
    expect(cut.json).toEqual({ items: [{ name: "n", size: "5" }] });
  });
});

test.for([
  ["matchGlob=**", 501, "notImplemented"],
  ["versions=true", 501, "notImplemented"],
  ["includeFoldersAsPrefixes=true", 501, "notImplemented"],
  ["maxResults=0", 400, "invalidParameter"],
  ["maxResults=x", 400, "invalidParameter"],
  ["pageToken=x", 400, "invalidParameter"],
  ["includeTrailingDelimiter=yes", 400, "invalidParameter"],
  ["max-keys=5", 400, "invalidParameter"],
] as const)("refuses %s", async ([query, status, reason]) => {
  await withServer({}, async (server) => {
    const answer = await raw(server, `GET /storage/v1/b/bucket/o?${query}`);
    expect([answer.status, answer.reason]).toEqual([status, reason]);
  });
});

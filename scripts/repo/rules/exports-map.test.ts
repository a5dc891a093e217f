// A subpath without a source, an index.ts without a subpath, and every other shape of map are refused.
import { expect, test } from "vitest";
import type { Manifest } from "../repository.ts";
import { repositoryOf } from "../repository-of.ts";
import { checkExports } from "./exports-map.ts";

const good = {
  ".": { types: "./dist/index.d.ts", default: "./dist/index.js" },
  "./testing": { types: "./dist/testing/index.d.ts", default: "./dist/testing/index.js" },
  "./package.json": "./package.json",
};
const sources = { "packages/a/src/index.ts": "", "packages/a/src/testing/index.ts": "" };
const check = (exports: Manifest["exports"] = {}, files: Record<string, string> = sources): string[] =>
  checkExports(repositoryOf({ "packages/a/package.json": { name: "a", exports }, ...files }));

test("accepts a map that fits", () => expect(check(good)).toEqual([]));

test("asks nothing of applications", () => {
  expect(checkExports(repositoryOf({ "apps/a/package.json": { name: "a" } }))).toEqual([]);
});

test("refuses a subpath without a source", () => {
  expect(check({ ...good, "./lmdb": { types: "./dist/lmdb.d.ts", default: "./dist/lmdb.js" } })).toEqual([
    'packages/a/package.json exports "./lmdb", but packages/a/src/lmdb.ts does not exist.',
  ]);
});

test("refuses an index.ts that is not a subpath", () => {
  expect(check(good, { ...sources, "packages/a/src/lmdb/index.ts": "" })).toEqual([
    expect.stringContaining("packages/a/src/lmdb/index.ts is not a subpath"),
  ]);
});

test.for([
  ["no main entry", { ...good, ".": undefined }, 'exports no "."'],
  ["no package.json", { ...good, "./package.json": undefined }, 'should export "./package.json"'],
  ["types last", { ...good, ".": { default: "./dist/index.js", types: "./dist/index.d.ts" } }, "in this order"],
  ["a bare string", { ...good, ".": "./dist/index.js" }, "in this order"],
  ["two modules", { ...good, ".": { types: "./dist/other.d.ts", default: "./dist/index.js" } }, "not one module"],
  ["outside of dist", { ...good, ".": { types: "./src/index.d.ts", default: "./src/index.js" } }, "not one module"],
] as const)("refuses %s", ([, exports, problem]) => {
  const defined = Object.fromEntries(Object.entries(exports).filter(([, target]) => target !== undefined));
  expect(check(defined as Manifest["exports"]).join("\n")).toContain(problem);
});

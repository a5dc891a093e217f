// A dependency without its project reference is refused, in the package and at the root.
import { expect, test } from "vitest";
import { repositoryOf } from "../repository-of.ts";
import { checkReferences } from "./references.ts";

const tree = {
  "tsconfig.json": '{ "references": [{ "path": "packages/a" }, { "path": "packages/b" }] }',
  "packages/a/package.json": { name: "a" },
  "packages/a/tsconfig.json": "{}",
  "packages/b/package.json": { name: "b", dependencies: { a: "workspace:*", other: "1" } },
  "packages/b/tsconfig.json": '{ "references": [{ "path": "../../packages/a" }] }',
};

test("accepts references that follow dependencies", () => expect(checkReferences(repositoryOf(tree))).toEqual([]));

test("refuses a missing reference", () => {
  expect(checkReferences(repositoryOf({ ...tree, "packages/b/tsconfig.json": '{ "references": [] }' }))).toEqual([
    "packages/b/tsconfig.json should reference ../../packages/a, because package.json depends on a.",
  ]);
});

test("refuses a package that the root does not build", () => {
  const root = '{ "references": [{ "path": "packages/a" }] }';
  expect(checkReferences(repositoryOf({ ...tree, "tsconfig.json": root }))).toEqual([
    "tsconfig.json at the root should reference packages/b.",
  ]);
});

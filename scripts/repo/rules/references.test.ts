// A dependency without its project reference is refused, in the package and at the root.
import { expect, test } from "vitest";
import { repositoryOf } from "../repository-of.ts";
import { checkReferences } from "./references.ts";

function rootOf(...paths: string[]): string {
  return JSON.stringify({ references: paths.map((path) => ({ path })) });
}

const tree = {
  "tsconfig.json": rootOf("packages/a", "packages/a/tsconfig.test.json", "packages/b", "packages/b/tsconfig.test.json"),
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

test("refuses a package, or its tests, that the root does not reference", () => {
  const root = rootOf("packages/a", "packages/a/tsconfig.test.json");
  expect(checkReferences(repositoryOf({ ...tree, "tsconfig.json": root }))).toEqual([
    "tsconfig.json at the root should reference packages/b.",
    "tsconfig.json at the root should reference packages/b/tsconfig.test.json.",
  ]);
});

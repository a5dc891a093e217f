// An entry too many and an entry too few are both refused.
import { expect, test } from "vitest";
import { repositoryOf } from "../repository-of.ts";
import { checkTopLevel } from "./top-level.ts";

const tree = {
  "package.json": { name: "root" },
  "pnpm-workspace.yaml": "",
  "turbo.json": "",
  "tsconfig.base.json": "",
  "packages/a/package.json": { name: "a" },
  "apps/b/package.json": { name: "b" },
  ".changeset/config.json": "",
  "README.md": "",
};

test("accepts the agreed entries", () => {
  expect(checkTopLevel(repositoryOf({ ...tree, "docs/a.md": "", "scripts/a.mjs": "", LICENSE: "" }))).toEqual([]);
});

test("refuses a file that belongs elsewhere", () => {
  expect(checkTopLevel(repositoryOf({ ...tree, "vitest.config.ts": "" }))).toEqual([
    expect.stringContaining("vitest.config.ts does not belong"),
  ]);
});

test("refuses a folder that belongs elsewhere", () => {
  expect(checkTopLevel(repositoryOf({ ...tree, "src/a.ts": "" }))).toEqual([expect.stringContaining("src does not")]);
});

test.for(Object.keys(tree))("misses %s", (path) => {
  const rest = Object.fromEntries(Object.entries(tree).filter(([other]) => other !== path));
  expect(checkTopLevel(repositoryOf(rest))).toEqual([`The top level lacks ${path.split("/")[0]}.`]);
});

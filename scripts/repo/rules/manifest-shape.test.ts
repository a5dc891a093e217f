// Each field that a manifest must have is missed when it is missing, and each pinned version when it drifts.
import { expect, test } from "vitest";
import type { Manifest } from "../repository.ts";
import { repositoryOf } from "../repository-of.ts";
import { checkManifests } from "./manifest-shape.ts";

const library: Manifest = {
  name: "@varve/a",
  description: "Keeps one thing true.",
  type: "module",
  license: "Apache-2.0",
  sideEffects: false,
  engines: { node: ">=22.15" },
  files: ["dist", "!dist/**/*.tsbuildinfo"],
};
const application: Manifest = { ...library, name: "@varve/b", private: true };
const tree = {
  "package.json": {
    name: "root",
    packageManager: "pnpm@1.2.3",
    engines: { node: ">=18" },
    devDependencies: { pnpm: "1.2.3" },
  } as Manifest,
  "scripts/lib/setup.mjs": 'export const pnpmVersion = "1.2.3";',
  "scripts/lib/node-version.mjs": 'export const minimumNode = "22.15.0"; export const minimumSetupNode = "18.0.0";',
  "apps/cli/bin/varve.mjs": "const minimum = [22, 15];",
  "packages/a/package.json": library,
  "apps/b/package.json": application,
};

test("accepts a tree where all is said and agrees", () => expect(checkManifests(repositoryOf(tree))).toEqual([]));

test.for(["description", "type", "license", "sideEffects", "engines", "files"] as const)(
  "misses %s in a package",
  (field) => {
    const { [field]: _, ...rest } = library;
    const problems = checkManifests(repositoryOf({ ...tree, "packages/a/package.json": rest }));
    expect(problems.join()).toContain(field);
    expect(problems.every((problem) => problem.startsWith("packages/a/package.json lacks"))).toBe(true);
  },
);

test("misses private in an application", () => {
  expect(checkManifests(repositoryOf({ ...tree, "apps/b/package.json": library }))).toEqual([
    'apps/b/package.json lacks "private": true.',
  ]);
});

test.for([
  ["scripts/lib/setup.mjs", 'export const pnpmVersion = "1.2.4";'],
  ["scripts/lib/node-version.mjs", 'export const minimumNode = "22.16.0"; export const minimumSetupNode = "18.0.0";'],
  ["scripts/lib/node-version.mjs", 'export const minimumNode = "22.15.0"; export const minimumSetupNode = "20.0.0";'],
  ["apps/cli/bin/varve.mjs", "const minimum = [20, 0];"],
] as const)("notices a version that drifts in %s", ([path, text]) => {
  expect(checkManifests(repositoryOf({ ...tree, [path]: text }))).toEqual([expect.stringContaining(path)]);
});

test("notices a package manager that is not the installed one", () => {
  const root = { ...tree["package.json"], packageManager: "pnpm@2.0.0" };
  expect(checkManifests(repositoryOf({ ...tree, "package.json": root }))).toEqual([
    expect.stringContaining("packageManager and devDependencies.pnpm"),
  ]);
});

// What the rules get to see of a tree.
import { expect, test } from "vitest";
import { ignoreRules, packageOf, roleOf } from "./repository.ts";

test.for([
  ["node_modules", true],
  ["packages/a/dist", true],
  ["packages/a/.tsbuildinfo", true],
  [".git", true],
  ["data", true],
  ["packages/a/src/data", false],
  ["packages/a/src/dist.ts", false],
  ["README.md", false],
] as const)("%s is ignored: %s", ([path, expected]) => {
  expect(ignoreRules("node_modules/\ndist/\n/data/\n*.tsbuildinfo\n")(path)).toBe(expected);
});

test.for([
  ["packages/a/src/b.ts", "source"],
  ["packages/a/src/testing/b.ts", "source"],
  ["packages/a/src/b.test.ts", "test"],
  ["packages/a/test/fixtures/b.ts", "test"],
  ["packages/a/bench/b.bench.ts", "bench"],
  ["apps/bench/src/b.ts", "bench"],
] as const)("%s is a %s", ([path, expected]) => expect(roleOf(path)).toBe(expected));

test.for([
  ["node:fs", undefined],
  ["./a.ts", undefined],
  ["lmdb", "lmdb"],
  ["lmdb/index.js", "lmdb"],
  ["@varve/aof", "@varve/aof"],
  ["@varve/fs-core/testing", "@varve/fs-core"],
] as const)("%s is of package %s", ([specifier, expected]) => expect(packageOf(specifier)).toBe(expected));

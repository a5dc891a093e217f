// A library in the wrong place, without an owner, or installed twice is refused.
import { expect, test } from "vitest";
import { repositoryOf } from "../repository-of.ts";
import { checkOwners } from "./owners.ts";

test("accepts a library at its owner, in tests and benches too", () => {
  const repository = repositoryOf({
    "packages/segment-index/package.json": { name: "@varve/segment-index", optionalDependencies: { lmdb: "1" } },
    "packages/segment-index/src/lmdb/open.ts": 'const { open } = await import("lmdb");',
    "packages/segment-index/test/damage.test.ts": 'import { open } from "lmdb";',
    "apps/bench/package.json": { name: "@varve/bench", dependencies: { lmdb: "1", level: "1" } },
    "apps/bench/src/level.ts": 'import { open } from "lmdb";',
  });
  expect(checkOwners(repository)).toEqual([]);
});

test("refuses an import outside of the owner's folder", () => {
  const repository = repositoryOf({
    "packages/segment-index/package.json": { name: "@varve/segment-index" },
    "packages/segment-index/src/index.ts": 'import { open } from "lmdb";',
    "packages/aof/package.json": { name: "@varve/aof" },
    "packages/aof/test/a.test.ts": 'import { open } from "lmdb";',
  });
  expect(checkOwners(repository)).toEqual([
    "packages/segment-index/src/index.ts:1 imports lmdb, which only packages/segment-index/src/lmdb/ may import.",
    "packages/aof/test/a.test.ts:1 imports lmdb, which only packages/segment-index/src/lmdb/ may import.",
  ]);
});

test("refuses a dependency on another package's library", () => {
  const repository = repositoryOf({
    "packages/aof/package.json": { name: "@varve/aof", dependencies: { "@aws-sdk/client-s3": "3" } },
  });
  expect(checkOwners(repository)).toEqual([
    "packages/aof/package.json depends on @aws-sdk/client-s3, but that library belongs to packages/fs-s3/.",
  ]);
});

test("refuses a library that nobody owns", () => {
  const repository = repositoryOf({
    "packages/aof/package.json": { name: "@varve/aof", peerDependencies: { "left-pad": "1" } },
  });
  expect(checkOwners(repository)).toEqual([expect.stringContaining("left-pad, which has no owner")]);
});

test("refuses a tool that is installed twice", () => {
  const repository = repositoryOf({
    "package.json": { name: "root", devDependencies: { "fast-check": "4" } },
    "packages/aof/package.json": { name: "@varve/aof", devDependencies: { "fast-check": "4" } },
  });
  expect(checkOwners(repository)).toEqual([
    "fast-check is installed by packages/aof and the root; one place is enough, the root if both need it.",
  ]);
});

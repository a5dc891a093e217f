// Each arrow rule refuses a tree made to break it, and accepts the same tree mended.
import { expect, test } from "vitest";
import { repositoryOf } from "../repository-of.ts";
import { arrows, checkArrows } from "./arrows.ts";

const core = { "packages/fs-core/package.json": { name: "@varve/fs-core" } };

test("accepts an edge that is drawn", () => {
  const repository = repositoryOf({
    ...core,
    "packages/aof/package.json": { name: "@varve/aof", dependencies: { "@varve/fs-core": "workspace:*" } },
    "packages/aof/src/a.ts": 'import { x } from "@varve/fs-core";\nimport { y } from "@varve/fs-core/testing";',
  });
  expect(checkArrows(repository)).toEqual([]);
});

test("refuses an arrow upwards in a manifest", () => {
  const repository = repositoryOf({
    "packages/fs-core/package.json": { name: "@varve/fs-core", dependencies: { "@varve/aof": "workspace:*" } },
    "packages/aof/package.json": { name: "@varve/aof" },
  });
  expect(checkArrows(repository)).toEqual([
    "packages/fs-core/package.json uses @varve/aof, but @varve/fs-core (layer 0) may use nothing of this workspace.",
  ]);
});

test("refuses siblings, even for tests", () => {
  const repository = repositoryOf({
    ...core,
    "packages/flush-metrics/package.json": {
      name: "@varve/flush-metrics",
      devDependencies: { "@varve/segment-index": "workspace:*" },
    },
    "packages/segment-index/package.json": { name: "@varve/segment-index" },
  });
  expect(checkArrows(repository)).toEqual([
    "packages/flush-metrics/package.json uses @varve/segment-index, but @varve/flush-metrics (layer 1) may use only @varve/fs-core.",
  ]);
});

test.for([
  ["static", 'import { x } from "@varve/wal-store";'],
  ["type only", 'import type { X } from "@varve/wal-store";'],
  ["dynamic", 'await import("@varve/wal-store/testing");'],
  ["in a type", 'type X = import("@varve/wal-store").X;'],
  ["re-exported", 'export { x } from "@varve/wal-store";'],
])("refuses an import that is not drawn: %s", ([, text]) => {
  const repository = repositoryOf({
    "packages/aof/package.json": { name: "@varve/aof" },
    "packages/aof/src/a.ts": `// the second line\n${text}`,
  });
  expect(checkArrows(repository)).toEqual([expect.stringContaining("packages/aof/src/a.ts:2 uses @varve/wal-store")]);
});

test("refuses an import that the manifest does not list", () => {
  const repository = repositoryOf({
    ...core,
    "packages/aof/package.json": { name: "@varve/aof" },
    "packages/aof/test/a.test.ts": 'import { x } from "@varve/fs-core";',
  });
  expect(checkArrows(repository)).toEqual([
    "packages/aof/test/a.test.ts:1 imports @varve/fs-core, which packages/aof/package.json does not list.",
  ]);
});

test("refuses a version from the registry for a package of the workspace", () => {
  const repository = repositoryOf({
    ...core,
    "apps/cli/package.json": { name: "@varve/cli", dependencies: { "@varve/fs-core": "^1.0.0" } },
  });
  expect(checkArrows(repository)).toEqual([expect.stringContaining('is "workspace:*"')]);
});

test("refuses an application that uses another", () => {
  const repository = repositoryOf({
    "apps/cli/package.json": { name: "@varve/cli", dependencies: { "@varve/ingest": "workspace:*" } },
    "apps/ingest/package.json": { name: "@varve/ingest" },
  });
  expect(checkArrows(repository)).toEqual([expect.stringContaining("another application")]);
});

test("refuses a package that nobody gave a layer", () => {
  const repository = repositoryOf({ "packages/new/package.json": { name: "@varve/new" } });
  expect(checkArrows(repository)).toEqual([expect.stringContaining("has no arrows yet")]);
});

test("the table itself only points down", () => {
  for (const [name, { layer, may }] of Object.entries(arrows)) {
    for (const target of may) expect(arrows[target]?.layer, `${name} → ${target}`).toBeLessThan(layer);
  }
});

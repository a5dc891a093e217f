// Goal: the stores of this package keep every promise of `ObjectStore`.
// Method: the conformance suite, on each.
import { describe, test } from "vitest";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createObjectStore, LocalDriver, MemoryDriver, MemoryFileSystem } from "../src/index.ts";
import { objectStoreConformance } from "../src/testing/index.ts";

describe("memory", () => {
  objectStoreConformance({ test, create: async () => createObjectStore(new MemoryDriver()) });
});

describe("a directory in memory", () => {
  objectStoreConformance({
    test,
    create: async () => createObjectStore(await LocalDriver.open(new MemoryFileSystem())),
  });
});

describe("a directory on disk", () => {
  const roots: string[] = [];
  objectStoreConformance({
    test,
    async create() {
      const root = await mkdtemp(join(tmpdir(), "varve-store-"));
      roots.push(root);
      return createObjectStore(await LocalDriver.open(root));
    },
    async destroy() {
      await rm(roots.pop() as string, { recursive: true, force: true });
    },
  });
});

// Goal: the stores of this package keep every promise of `ObjectStore`.
// Method: the conformance suite, on each.
import { describe, test } from "vitest";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createObjectStore, LocalDriver, MemoryDriver, MemoryFileSystem, type ObjectStore } from "../src/index.ts";
import { objectStoreConformance, wrappersToTry, type WrapStore } from "../src/testing/index.ts";

describe("memory", () => {
  objectStoreConformance({ test, create: async () => createObjectStore(new MemoryDriver()) });
});

describe("a directory in memory", () => {
  objectStoreConformance({
    test,
    create: async () => createObjectStore(await LocalDriver.open(new MemoryFileSystem())),
  });
});

const plain: [string, WrapStore] = ["alone", async (store) => store];
describe.each([plain, ...wrappersToTry()])("a directory on disk, %s", (name, wrap) => {
  const roots = new Map<ObjectStore, string>();
  objectStoreConformance({
    isShort: name !== "alone",
    // Each of thousands of puts waits for the disk several times.
    test: (name, body) => test(name, body, 600_000),
    async create() {
      const root = await mkdtemp(join(tmpdir(), "varve-store-"));
      const store = await wrap(createObjectStore(await LocalDriver.open(root)));
      roots.set(store, root);
      return store;
    },
    async destroy(store) {
      await rm(roots.get(store) as string, { recursive: true, force: true });
    },
  });
});

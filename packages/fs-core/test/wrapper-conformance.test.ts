// Goal: a wrapped store keeps every promise of `ObjectStore`.
// Method: the conformance suite on each wrapper, and on all of them together, over a store in memory and over a directory.
import { describe, test } from "vitest";
import { createObjectStore, LocalDriver, MemoryDriver, MemoryFileSystem } from "../src/index.ts";
import { objectStoreConformance, storeWrappers } from "../src/testing/index.ts";

describe.each(Object.entries(storeWrappers))("%s", (_name, wrap) => {
  describe("over memory", () => {
    objectStoreConformance({ test, create: () => wrap(createObjectStore(new MemoryDriver())) });
  });
  describe("over a directory in memory", () => {
    objectStoreConformance({
      test,
      create: async () => wrap(createObjectStore(await LocalDriver.open(new MemoryFileSystem()))),
    });
  });
});

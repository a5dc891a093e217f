// Goal: the stores of this package keep every promise of `ObjectStore`.
// Method: the conformance suite, on each.
import { describe, test } from "vitest";
import { createObjectStore, MemoryDriver } from "../src/index.ts";
import { objectStoreConformance } from "../src/testing/index.ts";

describe("memory", () => {
  objectStoreConformance({ test, create: async () => createObjectStore(new MemoryDriver()) });
});

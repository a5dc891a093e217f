// Goal: a wrapped store keeps every promise of `ObjectStore`.
// Method: the conformance suite on each wrapper over a store in memory, and on all of them together.
import { describe, test } from "vitest";
import {
  createObjectStore,
  LocalCacheStorage,
  MemoryDriver,
  MemoryFileSystem,
  type ObjectStore,
  withBudget,
  withCache,
  withConcurrency,
  withMetrics,
  withPrefix,
  withRateLimit,
  withRetry,
  withTimeout,
} from "../src/index.ts";
import { objectStoreConformance } from "../src/testing/index.ts";

type Wrap = (store: ObjectStore) => ObjectStore | Promise<ObjectStore>;

const wrappers: Readonly<Record<string, Wrap>> = {
  withPrefix: (store) => withPrefix(store, "some/folder/"),
  withRetry: (store) => withRetry(store, { attemptsMax: 2 }),
  "withRetry, none": (store) => withRetry(store, false),
  withTimeout: (store) => withTimeout(store, { callTimeoutMs: 60_000, requestTimeoutMs: 5000, stallTimeoutMs: 5000 }),
  withConcurrency: (store) => withConcurrency(store, 2),
  withRateLimit: (store) =>
    withRateLimit(store, {
      requestsPerSecond: 1e6,
      writesPerSecond: 1e6,
      listsPerSecond: 1e6,
      uploadBytesPerSecond: 1e9,
      downloadBytesPerSecond: 1e9,
    }),
  withMetrics: (store) => withMetrics(store),
  withBudget: (store) =>
    withBudget(store, { requestsMax: { a: 1e6, b: 1e6 }, usdMax: 1, prices: { a: 1e-6, b: 1e-6 } }),
  withCache: async (store) => {
    const cache = await LocalCacheStorage.open({
      fileSystem: new MemoryFileSystem(),
      maxBytes: 2 ** 20,
      partBytes: 4096,
    });
    return withCache(store, cache, { storeId: "0123456789abcdef".repeat(2), admit: () => true });
  },
};

const all: Wrap = async (store) => {
  let wrapped = store;
  for (const wrap of Object.values(wrappers)) wrapped = await wrap(wrapped);
  return wrapped;
};

for (const [name, wrap] of [...Object.entries(wrappers), ["all of them", all] as const]) {
  describe(name, () => {
    objectStoreConformance({ test, create: async () => wrap(createObjectStore(new MemoryDriver())) });
  });
}

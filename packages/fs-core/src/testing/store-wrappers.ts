import { MemoryFileSystem } from "../file-system/memory-file-system.ts";
import { LocalCacheStorage } from "../object-store/cache/local-cache-storage.ts";
import { withCache } from "../object-store/cache/with-cache.ts";
import type { ObjectStore } from "../object-store/object-store.ts";
import { withBudget } from "../object-store/wrappers/with-budget.ts";
import { withConcurrency } from "../object-store/wrappers/with-concurrency.ts";
import { withMetrics } from "../object-store/wrappers/with-metrics.ts";
import { withPrefix } from "../object-store/wrappers/with-prefix.ts";
import { withRateLimit } from "../object-store/wrappers/with-rate-limit.ts";
import { withRetry, withTimeout } from "../object-store/wrappers/with-settings.ts";

/** Puts a store into another. */
export type WrapStore = (store: ObjectStore) => Promise<ObjectStore>;

/** Every wrapper of this package by name, so wide that nothing is held up or refused. */
const each: Readonly<Record<string, WrapStore>> = {
  withPrefix: async (store) => withPrefix(store, "some/folder/"),
  withRetry: async (store) => withRetry(store, { attemptsMax: 2 }),
  "withRetry, none": async (store) => withRetry(store, false),
  withTimeout: async (store) =>
    withTimeout(store, { callTimeoutMs: 600_000, requestTimeoutMs: 60_000, stallTimeoutMs: 60_000 }),
  withConcurrency: async (store) => withConcurrency(store, 2),
  withRateLimit: async (store) =>
    withRateLimit(store, {
      requestsPerSecond: 1e6,
      writesPerSecond: 1e6,
      listsPerSecond: 1e6,
      uploadBytesPerSecond: 1e9,
      downloadBytesPerSecond: 1e9,
    }),
  withMetrics: async (store) => withMetrics(store),
  withBudget: async (store) =>
    withBudget(store, { requestsMax: { a: 1e6, b: 1e6 }, usdMax: 1, prices: { a: 1e-6, b: 1e-6 } }),
  withCache: async (store) => {
    const fileSystem = new MemoryFileSystem();
    const cache = await LocalCacheStorage.open({ fileSystem, maxBytes: 2 ** 20, partBytes: 4096 });
    return withCache(store, cache, { storeId: "0123456789abcdef".repeat(2), admit: () => true });
  },
};

/** Every wrapper, and all of them around one another: a conformance suite is run under each. */
export const storeWrappers: Readonly<Record<string, WrapStore>> = {
  ...each,
  "all wrappers": async (store) => {
    let wrapped = store;
    for (const wrap of Object.values(each)) wrapped = await wrap(wrapped);
    return wrapped;
  },
};

/**
 * Those that a suite of a slower store runs under: all at once, and with `VARVE_FULL=1` each by itself too.
 * Errors of one show at once in the other; which it was, only alone.
 */
export function wrappersToTry(): [string, WrapStore][] {
  const isFull = process.env["VARVE_FULL"] === "1";
  return Object.entries(storeWrappers).filter(([name]) => isFull || name === "all wrappers");
}

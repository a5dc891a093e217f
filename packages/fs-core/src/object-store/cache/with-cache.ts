/** A store that keeps what it read on a local disk. */
import { inParallel } from "../in-parallel.ts";
import type { CallOptions, ObjectInfo, ObjectStore } from "../object-store.ts";
import { StoreError } from "../store-error.ts";
import type { StoreParts } from "../store-parts.ts";
import { unknownNames } from "../../kit/unknown-names.ts";
import { numberProblems, refuseOptions } from "../wrappers/option-rules.ts";
import { CacheDriver } from "./cache-driver.ts";
import { partBytesRule } from "./cache-settings.ts";
import type { LocalCacheStorage } from "./local-cache-storage.ts";

/** Parts that `warm` fetches at once. */
const warmConcurrency = 4;

/** Of {@link withCache}. */
export interface CacheOptions {
  /**
   * The store's identity, 32 hexadecimal digits, as `openStore` tells it: what is cached is found again under it, by other
   * processes later too. Folders of one store that are stores of their own need one each.
   */
  readonly storeId: string;
  /**
   * Which objects are cached. Asked before each read, so it should answer at once, and the same each time. Default: those of
   * at most a quarter of the cache.
   */
  readonly admit?: (key: string, info: ObjectInfo) => boolean;
  /** Bytes of a part, 4 KiB..64 MiB. Another size finds nothing of what was cached before. Default: the cache's. */
  readonly partBytes?: number;
}

/** What {@link CachedObjectStore.warm} found. */
export interface WarmResult {
  /** False: `admit` does not want it, and nothing was fetched. */
  readonly admitted: boolean;
  /** Of the whole object. */
  readonly parts: number;
  /** Those that were not cached before. */
  readonly fetchedParts: number;
}

/** A store that reads through a cache. */
export interface CachedObjectStore extends ObjectStore {
  /** Fetches what is not cached of the object as it is now. @throws StoreError `NOT_FOUND`, and as `get` */
  warm(key: string, options?: CallOptions): Promise<WarmResult>;
}

/**
 * `store` with its reads through `cache`. A read asks the store for the object's version first, one `head`, and fetches only
 * parts of this version that are not cached, each once however many want it. With `ifMatch` it asks nothing when any part of
 * that version is cached: the bytes are right for ever, `info` is as of when they came, and that the object was replaced or
 * deleted by others is not noticed. An object that is replaced while its parts are being fetched ends the body with
 * `VERSION_MISMATCH`. What was written through the result is dropped from the cache. Objects that are not admitted cost the
 * `head` in addition. Closing the result closes `store`, not the cache.
 * @throws StoreError `INVALID_ARGUMENT` with every problem
 */
export function withCache(
  store: ObjectStore,
  cache: LocalCacheStorage,
  options: CacheOptions,
  parts: StoreParts = {},
): CachedObjectStore {
  const { storeId, partBytes = cache.partBytes } = options;
  refuseOptions("withCache", [
    ...unknownNames(options, ["storeId", "admit", "partBytes"]),
    ...numberProblems({ partBytes }, { partBytes: partBytesRule }),
    ...(typeof storeId === "string" && /^[0-9a-f]{32}$/.test(storeId) ? [] : ["storeId: want 32 hexadecimal digits"]),
  ]);
  const admit = options.admit ?? ((_key: string, info: ObjectInfo): boolean => info.size <= cache.maxBytes / 4);
  const { clock = store.parts.clock } = parts;
  const driver = new CacheDriver(store, { clock, storage: cache, storeId, partBytes, admit });
  const derived = store.derive(driver, {}, parts);
  return Object.assign(derived, {
    async warm(key: string, call: CallOptions = {}): Promise<WarmResult> {
      const info = await derived.head(key, call);
      if (info === undefined) {
        const context = { key, operation: "warm", store: derived.url };
        throw new StoreError("NOT_FOUND", `warm ${JSON.stringify(key)} on ${derived.url}: no object is there`, context);
      }
      const count = Math.ceil(info.size / partBytes);
      if (!admit(key, info)) return { admitted: false, parts: count, fetchedParts: 0 };
      const object = { storeId, key, version: info.version, partBytes };
      const missing = Array.from({ length: count }, (_, number) => number).filter(
        (number) => !cache.has(object, number),
      );
      await inParallel(missing, warmConcurrency, async (number) => {
        const range = { offset: number * partBytes, length: 1 };
        await (await derived.get(key, { ...call, range, ifMatch: info.version })).bytes();
      });
      return { admitted: true, parts: count, fetchedParts: missing.length };
    },
  });
}

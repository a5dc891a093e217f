/** A folder of a store as a store. */
import { assertNewKey } from "../object-key.ts";
import type { ObjectStore } from "../object-store.ts";
import type { StoreParts } from "../store-parts.ts";
import { StoreError } from "../store-error.ts";
import { PrefixDriver } from "./prefix-driver.ts";

/**
 * The folder `prefix` of `store` as a store of its own: keys, listings, uploads, errors and `url` are relative to it, and
 * nothing outside can be reached. Closing the result closes `store`.
 * @param prefix a folder that ends in `/`, by the rules of new keys: `tenants/42/`
 * @throws StoreError `INVALID_KEY` for any other, and for one that leaves no room for keys
 */
export function withPrefix(store: ObjectStore, prefix: string, parts: StoreParts = {}): ObjectStore {
  if (typeof prefix !== "string" || !prefix.endsWith("/")) {
    throw new StoreError("INVALID_KEY", "withPrefix: want a folder, which ends in /", { operation: "withPrefix" });
  }
  assertNewKey(prefix.slice(0, -1), "withPrefix");
  if (Buffer.byteLength(prefix) >= store.capabilities.limits.keyBytesMax) {
    throw new StoreError("INVALID_KEY", "withPrefix: the folder leaves no bytes for keys", { operation: "withPrefix" });
  }
  return store.derive(new PrefixDriver(store, prefix), {}, parts);
}

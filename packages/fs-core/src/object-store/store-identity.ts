/**
 * Who a store is. A URL is no identity: buckets are made anew, lists of URLs are put in another order. So an object with a
 * random id lies at the root, created once, and whoever keeps the id beside the URL notices when another store answers.
 */
import type { Random } from "../random.ts";
import type { CallOptions, ObjectStore } from "./object-store.ts";
import { isStoreError, StoreError } from "./store-error.ts";
import { newPutId } from "./write-request.ts";

/** Key of the identity. */
export const storeIdKey = ".store-id";

const form = /^varve-store-id 1 ([0-9a-f]{32})\n$/;

/** The store's id, 32 hexadecimal digits; undefined when it has none. @throws StoreError `CORRUPT` */
export async function readStoreId(store: ObjectStore, options: CallOptions = {}): Promise<string | undefined> {
  let text: string;
  try {
    const body = await store.get(storeIdKey, options);
    text = new TextDecoder().decode(await body.bytes({ limitBytes: 1024 }));
  } catch (error) {
    if (isStoreError(error) && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
  const [, id] = form.exec(text) ?? [];
  if (id !== undefined) return id;
  throw new StoreError("CORRUPT", `${storeIdKey} on ${store.url} is not one of ours; restore it`, {
    key: storeIdKey,
    operation: "readStoreId",
    store: store.url,
  });
}

/**
 * The store's id, given now if it has none. Of any number of callers all get the same.
 * @param isFenced false where the store keeps no conditions: there may be one caller then
 */
export async function ensureStoreId(
  store: ObjectStore,
  random: Random,
  options: CallOptions = {},
  isFenced = true,
): Promise<string> {
  const known = await readStoreId(store, options);
  if (known !== undefined) return known;
  const id = newPutId(random);
  try {
    const bytes = new TextEncoder().encode(`varve-store-id 1 ${id}\n`);
    await store.put(storeIdKey, bytes, { ifAbsent: isFenced, contentType: "text/plain", ...options });
    return id;
  } catch (error) {
    if (!isStoreError(error) || error.code !== "ALREADY_EXISTS") throw error;
    return (await readStoreId(store, options)) ?? Promise.reject(error);
  }
}

/** @throws StoreError `WRONG_STORE` when the store has another id, or none */
export async function assertStoreId(store: ObjectStore, expected: string, options: CallOptions = {}): Promise<void> {
  const found = await readStoreId(store, options);
  if (found === expected) return;
  const what = found === undefined ? "has no identity" : `is ${found}`;
  throw new StoreError("WRONG_STORE", `${store.url} ${what}, and ${expected} was expected: check the URL`, {
    key: storeIdKey,
    operation: "openStore",
    store: store.url,
  });
}

import { createObjectStore, type ObjectStoreDriver } from "@varve/fs-core";
import { countBytes, partBytes, partsInFlight, type StoreClient } from "./store-client.ts";

/** Our side: the store that every driver gets. Closes the driver. */
export function varveClient(driver: ObjectStoreDriver): StoreClient {
  const store = createObjectStore(driver);
  return {
    async put(key, bytes) {
      await store.put(key, bytes);
    },
    async putStream(key, source) {
      await store.putStream(key, source, { partBytes, concurrency: partsInFlight });
    },
    async get(key) {
      return (await (await store.get(key)).bytes()).byteLength;
    },
    async getStream(key) {
      return countBytes(await store.get(key));
    },
    async list(prefix) {
      let keys = 0;
      for await (const entry of store.list({ prefix })) if (entry.kind === "object") keys++;
      return keys;
    },
    close: () => store.close(),
  };
}

import assert from "node:assert/strict";
import { createObjectStore } from "../../object-store/driver-store.ts";
import type { ObjectStore } from "../../object-store/object-store.ts";
import type { StoreBackend } from "../../object-store/store-backend.ts";
import { parseStoreUrl } from "../../object-store/store-url.ts";
import { newPutId } from "../../object-store/write-request.ts";
import { systemClock } from "../../clock.ts";
import { systemRandom } from "../../random.ts";
import { objectStoreConformance } from "./object-store-conformance.ts";
import { collect } from "./store-check.ts";

/** Which endpoint {@link realStoreConformance} examines. */
export interface RealStore {
  readonly test: (name: string, body: () => Promise<void>) => void;
  readonly backend: StoreBackend;
  /** A folder on an endpoint that somebody runs. */
  readonly url: string;
  /** The backend's own. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/**
 * {@link objectStoreConformance} in a bucket that others use too: each check in a new folder, `varve-test-` and 16
 * hexadecimal digits, that is emptied afterwards; and a check that it is.
 */
export function realStoreConformance({ test, backend, url, settings }: RealStore): void {
  const folders = new Map<ObjectStore, string>();

  async function open(folder: string): Promise<ObjectStore> {
    const parts = { clock: systemClock, random: systemRandom };
    return createObjectStore(await backend.open(parseStoreUrl(folder), settings, parts));
  }

  async function create(): Promise<ObjectStore> {
    const folder = `${url.replace(/\/+$/, "")}/varve-test-${newPutId(systemRandom).slice(16)}`;
    const store = await open(folder);
    folders.set(store, folder);
    return store;
  }

  /** The suite has closed the store by now: another one of the same folder clears it. */
  async function destroy(store: ObjectStore): Promise<void> {
    const cleaner = await open(folders.get(store) as string);
    folders.delete(store);
    try {
      await emptyStore(cleaner);
    } finally {
      await cleaner.close();
    }
  }

  objectStoreConformance({ test, create, destroy });

  test("a check leaves nothing behind", async () => {
    const store = await create();
    const folder = folders.get(store) as string;
    const call = { signal: new AbortController().signal };
    await store.put("a", new Uint8Array(1));
    await store.driver.beginUpload("b", { metadata: {}, contentType: "text/plain", checksum: undefined }, call);
    await store.close();
    await destroy(store);
    const again = await open(folder);
    try {
      assert.deepEqual(await collect(again.list()), []);
      if (again.capabilities.listUploads) assert.deepEqual(await collect(again.listIncompleteUploads()), []);
    } finally {
      await again.close();
    }
  });
}

/** Deletes all objects and drops all uploads of a store. @throws AssertionError when something stays */
async function emptyStore(store: ObjectStore): Promise<void> {
  if (store.capabilities.listUploads && store.capabilities.abortUploads) {
    for await (const upload of store.listIncompleteUploads()) await store.abortIncompleteUpload(upload);
  }
  const keys = (await collect(store.list())).flatMap((entry) => (entry.kind === "object" ? [entry.key] : []));
  assert.deepEqual(await store.deleteMany(keys), [], `objects of ${store.url} that were not deleted`);
}

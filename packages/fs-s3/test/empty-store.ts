import type { ObjectStore } from "@varve/fs-core";

/** Deletes all objects and drops all uploads of a store. @throws Error when something stays */
export async function emptyStore(store: ObjectStore): Promise<void> {
  if (store.capabilities.listUploads && store.capabilities.abortUploads) {
    for await (const upload of store.listIncompleteUploads()) await store.abortIncompleteUpload(upload);
  }
  const keys: string[] = [];
  for await (const entry of store.list()) if (entry.kind === "object") keys.push(entry.key);
  const failures = await store.deleteMany(keys);
  if (failures.length > 0) throw new Error(`${store.url}: ${failures.length} objects were not deleted`);
}

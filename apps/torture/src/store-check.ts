/**
 * Reads a store without faults and judges it by the ledger of its client. Exit code 0 when every word was kept, 1 with
 * a line for each that was not. `FINAL=1` in the environment: the client said that its job is done.
 */
import { isStoreError, type ObjectStore } from "@varve/fs-core";
import { printLines } from "./output.ts";
import { type StoreArguments, storeArguments, storeUsage } from "./store-arguments.ts";
import { openStoreAt } from "./store-backends.ts";
import { bodyOf, parseChain } from "./store-body.ts";
import { judgeStore, type StoredObject } from "./store-judge.ts";
import { readFacts } from "./store-ledger.ts";
import { multipartSizes, smallBytes, swapKey } from "./store-plan.ts";

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let given: StoreArguments;
  try {
    given = storeArguments(args);
  } catch (error) {
    printLines(2, `${(error as Error).message}\nusage: store-check ${storeUsage}`);
    return 2;
  }
  const { backend, endpoint, dir, job, items } = given;
  await using store = await openStoreAt(backend, endpoint, {});
  const sizeBytes = job === "multipart" ? multipartSizes(store.capabilities).sizeBytes : smallBytes;
  const objects = await readObjects(store, sizeBytes);
  const state = { objects, incompleteUploads: await readUploads(store) };
  const problems = judgeStore(readFacts(dir), state, { job, items, isFinal: process.env["FINAL"] === "1" });
  printLines(1, problems.map((problem) => `${problem}\n`).join(""));
  return problems.length === 0 ? 0 : 1;
}

async function readObjects(store: ObjectStore, sizeBytes: number): Promise<StoredObject[]> {
  const objects: StoredObject[] = [];
  for await (const entry of store.list()) {
    if (entry.kind === "object") objects.push(await readObject(store, entry.key, sizeBytes));
  }
  return objects;
}

async function readObject(store: ObjectStore, key: string, sizeBytes: number): Promise<StoredObject> {
  const body = await store.get(key);
  const { putId, metadata } = body.info;
  try {
    const bytes = await body.bytes();
    if (key === swapKey) return { key, putId, bodyId: undefined, chain: parseChain(bytes) };
    const { body: id } = metadata;
    const isWhole = id !== undefined && bodyOf(id, sizeBytes).equals(bytes);
    return { key, putId, bodyId: isWhole ? id : undefined };
  } catch (error) {
    // What is stored is not what was put.
    if (isStoreError(error) && error.code === "CORRUPT") return { key, putId, bodyId: undefined };
    throw error;
  }
}

async function readUploads(store: ObjectStore): Promise<string[] | undefined> {
  const { listUploads, abortUploads } = store.capabilities;
  if (!listUploads || !abortUploads) return undefined;
  const keys: string[] = [];
  for await (const { key } of store.listIncompleteUploads()) keys.push(key);
  return keys;
}

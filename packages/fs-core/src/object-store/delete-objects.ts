/** Deletions: one on a condition, many at once. */
import { readBack, unknown } from "./commit-write.ts";
import { inParallel } from "./in-parallel.ts";
import { assertKey } from "./object-key.ts";
import type { ObjectStoreDriver } from "./object-driver.ts";
import type { DeleteFailure } from "./object-store.ts";
import { type Source, sourceItems } from "./source-items.ts";
import type { StoreCall } from "./store-call.ts";
import { isStoreError } from "./store-error.ts";

/** @throws StoreError `VERSION_MISMATCH` with `ifMatch` */
export async function deleteObject(
  driver: ObjectStoreDriver,
  call: StoreCall,
  key: string,
  ifMatch: string | undefined,
): Promise<void> {
  const request = ifMatch === undefined ? {} : { ifMatch };
  try {
    await call.request("delete", (driverCall) => driver.delete(key, request, driverCall), { commits: true });
  } catch (error) {
    const isAnswer = isStoreError(error) && (error.code === "VERSION_MISMATCH" || error.code === "NOT_FOUND");
    if (!call.isOutcomeUnknown && !isAnswer) throw error;
    const { isKnown, found } = await readBack(driver, call, key);
    if (call.isOutcomeUnknown) {
      // An attempt that was not answered may have deleted it, or may still: what counts is whether that version is gone.
      const isGone = found === undefined || (ifMatch !== undefined && found.version !== ifMatch);
      if (isKnown && isGone) return;
      throw unknown(error);
    }
    // Gone: by somebody else, or by a request of ours that came twice.
    throw found === undefined ? unknown(error) : error;
  }
}

/** @returns what could not be deleted, each key once */
export async function deleteObjects(
  driver: ObjectStoreDriver,
  call: StoreCall,
  keys: Source<string>,
  concurrency: number,
): Promise<DeleteFailure[]> {
  const { deleteManyMax, keyBytesMax } = driver.capabilities.limits;
  const failures: DeleteFailure[] = [];
  const batches = batchesOf(sourceItems(keys, call), driver.deleteMany === undefined ? 1 : deleteManyMax);
  await inParallel(batches, concurrency, async (batch) => {
    call.assertRunning();
    const accepted: string[] = [];
    for (const key of batch) {
      try {
        assertKey(key, "deleteMany", keyBytesMax);
        accepted.push(key);
      } catch (error) {
        failures.push({ key, error: error as Error });
      }
    }
    if (accepted.length > 0) failures.push(...(await deleteBatch(driver, call, accepted)));
  });
  return failures;
}

async function deleteBatch(
  driver: ObjectStoreDriver,
  call: StoreCall,
  keys: readonly string[],
): Promise<readonly DeleteFailure[]> {
  const deleteMany = driver.deleteMany?.bind(driver);
  // Which keys an attempt that was not answered got to is not known: of none is it certain that nothing changed.
  const honest = (error: unknown): Error => (call.isOutcomeUnknown ? unknown(error) : error) as Error;
  try {
    if (deleteMany !== undefined && keys.length > 1) {
      const failures = await call.request("deleteMany", (driverCall) => deleteMany(keys, driverCall), {
        commits: true,
      });
      return failures.map(({ key, error }) => ({ key, error: honest(error) }));
    }
    for (const key of keys) {
      await call.request("delete", (driverCall) => driver.delete(key, {}, driverCall), { commits: true });
    }
    return [];
  } catch (error) {
    call.assertRunning();
    return keys.map((key) => ({ key, error: honest(error) }));
  }
}

async function* batchesOf(keys: AsyncIterable<string>, size: number): AsyncGenerator<string[]> {
  let batch = new Set<string>();
  for await (const key of keys) {
    batch.add(key);
    if (batch.size < size) continue;
    yield [...batch];
    batch = new Set();
  }
  if (batch.size > 0) yield [...batch];
}

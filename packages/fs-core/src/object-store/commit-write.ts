/**
 * The request that makes an object appear, and what became of it. When an answer was lost, what the store says next may
 * be about our own success: only the put id tells. (A store that is asked twice for `ifAbsent` refuses the second time.)
 */
import type { DriverCall, DriverInfo, DriverPutResult, ObjectStoreDriver } from "./object-driver.ts";
import { putIdName } from "./stored-metadata.ts";
import type { RequestOptions, StoreCall } from "./store-call.ts";
import { isStoreError, StoreError } from "./store-error.ts";

/** A request that commits. */
export interface CommitRequest {
  readonly operation: string;
  readonly key: string;
  /** In the metadata of what is stored. */
  readonly putId: string;
  readonly options: RequestOptions;
  readonly send: (call: DriverCall) => Promise<DriverPutResult>;
}

/**
 * @returns the version, of this write and no other
 * @throws StoreError the store's, with `outcome` `unknown` when not even reading it back told
 */
export async function commitWrite(
  driver: ObjectStoreDriver,
  call: StoreCall,
  { operation, key, putId, options, send }: CommitRequest,
): Promise<DriverPutResult> {
  try {
    return await call.request(operation, send, { ...options, commits: true });
  } catch (error) {
    if (!call.isOutcomeUnknown || call.isAborted) throw error;
    const found = await readBack(driver, call, key);
    if (found?.metadata[putIdName] === putId) return { version: found.version };
    throw unknown(error);
  }
}

/** What is there now; undefined when nothing is or when it cannot be told. */
export async function readBack(
  driver: ObjectStoreDriver,
  call: StoreCall,
  key: string,
): Promise<DriverInfo | undefined> {
  try {
    return await call.request("head", (driverCall) => driver.head(key, driverCall));
  } catch {
    return undefined;
  }
}

/** `error`, saying that the write may have happened, or may still. */
export function unknown(error: unknown): unknown {
  if (!isStoreError(error) || error.outcome === "unknown") return error;
  return new StoreError(error.code, `${error.message} (an earlier attempt was not answered)`, {
    outcome: "unknown",
    retryable: error.retryable,
    cause: error,
    ...(error.key === undefined ? {} : { key: error.key }),
    ...(error.operation === undefined ? {} : { operation: error.operation }),
    ...(error.store === undefined ? {} : { store: error.store }),
    ...(error.status === undefined ? {} : { status: error.status }),
  });
}

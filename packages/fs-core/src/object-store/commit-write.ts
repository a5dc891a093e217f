/**
 * The request that makes an object appear, and what became of it. When an answer was lost, or a proxy sent a request twice,
 * what the store says may be about our own success: only the put id tells.
 */
import type { DriverCall, DriverInfo, DriverPutResult, ObjectStoreDriver } from "./object-driver.ts";
import { putIdName } from "./stored-metadata.ts";
import type { RequestOptions, StoreCall } from "./store-call.ts";
import { isStoreError, retold } from "./store-error.ts";

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
    const isRefusal = isRefused(error);
    if (!call.isOutcomeUnknown && !isRefusal) throw error;
    const back = await readBack(driver, call, key);
    if (back.found?.metadata[putIdName] === putId) return { version: back.found.version };
    if (!isRefusal) throw unknown(error);
    // Somebody else's object is there, or was: that is an answer. Not being able to look is none.
    if (back.isKnown) throw call.isOutcomeUnknown ? unknown(error) : error;
    throw untold(error);
  }
}

/** Whether the store said that a condition does not hold. */
function isRefused(error: unknown): boolean {
  return isStoreError(error) && (error.code === "ALREADY_EXISTS" || error.code === "VERSION_MISMATCH");
}

/** What a look at a key told. */
export interface ReadBack {
  /** Whether the store answered. */
  readonly isKnown: boolean;
  readonly found: DriverInfo | undefined;
}

/** What is there now. */
export async function readBack(driver: ObjectStoreDriver, call: StoreCall, key: string): Promise<ReadBack> {
  try {
    return { isKnown: true, found: await call.request("head", (driverCall) => driver.head(key, driverCall)) };
  } catch {
    return { isKnown: false, found: undefined };
  }
}

/** `error`, saying that the write may have happened, or may still. */
export function unknown(error: unknown): unknown {
  if (!isStoreError(error) || error.outcome === "unknown") return error;
  const message = `${error.message} (an attempt of ours may have done it)`;
  return retold(error, { message, outcome: "unknown", cause: error });
}

/** For a refusal of which it cannot be told whether it is about our own success. */
export function untold(error: unknown): unknown {
  if (!isStoreError(error)) return error;
  const message = `${error.message} (this may be our own write: the store did not say whose it is)`;
  return retold(error, { code: "UNAVAILABLE", message, outcome: "unknown", retryable: true, cause: error });
}

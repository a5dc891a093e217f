/** A request of a driver, as a wrapper sees it. */
import type { DriverCall } from "../object-driver.ts";

/** Every request that a driver has. `list` is a page of a listing, `listUploads` one of unfinished uploads. */
export const driverOperations = [
  "head",
  "get",
  "put",
  "beginUpload",
  "uploadPart",
  "uploadPartCopy",
  "completeUpload",
  "abortUpload",
  "copy",
  "rename",
  "delete",
  "deleteMany",
  "list",
  "listUploads",
] as const;

/** One of {@link driverOperations}. */
export type DriverOperation = (typeof driverOperations)[number];

/** One attempt. */
export interface DriverRequest {
  readonly operation: DriverOperation;
  /** The object that it reads or changes: the target of a copy. Undefined for listings and `deleteMany`. */
  readonly key: string | undefined;
  /** Bytes of the object that it sends. */
  readonly sentBytes: number;
  readonly call: DriverCall;
}

/** Runs `turn` while the request's own deadline rests, where it has one. */
export function waitFor<T>(call: DriverCall, turn: () => Promise<T>): Promise<T> {
  return call.waiting === undefined ? turn() : call.waiting(turn);
}

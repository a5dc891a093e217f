/** What the disk said, as what a store says. */
import { isStorageError, type StorageErrorCode } from "../../errors.ts";
import { isStoreError, StoreError, type StoreErrorCode, type StoreOutcome } from "../store-error.ts";

const codes: Readonly<Record<StorageErrorCode, StoreErrorCode>> = {
  NOT_FOUND: "NOT_FOUND",
  ALREADY_EXISTS: "ALREADY_EXISTS",
  // A folder where an object should be, or the other way round.
  NOT_A_DIRECTORY: "KEY_CONFLICT",
  PERMISSION_DENIED: "PERMISSION_DENIED",
  NO_SPACE: "NO_SPACE",
  TOO_MANY_OPEN_FILES: "UNAVAILABLE",
  INVALID_PATH: "INVALID_KEY",
  INVALID_ARGUMENT: "INVALID_ARGUMENT",
  LOCKED: "CONFLICT",
  CLOSED: "CLOSED",
  UNSUPPORTED: "UNSUPPORTED",
  CORRUPT: "CORRUPT",
  ABORTED: "ABORTED",
  IO: "IO",
};

/** @param outcome what the failed step may have done: `none` as long as nothing got its final name */
export function toStoreError(error: unknown, key: string, outcome: StoreOutcome = "none"): StoreError {
  if (isStoreError(error)) return error;
  if (!isStorageError(error)) {
    return new StoreError("IO", error instanceof Error ? error.message : String(error), { key, outcome, cause: error });
  }
  return new StoreError(codes[error.code], error.message, { key, outcome, cause: error });
}

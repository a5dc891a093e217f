/**
 * Everything an index refuses or fails with, as a closed list ordered by what the caller should do.
 * Codes are API; messages may change in any release. Test by `code`, never by `instanceof`.
 */
export const indexErrorCodes = [
  // Mend the call.
  "INDEX_INVALID_ARGUMENT", // a value of the wrong type or range; nothing was changed
  "INDEX_BAD_TRANSITION", // the life cycle has no such step
  // Read again, then decide.
  "INDEX_NOT_FOUND", // no entry has that base id
  "INDEX_ALREADY_EXISTS", // an entry has that base id
  "INDEX_CONFLICT", // the entry's version or status is no longer the one you named
  "INDEX_STALE_EPOCH", // a newer writer was here: this one must stop
  // Throw the index away and rebuild it from the segments: nothing is lost.
  "INDEX_DAMAGED", // bytes are not what was written
  "INDEX_FOREIGN", // it belongs to another log
  "INDEX_FORMAT_TOO_NEW", // written by a newer release
  // Use another kind, or wait.
  "INDEX_UNAVAILABLE", // the native lmdb module cannot be loaded here: use `file`
  "INDEX_ALREADY_OPEN", // this process has it open: close that one first
  // Open again.
  "INDEX_CLOSED", // this object was closed
  "INDEX_IO", // the disk or the operating system failed; `cause` is the first failure, and later changes repeat it
] as const;

/** One of {@link indexErrorCodes}. */
export type IndexErrorCode = (typeof indexErrorCodes)[number];

/** The one error class of this package. Messages name base ids and file names, never keys or entity tags. */
export class IndexError extends Error {
  override readonly name: string = "IndexError";
  readonly code: IndexErrorCode;
  /** Whether the same call may succeed later without anyone changing the arguments. */
  readonly retryable: boolean;

  constructor(code: IndexErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.retryable = code === "INDEX_ALREADY_OPEN";
  }
}

/** True for an {@link IndexError} of any loaded copy of this package. */
export function isIndexError(value: unknown): value is IndexError {
  return (
    value instanceof Error &&
    value.name === "IndexError" &&
    "code" in value &&
    (indexErrorCodes as readonly unknown[]).includes(value.code)
  );
}

/** Bytes that were not what was written. */
export function damaged(message: string, options?: ErrorOptions): IndexError {
  return new IndexError("INDEX_DAMAGED", message, options);
}

/** An argument that breaks a rule. */
export function invalid(message: string): IndexError {
  return new IndexError("INDEX_INVALID_ARGUMENT", message);
}

/** An operating-system failure, kept as `cause`; an {@link IndexError} passes through. */
export function ioError(action: string, cause: unknown): IndexError {
  if (isIndexError(cause)) return cause;
  return new IndexError("INDEX_IO", `${action} failed: ${cause instanceof Error ? cause.message : String(cause)}`, {
    cause,
  });
}

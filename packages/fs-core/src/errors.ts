/**
 * What can go wrong with stored bytes, as a closed list. Codes are API; messages may change in any release.
 * Test by `code`, never by `instanceof`: two copies of this package may be loaded in one process.
 */
export const storageErrorCodes = [
  "NOT_FOUND", // nothing is stored there
  "ALREADY_EXISTS", // somebody created it first
  "NOT_A_DIRECTORY", // a file stands where a directory was expected, or the other way round
  "PERMISSION_DENIED", // ask the operator for access to the named path
  "NO_SPACE", // disk or quota is full: free space, then reopen
  "TOO_MANY_OPEN_FILES", // raise the descriptor limit, or close something
  "INVALID_PATH", // the path is hostile or malformed: `..`, absolute, NUL, over-long, a symbolic link
  "INVALID_ARGUMENT", // a value of the wrong type or range: mend the call
  "LOCKED", // another live owner holds the lock
  "CLOSED", // the handle or file system was closed
  "UNSUPPORTED", // `supports` says no on this platform
  "CORRUPT", // a checksum failed: restore from another copy
  "ABORTED", // the caller's signal fired
  "IO", // the device or the operating system failed; see `cause`
] as const;

/** One of {@link storageErrorCodes}. */
export type StorageErrorCode = (typeof storageErrorCodes)[number];

/** Where it happened. Every field is safe to log. */
export interface StorageErrorContext extends ErrorOptions {
  /** The path as the caller gave it, relative to the file system's root. */
  readonly path?: string;
  /** The operation's name, for example `rename`. */
  readonly operation?: string;
}

/** The one error class of this package. `cause` keeps the operating system's error. */
export class StorageError extends Error {
  override readonly name: string = "StorageError";
  readonly code: StorageErrorCode;
  /** Whether the same call may succeed later without anyone changing anything. */
  readonly retryable: boolean;
  readonly path: string | undefined;
  readonly operation: string | undefined;

  constructor(code: StorageErrorCode, message: string, context: StorageErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.code = code;
    this.retryable = code === "LOCKED" || code === "TOO_MANY_OPEN_FILES";
    this.path = context.path;
    this.operation = context.operation;
  }
}

/** True for a {@link StorageError} of any loaded copy of this package. */
export function isStorageError(value: unknown): value is StorageError {
  return (
    value instanceof Error &&
    value.name === "StorageError" &&
    "code" in value &&
    (storageErrorCodes as readonly unknown[]).includes(value.code)
  );
}

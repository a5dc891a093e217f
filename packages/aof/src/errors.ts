import { isStorageError, type StorageErrorCode } from "@varve/fs-core";

/**
 * Everything a log refuses or fails with, as a closed list ordered by what the caller should do.
 * Codes are API; messages may change in any release.
 */
export const aofErrorCodes = [
  // Mend the call.
  "INVALID_SETTINGS", // every broken setting is named, one per line
  "INVALID_SEGMENT_SIZE", // `segmentSizeBytes` alone is out of range
  "INVALID_ARGUMENT", // a record, id or option of the wrong type or range
  "SEGMENT_FULL", // the record or batch is larger than a segment: raise `segmentSizeBytes` or split it
  "UNEXPECTED_ID", // a conditional append came too late: `nextId` is the id it would have got
  "UNSUPPORTED", // this platform or build cannot do it
  // Wait, then call again.
  "BACKPRESSURE", // buffers are full: await `error.ready`
  "WOULD_BLOCK", // `tryAppend` would have to wait
  "READER_LIMIT_EXCEEDED", // close a reader, or raise `maxReaders`
  "LOCKED", // another process writes this log
  // Look elsewhere.
  "NOT_FOUND", // no log is there
  "NOT_A_LOG", // the directory or file is somebody else's
  "RECORD_TRIMMED", // retention removed it; `earliestId` is the oldest that remains
  // Open again.
  "CLOSED", // this object was closed
  // Nothing: it was your signal.
  "ABORTED", // the caller's signal fired
  // Stop.
  "FENCED", // a newer writer took the log over; this one must stop
  // Look at `cause`, then close and open again to recover.
  "POISONED", // an earlier write failed; `cause` is the first failure
  "NO_CURRENT_SEGMENT", // there is no segment to append to, after a failure
  "APPEND_TO_NEW_SEGMENT_FAILED", // rotation failed
  // Call the operator.
  "NO_SPACE", // the disk or quota is full: free space, then reopen
  "PERMISSION_DENIED", // the named path may not be read or written
  "IO", // the device or operating system failed; see `cause`
  "FILESYSTEM", // the file system refused for another reason; see `cause`
  "INDEX", // the index failed in a way a rebuild did not mend
  // Restore from a copy, or repair.
  "CORRUPTED_RECORD", // a record that was durable is damaged; segment, offset and id are named
  "CORRUPTED_SEGMENT", // a segment is missing, shortened or its header is damaged
  "CORRUPTED_MANIFEST", // MANIFEST is missing, damaged or older than the segments
  "SERIALIZATION", // stored metadata cannot be decoded
  "CORRUPTED_CURSORS", // CURSORS is missing or damaged
  "CORRUPTED_KEYS", // KEYS is missing or damaged: without it what is encrypted cannot be read
  "TAMPERED_RECORD", // a sound, encrypted record does not authenticate: somebody wrote it who has no key
  // Bring the right key.
  "KEY_REQUIRED", // the log is encrypted and no key provider was given
  "KEY_NOT_FOUND", // the provider does not have the key that the log names
  "WRONG_KEY", // the provider's key of that name is not the one the log was encrypted with
  // Upgrade.
  "FORMAT_TOO_NEW", // written by a newer version; nothing was touched
  // Look at `cause`.
  "REMOTE_STORAGE", // an archive's store failed; no log throws it, it is kept for the archive package
  "COMPRESSION", // a record could not be compressed
] as const;

/** One of {@link aofErrorCodes}. */
export type AofErrorCode = (typeof aofErrorCodes)[number];

/** Where and what. Every field is safe to log. */
export interface AofErrorContext extends ErrorOptions {
  /** File, relative to the log's directory. */
  readonly path?: string;
  /** Base id of the segment. */
  readonly segmentId?: number;
  /** Byte offset in the segment. */
  readonly offset?: number;
  readonly recordId?: number;
  /** With `UNEXPECTED_ID`: the id that the append would have got. */
  readonly nextId?: number;
  /** With a key's error: the provider's name of it, never the key. */
  readonly keyId?: string;
  /** With `RECORD_TRIMMED`: the oldest id that can be read. */
  readonly earliestId?: number;
  /** With `BACKPRESSURE`: resolves when there is room again; rejects when there never will be. */
  readonly ready?: Promise<void>;
}

const retryableCodes: ReadonlySet<AofErrorCode> = new Set([
  "BACKPRESSURE",
  "WOULD_BLOCK",
  "READER_LIMIT_EXCEEDED",
  "LOCKED",
]);

/** The one error class of this package. Test by `code`. */
export class AofError extends Error {
  override readonly name: string = "AofError";
  readonly code: AofErrorCode;
  /** Whether the same call on the same object may succeed later. */
  readonly retryable: boolean;
  readonly path: string | undefined;
  readonly segmentId: number | undefined;
  readonly offset: number | undefined;
  readonly recordId: number | undefined;
  readonly earliestId: number | undefined;
  readonly nextId: number | undefined;
  readonly keyId: string | undefined;
  readonly ready: Promise<void> | undefined;

  constructor(code: AofErrorCode, message: string, context: AofErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.code = code;
    this.retryable = retryableCodes.has(code);
    this.path = context.path;
    this.segmentId = context.segmentId;
    this.offset = context.offset;
    this.recordId = context.recordId;
    this.earliestId = context.earliestId;
    this.nextId = context.nextId;
    this.keyId = context.keyId;
    this.ready = context.ready;
  }
}

/** True for an {@link AofError} of any loaded copy of this package. */
export function isAofError(value: unknown): value is AofError {
  return (
    value instanceof Error &&
    value.name === "AofError" &&
    "code" in value &&
    (aofErrorCodes as readonly unknown[]).includes(value.code)
  );
}

const storageToAof: Readonly<Partial<Record<StorageErrorCode, AofErrorCode>>> = {
  NOT_FOUND: "NOT_FOUND",
  NOT_A_DIRECTORY: "NOT_A_LOG",
  PERMISSION_DENIED: "PERMISSION_DENIED",
  NO_SPACE: "NO_SPACE",
  LOCKED: "LOCKED",
  ABORTED: "ABORTED",
  IO: "IO",
  CORRUPT: "SERIALIZATION",
  UNSUPPORTED: "UNSUPPORTED",
};

/** Says what `doing` failed, keeping the cause. An {@link AofError} passes through untouched. */
export function toAofError(error: unknown, doing: string, context: Omit<AofErrorContext, "cause"> = {}): AofError {
  if (isAofError(error)) return error;
  const code = isStorageError(error) ? (storageToAof[error.code] ?? "FILESYSTEM") : "IO";
  const detail = error instanceof Error ? error.message : String(error);
  const path = context.path ?? (isStorageError(error) ? error.path : undefined);
  return new AofError(code, `${doing}: ${detail}`, {
    ...context,
    ...(path === undefined ? {} : { path }),
    cause: error,
  });
}

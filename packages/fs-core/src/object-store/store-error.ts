/**
 * What can go wrong with a stored object, as a closed list. Codes are API; messages may change in any release.
 * Test by `code`, never by `instanceof`: two copies of this package may be loaded in one process.
 */
export const storeErrorCodes = [
  "NOT_FOUND", // no object, upload or bucket is there
  "ALREADY_EXISTS", // `ifAbsent`, and somebody else's object is there: yours changed nothing
  "VERSION_MISMATCH", // `ifMatch`, and the object is another version, or gone: read it again and decide
  "CONFLICT", // the store was busy with another change of this key and did nothing: try again
  "KEY_CONFLICT", // on this store a key cannot also be the folder of another: choose another key
  "INVALID_KEY", // the key is hostile or malformed: mend it
  "INVALID_ARGUMENT", // a value of the wrong type or range: mend the call
  "INVALID_RANGE", // the range begins at or beyond the object's end
  "TOO_LARGE", // more bytes, parts or metadata than the store takes
  "UNAUTHENTICATED", // no valid credentials: see to them
  "PERMISSION_DENIED", // the credentials are valid and do not allow this: ask the operator
  "THROTTLED", // the store asks for fewer requests
  "UNAVAILABLE", // the store or the way to it failed
  "TIMEOUT", // no answer within the deadline
  "CORRUPT", // the bytes are not those that were stored: read again, then from another copy
  "NO_SPACE", // disk or quota is full
  "BUDGET_EXCEEDED", // the request budget that was set is spent: raise it, or wait
  "UNFENCED", // the store does not enforce conditional writes: two writers would not notice each other
  "WRONG_STORE", // the store carries another identity than expected: check the URL
  "MISSING_PACKAGE", // install the package that the message names
  "UNSUPPORTED", // `capabilities` says no
  "CLOSED", // the store, writer or body was closed
  "ABORTED", // the caller's signal fired
  "IO", // what is none of the above; see `cause`
] as const;

/** One of {@link storeErrorCodes}. */
export type StoreErrorCode = (typeof storeErrorCodes)[number];

/** What the store had done when the call failed. */
export type StoreOutcome =
  /** The request certainly changed nothing. */
  | "none"
  /** It may have been carried out, or may still be: no answer came that tells. */
  | "unknown";

/** Where it happened. Every field is safe to log. */
export interface StoreErrorContext {
  readonly key?: string;
  /** The driver's operation, for example `completeUpload`. */
  readonly operation?: string;
  /** The store's URL, without secrets. */
  readonly store?: string;
  /** HTTP status, where there was one. */
  readonly status?: number;
  /** The vendor's own word for the failure, for example `SlowDown`. */
  readonly vendorCode?: string;
  /** What the vendor's support asks for. */
  readonly requestId?: string;
  /** Earliest time for the next attempt, in milliseconds from now, where the store said so. */
  readonly retryAfterMs?: number;
  /** Default `none`. */
  readonly outcome?: StoreOutcome;
  /** Overrides what the code implies. */
  readonly retryable?: boolean;
  /** Kept as `cause`. Drivers pass {@link describeCause} of what an SDK threw: its errors carry signed requests. */
  readonly cause?: unknown;
}

const retryableCodes: ReadonlySet<StoreErrorCode> = new Set(["CONFLICT", "THROTTLED", "UNAVAILABLE", "TIMEOUT"]);

/** The one error class of object stores. */
export class StoreError extends Error {
  override readonly name: string = "StoreError";
  readonly code: StoreErrorCode;
  /** Whether the same call may succeed later without anyone changing anything. */
  readonly retryable: boolean;
  readonly outcome: StoreOutcome;
  readonly key: string | undefined;
  readonly operation: string | undefined;
  readonly store: string | undefined;
  readonly status: number | undefined;
  readonly vendorCode: string | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: StoreErrorCode, message: string, context: StoreErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.code = code;
    this.retryable = context.retryable ?? retryableCodes.has(code);
    this.outcome = context.outcome ?? "none";
    this.key = context.key;
    this.operation = context.operation;
    this.store = context.store;
    this.status = context.status;
    this.vendorCode = context.vendorCode;
    this.requestId = context.requestId;
    this.retryAfterMs = context.retryAfterMs;
  }
}

/** True for a {@link StoreError} of any loaded copy of this package. */
export function isStoreError(value: unknown): value is StoreError {
  return (
    value instanceof Error &&
    value.name === "StoreError" &&
    "code" in value &&
    (storeErrorCodes as readonly unknown[]).includes(value.code)
  );
}

/** The same failure with `changes`; whatever else is known of it stays. */
export function retold(
  error: StoreError,
  { code = error.code, message = error.message, ...changes }: StoreErrorChanges,
): StoreError {
  const { key, operation, store, status, vendorCode, requestId, retryAfterMs, outcome, retryable, cause } = error;
  const known = { key, operation, store, status, vendorCode, requestId, retryAfterMs, outcome, retryable, cause };
  const given = Object.entries({ ...known, ...changes }).filter(([, value]) => value !== undefined);
  return new StoreError(code, message, Object.fromEntries(given));
}

/** What is told otherwise. */
export interface StoreErrorChanges extends StoreErrorContext {
  readonly code?: StoreErrorCode;
  readonly message?: string;
}

/** Where something happened. */
export interface StorePlace {
  readonly operation: string;
  readonly store: string;
  readonly key?: string;
}

/** `error` itself when it says where it happened; otherwise the same with what `place` knows of that. */
export function placed(error: unknown, place: StorePlace): unknown {
  if (!isStoreError(error)) return error;
  const { operation = place.operation, store = place.store, key = place.key } = error;
  if (operation === error.operation && store === error.store && key === error.key) return error;
  return retold(error, { operation, store, ...(key === undefined ? {} : { key }) });
}

/**
 * A copy of `error` that holds its name, message, code and own causes, and nothing else: errors of SDKs carry requests,
 * with signatures, tokens and bodies. Query strings of URLs in messages are cut, because signatures live there.
 */
export function describeCause(error: unknown): Error {
  return copyOf(error, 4);
}

function copyOf(error: unknown, depth: number): Error {
  const source = error as { name?: unknown; message?: unknown; code?: unknown; cause?: unknown } | null | undefined;
  const inner = source?.cause;
  const copy = new Error(
    withoutQueries(textOf(source?.message, String(error))),
    inner === undefined || inner === null || depth === 0 ? undefined : { cause: copyOf(inner, depth - 1) },
  );
  copy.name = textOf(source?.name, "Error");
  // The stack of the copy would only tell of the copying.
  copy.stack = `${copy.name}: ${copy.message}`;
  const code = source?.code;
  return typeof code === "string" || typeof code === "number" ? Object.assign(copy, { code }) : copy;
}

function textOf(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

/** `text` without the query strings of URLs in it. */
export function withoutQueries(text: string): string {
  return text.replaceAll(/(https?:\/\/[^\s?"'<>]*)\?[^\s"'<>]*/g, "$1?…");
}

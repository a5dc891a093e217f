/**
 * The object-store seam: whole immutable objects, conditions and listings, as numbered promises. (Files with positions and
 * syncs are the `FileSystem`'s.)
 *
 * Every implementation promises:
 *  1. All or nothing: an object appears with all its bytes and metadata in one step, or not at all. No reader, listing or
 *     crash ever shows a part of one.
 *  2. Acknowledged is stored: when a call that writes resolves, the object is durable (`capabilities.durable`) and every
 *     `get`, `head` and `list` that begins afterwards sees it, or what replaced it.
 *  3. One creator: of any number of calls with `ifAbsent` for one key, at most one resolves while the object stays.
 *  4. One successor: of any number of calls with `ifMatch` of one version, at most one resolves.
 *  5. No false refusal: when the answer to a conditional write was lost, the call finds out by the put id whether the
 *     object is its own, and resolves then. `ALREADY_EXISTS` and `VERSION_MISMATCH` are never its own success.
 *  6. Honest failure: a call that rejects says in `outcome` whether it certainly changed nothing.
 *  7. Right bytes: a read yields the bytes that were put, of one version, or fails with `CORRUPT`.
 *  8. Exact keys: a key means the same object on every call. A key that a store cannot hold exactly is `INVALID_KEY`.
 *  9. Bounded: a call holds at most its parts in flight in memory, ends by its deadline, and ends soon after its signal
 *     fired. An upload that fails or is aborted leaves nothing behind that the store can be told to drop.
 * 10. Every failure is a `StoreError` that names the key, the operation and the store, and holds no secret.
 * 11. Refused before anything is sent: a call that makes no sense is `INVALID_ARGUMENT` or `INVALID_KEY` with every
 *     problem at once. An option that a call does not take is one: `ifabsent` is no write without a condition.
 */
import type { FileSystem } from "../file-system/file-system.ts";
import type { ObjectStoreDriver } from "./object-driver.ts";
import type { ProbeReport } from "./probe-report.ts";
import type { StoreCapabilities } from "./store-capabilities.ts";
import type { StoreParts } from "./store-parts.ts";
import type { StoreSettings } from "./store-settings.ts";

/** Whole objects under keys. See the promises above. */
export interface ObjectStore extends AsyncDisposable {
  /** What was opened, without secrets. */
  readonly url: string;
  /** Of {@link url}: `file`, `memory`, `s3`, `az`, `gs`, or another backend's. */
  readonly scheme: string;
  readonly capabilities: StoreCapabilities;
  /** The requests below, for wrappers. */
  readonly driver: ObjectStoreDriver;
  /** Clock and randomness of this store, for wrappers. */
  readonly parts: Required<StoreParts>;
  /**
   * For wrappers: a store over another driver, with this store's settings and parts where none are given. It closes
   * `driver` and not this store. The two share one budget of retries, unless `settings.retry` is given.
   * @throws StoreError `INVALID_ARGUMENT`
   */
  derive(driver: ObjectStoreDriver, settings?: StoreSettings, parts?: StoreParts): ObjectStore;

  /**
   * The object's bytes as a stream. Resolves when the first answer is there; an answer that breaks off is continued, from
   * the same version, by further requests.
   * @throws StoreError `NOT_FOUND`, `INVALID_RANGE`, `VERSION_MISMATCH`, `CORRUPT`, …
   */
  get(key: string, options?: GetOptions): Promise<ObjectBody>;
  /**
   * Several ranges of one version, in the order asked for. Ranges that lie close together share a request.
   * @throws StoreError as `get`; `INVALID_RANGE` when one goes beyond the end
   */
  getRanges(key: string, ranges: readonly ByteRange[], options?: GetRangesOptions): Promise<Uint8Array[]>;
  /** What is known about the object; undefined when there is none. */
  head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined>;

  /** `bytes` are borrowed until the promise settles. @throws StoreError `ALREADY_EXISTS`, `VERSION_MISMATCH`, … */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<PutResult>;
  /** Bytes of unknown number. The source is closed when the call fails. */
  putStream(
    key: string,
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    options?: UploadOptions,
  ): Promise<PutResult>;
  /** A file, which must not change meanwhile. */
  putFile(key: string, source: FileSource, options?: UploadOptions): Promise<PutResult>;
  /** For a caller that produces bytes itself. Nothing is sent before the first part is full or `commit` is called. */
  createWriter(key: string, options?: UploadOptions): ObjectWriter;

  /** Server-side, whatever the size. Metadata goes along, the put id is a new one. @throws StoreError `NOT_FOUND`, … */
  copy(from: string, to: string, options?: CopyOptions): Promise<PutResult>;
  /**
   * One atomic request. With `ifAbsent`, when an answer was lost, it cannot be told whether we or somebody else moved the
   * object: `UNAVAILABLE` with an unknown outcome. @throws StoreError `UNSUPPORTED` where `capabilities.rename` is false
   */
  rename(from: string, to: string, options?: RenameOptions): Promise<void>;
  /** Idempotent: deleting what is not there resolves, unless `ifMatch` is given. */
  delete(key: string, options?: DeleteOptions): Promise<void>;
  /** In as few requests as the store allows. Resolves with what could not be deleted; the others are gone. */
  deleteMany(keys: Iterable<string> | AsyncIterable<string>, options?: CallOptions): Promise<DeleteFailure[]>;

  /** Lazily, page by page. Objects that come or go meanwhile may or may not be shown. */
  list(options?: ListOptions): AsyncIterable<ListEntry>;
  /** Uploads that were begun and neither committed nor aborted. */
  listIncompleteUploads(options?: ListUploadsOptions): AsyncIterable<IncompleteUpload>;
  /** Drops what an upload sent so far. Idempotent. @throws StoreError `UNSUPPORTED` where `capabilities.abortUploads` is false */
  abortIncompleteUpload(upload: Pick<IncompleteUpload, "key" | "uploadId">, options?: CallOptions): Promise<void>;

  /**
   * Finds out by racing writes on scratch keys which conditions the endpoint truly enforces. About 80 small requests; the
   * scratch keys are deleted.
   */
  probe(options?: ProbeOptions): Promise<ProbeReport>;
  /** Lets calls under way end, refuses new ones with `CLOSED`. Idempotent. */
  close(): Promise<void>;
}

/** Taken by every call. */
export interface CallOptions {
  /** Stops the work, not only the wait for it. */
  readonly signal?: AbortSignal;
  /** Deadline of the whole call, in milliseconds, retries included. Default: the store's `callTimeoutMs`. */
  readonly timeoutMs?: number;
}

/** `offset` and `length` in bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** Of `get`. */
export interface GetOptions extends CallOptions {
  /** Bytes from `offset`, at most `length` of them, to the end when it is left out; or the last `suffixLength`. */
  readonly range?: { readonly offset: number; readonly length?: number } | { readonly suffixLength: number };
  /** Only this version. */
  readonly ifMatch?: string;
}

/** Of `getRanges`. */
export interface GetRangesOptions extends CallOptions {
  readonly ifMatch?: string;
  /** Ranges with at most so many bytes between them share a request. Default 64 KiB. */
  readonly gapBytes?: number;
}

/** At most one of `ifAbsent` and `ifMatch`. */
export interface WriteCondition {
  /** Only when nothing is there. */
  readonly ifAbsent?: boolean;
  /** Only when this version is there. */
  readonly ifMatch?: string;
}

/** Of `put`. */
export interface PutOptions extends CallOptions, WriteCondition {
  /** Names `[a-z][a-z0-9_]*`, up to 64 characters, not beginning with `varve`; values any well-formed text. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Up to 255 characters of printable ASCII. Default `application/octet-stream`. */
  readonly contentType?: string;
  /** CRC-64/NVME that the bytes must have: `CORRUPT` otherwise, and nothing is stored. */
  readonly checksum?: bigint;
  /** 32 hexadecimal digits that name this put. Default random. */
  readonly putId?: string;
}

/** Of what is sent in parts when it is large. */
export interface UploadOptions extends PutOptions {
  /** Bytes of a part. Default 8 MiB, raised when the size that is known needs it. */
  readonly partBytes?: number;
  /** Parts in flight. Memory is `partBytes` × (`concurrency` + 1). Default 4. */
  readonly concurrency?: number;
  /** Told after each part that the store has. What it throws becomes a warning of the process. */
  readonly onProgress?: (progress: { readonly sentBytes: number; readonly totalBytes: number | undefined }) => void;
}

/** A file for `putFile`. */
export interface FileSource {
  readonly fileSystem: FileSystem;
  readonly path: string;
}

/** What was stored. */
export interface PutResult {
  readonly key: string;
  readonly size: number;
  /** For `ifMatch`. Opaque. */
  readonly version: string;
  readonly putId: string;
  /** CRC-64/NVME of the bytes; undefined for a copy of an object that has none. */
  readonly checksum: bigint | undefined;
}

/** What is known of an object. */
export interface ObjectInfo {
  readonly key: string;
  readonly size: number;
  /** For `ifMatch`. Opaque. */
  readonly version: string;
  /** By the store's clock, milliseconds since 1970. A label, never an order. */
  readonly lastModifiedMs: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType: string | undefined;
  /** Undefined for what was not put by this package. */
  readonly putId: string | undefined;
  /** CRC-64/NVME of the bytes, where the store or we recorded it. */
  readonly checksum: bigint | undefined;
}

/** An answer to `get`: iterate over it, or take `bytes`, once. Chunks are the caller's. Leaving the loop cancels it. */
export interface ObjectBody extends AsyncIterable<Uint8Array>, AsyncDisposable {
  readonly info: ObjectInfo;
  /** Where the bytes lie in the object. */
  readonly range: ByteRange;
  /** All of them. @throws StoreError `TOO_LARGE` above `limitBytes` (default 64 MiB), before reading */
  bytes(options?: { readonly limitBytes?: number }): Promise<Uint8Array>;
  /** Ends the transfer. Idempotent. */
  cancel(): Promise<void>;
}

/** One object being written. Without `commit` there is none; a writer that is disposed without it is aborted. */
export interface ObjectWriter extends AsyncDisposable {
  readonly key: string;
  /** Bytes taken so far. */
  readonly size: number;
  /**
   * Takes the bytes; they may be used again when the promise resolves, which waits while too many parts are in flight.
   * Writes that are not awaited, and `commit` after them, take turns in the order of the calls.
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes the object appear. @throws StoreError `ALREADY_EXISTS`, `VERSION_MISMATCH`, … */
  commit(): Promise<PutResult>;
  /** Drops what was sent. Idempotent; without effect after `commit` resolved. `reason` is the cause of later refusals. */
  abort(reason?: unknown): Promise<void>;
}

/** Of `copy`. */
export interface CopyOptions extends CallOptions, WriteCondition {
  /** Only when the source is this version. */
  readonly ifSourceMatch?: string;
  readonly putId?: string;
}

/** Of `rename`. */
export interface RenameOptions extends CallOptions {
  readonly ifAbsent?: boolean;
}

/** Of `delete`. */
export interface DeleteOptions extends CallOptions {
  /** Only this version. @throws `VERSION_MISMATCH` for another, or none */
  readonly ifMatch?: string;
}

/** What `deleteMany` could not delete. */
export interface DeleteFailure {
  readonly key: string;
  readonly error: Error;
}

/** Of `list`. */
export interface ListOptions extends CallOptions {
  /** Only keys that begin with it. Any text, not only whole folders. */
  readonly prefix?: string;
  /** Only keys after it, in order of UTF-8 bytes. */
  readonly startAfter?: string;
  /** Keys that go on with a `/` after the prefix are shown as one folder. */
  readonly delimiter?: "/";
  /** Keys asked for at once, 1..1000. Default 1000. */
  readonly pageSize?: number;
}

/** One line of a listing. */
export type ListEntry = ListedObject | { readonly kind: "prefix"; readonly prefix: string };

/** An object in a listing. */
export interface ListedObject {
  readonly kind: "object";
  readonly key: string;
  readonly size: number;
  readonly version: string;
  readonly lastModifiedMs: number;
}

/** Of `listIncompleteUploads`. */
export interface ListUploadsOptions extends CallOptions {
  readonly prefix?: string;
}

/** An upload that waits for its end. */
export interface IncompleteUpload {
  readonly key: string;
  readonly uploadId: string;
  /** By the store's clock; undefined where it does not say. */
  readonly startedMs: number | undefined;
}

/** Of `probe`. */
export interface ProbeOptions extends CallOptions {
  /** Folder of the scratch keys. Default `varve-probe/`. */
  readonly prefix?: string;
}

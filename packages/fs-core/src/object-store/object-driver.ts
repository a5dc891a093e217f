/**
 * What a backend implements: single requests, tried once. Everything above them is common to all stores and written once
 * (`driver-store.ts`): key rules, deadlines, retries, put ids, parts, resumed reads, checksums, listings.
 *
 * A driver promises:
 *  1. One call is one attempt: a bounded number of requests, of which only the last changes anything. It does not retry.
 *  2. A failure is a `StoreError` whose `outcome` is `unknown` unless the store certainly changed nothing: an answer that
 *     is not one of the store's, a broken connection, a timeout after the request was sent.
 *  3. It stops soon after `signal` fired, closes its connection, and rejects (with anything: the caller knows why).
 *  4. Conditions and metadata are sent as given, or refused with `UNSUPPORTED`; none is dropped.
 */
import type { IncompleteUpload, ListedObject, WriteCondition } from "./object-store.ts";
import type { StoreCapabilities } from "./store-capabilities.ts";

/** Requests of one backend. See above. */
export interface ObjectStoreDriver {
  /** What was opened, without secrets: scheme, bucket, path. */
  readonly url: string;
  readonly capabilities: StoreCapabilities;

  head(key: string, call: DriverCall): Promise<DriverInfo | undefined>;
  /** Resolves when the head of the answer is there. @throws `NOT_FOUND`, `INVALID_RANGE`, `VERSION_MISMATCH` */
  get(key: string, request: DriverGet, call: DriverCall): Promise<DriverBody>;
  /**
   * `bytes` stay as they are until the promise settles or the signal fires. Once it fired they may change: what is sent or
   * stored of them after that must still be refused by the checksum.
   * @throws `ALREADY_EXISTS`, `VERSION_MISMATCH`, `CONFLICT`, `CORRUPT` when `bytes` did not arrive as sent
   */
  put(key: string, bytes: Uint8Array, request: DriverPut, call: DriverCall): Promise<DriverPutResult>;

  /** @returns the upload's id, which with the key is all that the other calls need */
  beginUpload(key: string, request: DriverPut, call: DriverCall): Promise<string>;
  /** Sending a part again replaces it. @throws `NOT_FOUND` for an upload that is no more, `CORRUPT` */
  uploadPart(key: string, uploadId: string, part: DriverPart, call: DriverCall): Promise<UploadedPart>;
  /** `parts` are all of them, in order. @throws `ALREADY_EXISTS`, `VERSION_MISMATCH`, `CONFLICT`, `NOT_FOUND`, `CORRUPT` */
  completeUpload(
    key: string,
    uploadId: string,
    parts: readonly UploadedPart[],
    request: DriverComplete,
    call: DriverCall,
  ): Promise<DriverPutResult>;
  /** Idempotent. Does nothing where `capabilities.abortUploads` is false. */
  abortUpload(key: string, uploadId: string, call: DriverCall): Promise<void>;

  /** The source is `from`, of which the caller knows the head. */
  copy(from: DriverInfo, to: string, request: DriverCopy, call: DriverCall): Promise<DriverPutResult>;
  /**
   * A part from bytes of another object, for copies above `limits.copyBytesMax`. Left out where one `copy` takes any size.
   */
  uploadPartCopy?(
    key: string,
    uploadId: string,
    part: { readonly number: number; readonly from: DriverInfo; readonly offset: number; readonly size: number },
    call: DriverCall,
  ): Promise<UploadedPart>;
  /** Only where `capabilities.rename`. @throws `NOT_FOUND`, `ALREADY_EXISTS` */
  rename?(from: string, to: string, request: { readonly ifAbsent: boolean }, call: DriverCall): Promise<void>;

  /** Resolves when nothing is there (without `ifMatch`). @throws `VERSION_MISMATCH` with `ifMatch`, `NOT_FOUND` with it */
  delete(key: string, request: { readonly ifMatch?: string }, call: DriverCall): Promise<void>;
  /** At most `limits.deleteManyMax` keys. Only where that is above 1. @returns what was not deleted */
  deleteMany?(keys: readonly string[], call: DriverCall): Promise<readonly { key: string; error: Error }[]>;

  listPage(request: DriverList, call: DriverCall): Promise<DriverListPage>;
  /** Only where `capabilities.listUploads`. */
  listUploadsPage?(
    request: { readonly prefix: string; readonly pageToken: string | undefined },
    call: DriverCall,
  ): Promise<{ readonly uploads: readonly IncompleteUpload[]; readonly nextPageToken: string | undefined }>;

  /** Frees connections and timers. Idempotent. */
  close(): Promise<void>;
}

/** Taken by every request. */
export interface DriverCall {
  /** The caller's signal and the deadline in one. */
  readonly signal: AbortSignal;
  /** 1 for the first attempt of a request, one more for each that is made again. Left out: 1. */
  readonly attempt?: number;
  /**
   * For wrappers that let a request wait before they send it: runs `turn`, during which the request's own deadline does not
   * run. Rejects when `signal` fired meanwhile, and then nothing may be sent. Left out: there is no such deadline.
   */
  readonly waiting?: <T>(turn: () => Promise<T>) => Promise<T>;
}

/** What a store knows of an object. */
export interface DriverInfo {
  readonly key: string;
  readonly size: number;
  readonly version: string;
  /** By the store's clock, milliseconds since 1970. */
  readonly lastModifiedMs: number;
  /** As sent with the put; names in lower case. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType: string | undefined;
  /** CRC-64/NVME of all bytes, when the store itself keeps it. */
  readonly checksum: bigint | undefined;
}

/** `range.length` undefined: to the end. */
export interface DriverGet {
  readonly range?: { readonly offset: number; readonly length?: number } | { readonly suffixLength: number };
  readonly ifMatch?: string;
}

/** An answer under way. */
export interface DriverBody {
  /** Of the whole object, whatever the range. */
  readonly info: DriverInfo;
  /** Where the bytes lie. */
  readonly range: { readonly offset: number; readonly length: number };
  /** Ends early, without an error, when the connection did: the caller counts. Leaving it closes the connection. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** What is stored beside the bytes. */
export interface DriverPut extends WriteCondition {
  /** Ready to be sent: printable ASCII, put id and, where it is known, checksum included (see `stored-metadata.ts`). */
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType: string;
  /** CRC-64/NVME of all bytes; undefined while an upload's are not known. */
  readonly checksum: bigint | undefined;
}

/** Part of an upload. */
export interface DriverPart {
  /** From 1, in order of `offset`. */
  readonly number: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** CRC-64/NVME of `bytes`. */
  readonly checksum: bigint;
  readonly isLast: boolean;
}

/** What the store said to a part, kept until the upload is completed. */
export interface UploadedPart {
  readonly number: number;
  readonly size: number;
  /** Whatever the backend needs to name the part. */
  readonly tag: string;
  /** CRC-64/NVME of the part, where it is known. */
  readonly checksum: bigint | undefined;
}

/** What completes an upload. */
export interface DriverComplete extends DriverPut {
  readonly size: number;
}

/** What a copy stores. */
export interface DriverCopy extends DriverPut {
  /** The version that the source must have. */
  readonly ifSourceMatch: string;
}

/** What a store says when an object is stored. */
export interface DriverPutResult {
  readonly version: string;
}

/** One page. */
export interface DriverList {
  readonly prefix: string;
  readonly startAfter: string | undefined;
  readonly delimiter: "/" | undefined;
  readonly pageSize: number;
  readonly pageToken: string | undefined;
}

/** In the order that the store gives. */
export interface DriverListPage {
  readonly objects: readonly Omit<ListedObject, "kind">[];
  readonly prefixes: readonly string[];
  readonly nextPageToken: string | undefined;
}

/**
 * One resumable upload.
 *
 * Always true between awaits:
 *  I1  while open, persistedBytes is a multiple of 256 KiB and never decreases
 *  I2  only the newest request with bytes appends; an older one, perhaps stuck on a dead connection, is refused
 *  I3  an end is final: it is set once, and every later request gets the same answer
 *  I4  the session holds its persisted bytes of the budget until it ends; then the object does, or nobody
 */
import { ApiError, invalid } from "./api-error.ts";
import type { Attributes } from "./attributes.ts";
import type { Bucket } from "./bucket.ts";
import { type ExpectedChecksums, verifyChecksums } from "./checksums.ts";
import type { Conditions } from "./conditions.ts";
import type { ContentSink } from "./content.ts";
import type { StoredObject } from "./stored-object.ts";

/** Every request with bytes but the last brings a multiple of this. */
export const chunkUnitBytes: number = 256 * 1024;

/** What the first request said. */
export interface UploadStart {
  readonly id: string;
  readonly bucket: Bucket;
  readonly name: string;
  readonly attributes: Attributes;
  readonly checksums: readonly ExpectedChecksums[];
  /** Checked when the upload completes, and only then. */
  readonly conditions: Conditions;
  readonly totalBytes: number | undefined;
  /** Of the monotonic clock. */
  readonly startedUs: number;
}

/** How an upload ended. */
export type UploadEnd =
  | { readonly kind: "complete"; readonly object: StoredObject }
  | { readonly kind: "failed"; readonly error: ApiError }
  | { readonly kind: "gone"; readonly why: "cancelled" | "expired" };

export class UploadSession {
  readonly start: UploadStart;
  readonly #sink: ContentSink;
  #totalBytes: number | undefined;
  #writer = 0;
  #end: UploadEnd | undefined;

  constructor(start: UploadStart, sink: ContentSink) {
    this.start = start;
    this.#sink = sink;
    this.#totalBytes = start.totalBytes;
  }

  get persistedBytes(): number {
    return this.#sink.size;
  }

  get totalBytes(): number | undefined {
    return this.#totalBytes;
  }

  get end(): UploadEnd | undefined {
    return this.#end;
  }

  /** A size that was said once stays. @throws ApiError 400 */
  setTotal(totalBytes: number): void {
    if (this.#totalBytes !== undefined && this.#totalBytes !== totalBytes) {
      throw invalid(`The total is ${totalBytes} bytes now; earlier it was ${this.#totalBytes}.`);
    }
    if (totalBytes < this.persistedBytes) {
      throw invalid(`The total is ${totalBytes} bytes, but ${this.persistedBytes} are persisted.`);
    }
    this.#totalBytes = totalBytes;
  }

  /** Makes the caller the one that may append. */
  takeOver(): number {
    return ++this.#writer;
  }

  /** @throws ApiError 503 when another request took over, or what the end says */
  append(writer: number, bytes: Uint8Array): void {
    this.#checkWriter(writer);
    this.#sink.append(bytes);
  }

  /**
   * Turns the bytes into the object, or fails for good.
   * @throws ApiError 400 or 412, which every later request gets too; 503 when another request took over
   */
  complete(writer: number, checksums: ExpectedChecksums): StoredObject {
    this.#checkWriter(writer);
    const { bucket, name, attributes, conditions } = this.start;
    try {
      const size = this.persistedBytes;
      if (this.#totalBytes !== undefined && this.#totalBytes !== size) {
        throw invalid(`The upload has ${size} bytes; its total is ${this.#totalBytes}.`);
      }
      const content = this.#sink.finish();
      verifyChecksums(content, ...this.start.checksums, checksums);
      const object = bucket.put(name, { content, attributes }, conditions);
      this.#end = { kind: "complete", object };
      return object;
    } catch (error) {
      if (error instanceof ApiError) this.#finish({ kind: "failed", error });
      throw error;
    }
  }

  /** Has no effect on an upload that ended. */
  abandon(why: "cancelled" | "expired"): void {
    if (this.#end === undefined) this.#finish({ kind: "gone", why });
  }

  #finish(end: UploadEnd): void {
    this.#end = end;
    this.#sink.release();
  }

  #checkWriter(writer: number): void {
    if (this.#end !== undefined || writer !== this.#writer) {
      throw new ApiError(503, "backendError", "Another request to this upload took over.");
    }
  }
}

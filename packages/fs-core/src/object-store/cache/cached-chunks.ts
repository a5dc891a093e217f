/**
 * A range of an object, part by part, the next one being fetched while one is read.
 *
 * Always true:
 *  I1  at most two parts are held
 *  I2  when a whole object was read whose checksum is known, its parts have it, or they are dropped and the body fails
 *  I3  once it is left or stopped nothing is fetched for it
 */
import { crc64Combine } from "../../checksum/crc64-nvme.ts";
import type { ByteRange } from "../object-store.ts";
import { StoreError } from "../store-error.ts";
import { objectInfo } from "../stored-metadata.ts";
import type { ObjectParts } from "./object-parts.ts";
import type { CachedPart } from "./part-file.ts";

export class CachedChunks implements AsyncIterableIterator<Uint8Array, void, undefined> {
  readonly #parts: ObjectParts;
  readonly #range: ByteRange;
  readonly #signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #onAbort = (): void => this.#controller.abort();
  #next: { readonly number: number; readonly part: Promise<CachedPart> } | undefined;
  #at: number;
  #checksum = 0n;

  /** @param range of at least one byte */
  constructor(parts: ObjectParts, range: ByteRange, signal: AbortSignal) {
    this.#parts = parts;
    this.#range = range;
    this.#signal = signal;
    this.#at = range.offset;
    if (signal.aborted) this.#controller.abort();
    else signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Resolves when the first part is there. @throws StoreError the first part's failure */
  async begin(): Promise<void> {
    try {
      await this.#load(this.#numberAt(this.#at));
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, void>> {
    const { offset, length } = this.#range;
    const end = offset + length;
    if (this.#at >= end) {
      this.#end();
      return { done: true, value: undefined };
    }
    try {
      const number = this.#numberAt(this.#at);
      const { bytes, checksum } = await this.#load(number);
      const start = number * this.#parts.object.partBytes;
      const chunk = bytes.subarray(this.#at - start, Math.min(bytes.byteLength, end - start));
      this.#at += chunk.byteLength;
      this.#checksum = crc64Combine(this.#checksum, checksum, bytes.byteLength);
      this.#next = undefined;
      if (this.#at < end) void this.#load(number + 1).catch(() => {});
      else await this.#verify();
      return { done: false, value: chunk };
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, void>> {
    this.#end();
    return { done: true, value: undefined };
  }

  #numberAt(offset: number): number {
    return Math.floor(offset / this.#parts.object.partBytes);
  }

  #load(number: number): Promise<CachedPart> {
    if (this.#next?.number === number) return this.#next.part;
    const part = this.#parts.part(number, this.#controller.signal);
    this.#next = { number, part };
    return part;
  }

  /** @throws StoreError `CORRUPT` */
  async #verify(): Promise<void> {
    const { size } = this.#parts.info;
    const expected = objectInfo(this.#parts.info).checksum;
    if (this.#range.length !== size || expected === undefined || this.#checksum === expected) return;
    await this.#parts.drop();
    throw new StoreError("CORRUPT", "the bytes do not have the checksum that was stored with them", {
      key: this.#parts.info.key,
    });
  }

  #end(): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#controller.abort();
    this.#next = undefined;
    this.#at = Number.POSITIVE_INFINITY;
  }
}

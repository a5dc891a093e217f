/**
 * The bytes of an object, while they arrive and after.
 *
 * Always true:
 *  I1  a sink holds as many bytes of the budget as it keeps; none when bodies are discarded
 *  I2  `finish` passes those on to the content, `release` returns them; nothing is appended after either
 */
import { createHash, type Hash } from "node:crypto";
import { ApiError } from "./api-error.ts";
import { crc32c } from "./crc32c.ts";

/** Immutable, and shared by copies. */
export interface Content {
  readonly size: number;
  readonly crc32c: number;
  /** Base64; undefined for a composed object, which has none. */
  readonly md5: string | undefined;
  /** Undefined when the server discards bodies. */
  readonly chunks: readonly Uint8Array[] | undefined;
}

/** How many bytes of bodies the server may hold. */
export class Budget {
  readonly limitBytes: number;
  #heldBytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** @throws ApiError 413 */
  take(bytes: number): void {
    if (this.#heldBytes + bytes > this.limitBytes) {
      throw new ApiError(413, "uploadTooLarge", `This server holds at most ${this.limitBytes} bytes of bodies.`);
    }
    this.#heldBytes += bytes;
  }

  give(bytes: number): void {
    this.#heldBytes -= bytes;
  }
}

/** How many bytes of the budget a content holds for as long as one object has it. */
export function heldBytes(content: Content): number {
  return content.chunks === undefined ? 0 : content.size;
}

/** Takes bytes as they arrive. */
export class ContentSink {
  readonly #budget: Budget;
  readonly #chunks: Uint8Array[] | undefined;
  readonly #md5: Hash = createHash("md5");
  #crc32c = 0;
  #size = 0;

  constructor(budget: Budget, discard: boolean) {
    this.#budget = budget;
    this.#chunks = discard ? undefined : [];
  }

  get size(): number {
    return this.#size;
  }

  /** @param bytes passed on to the sink, unless bodies are discarded */
  append(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#chunks !== undefined) {
      this.#budget.take(bytes.length);
      this.#chunks.push(bytes);
    }
    this.#md5.update(bytes);
    this.#crc32c = crc32c(bytes, this.#crc32c);
    this.#size += bytes.length;
  }

  finish(): Content {
    return { size: this.#size, crc32c: this.#crc32c, md5: this.#md5.digest("base64"), chunks: this.#chunks };
  }

  release(): void {
    if (this.#chunks !== undefined) this.#budget.give(this.#size);
  }
}

/** The bytes [start, end) of `chunks`, without copying. */
export function sliceChunks(chunks: readonly Uint8Array[], start: number, end: number): Uint8Array[] {
  const slices: Uint8Array[] = [];
  let at = 0;
  for (const chunk of chunks) {
    if (at >= end) break;
    if (at + chunk.length > start)
      slices.push(chunk.subarray(Math.max(0, start - at), Math.min(chunk.length, end - at)));
    at += chunk.length;
  }
  return slices;
}

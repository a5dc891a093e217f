/** What readers see of a log that is open for writing here, and how many of them there are. */
import { AofError } from "./errors.ts";
import type { ExpiryPolicy } from "./expiry.ts";
import type { LogKeys } from "./keys/log-keys.ts";
import type { LogView, Visibility } from "./log-view.ts";
import type { AofCounters } from "./metrics.ts";
import type { ReadBuffers } from "./read-ahead.ts";
import type { RetentionClock } from "./retention-clock.ts";
import type { SegmentCache } from "./segment-cache.ts";
import type { SegmentCatalog } from "./segment-catalog.ts";
import type { Watermark } from "./watermark.ts";

export interface WriterViewParts {
  readonly catalog: SegmentCatalog;
  readonly cache: SegmentCache;
  readonly readBuffers: ReadBuffers;
  readonly keys: LogKeys | undefined;
  readonly clock: RetentionClock;
  readonly counters: AofCounters;
  readonly written: Watermark;
  readonly durable: Watermark;
  readonly firstId: () => number;
  /** @throws AofError `CLOSED` */
  readonly assertReadable: () => void;
}

export class WriterView implements LogView {
  readonly catalog: SegmentCatalog;
  readonly cache: SegmentCache;
  readonly readBuffers: ReadBuffers;
  readonly keys: LogKeys | undefined;
  readonly expiry: ExpiryPolicy;
  readonly firstId: () => number;
  /** Nobody else trims a log that is open for writing. */
  readonly latestFirstId: () => number;
  readonly assertReadable: () => void;
  readonly #maxReaders: number;
  readonly #parts: WriterViewParts;
  #openReaders = 0;

  constructor(
    { ttlMs, maxReaders }: { readonly ttlMs: number | undefined; readonly maxReaders: number },
    parts: WriterViewParts,
  ) {
    this.#maxReaders = maxReaders;
    this.#parts = parts;
    this.catalog = parts.catalog;
    this.cache = parts.cache;
    this.readBuffers = parts.readBuffers;
    this.keys = parts.keys;
    this.expiry = { ttlUs: (ttlMs ?? 0) * 1000, nowUs: () => parts.clock.nowUs() };
    this.firstId = parts.firstId;
    this.latestFirstId = parts.firstId;
    this.assertReadable = parts.assertReadable;
  }

  get openReaders(): number {
    return this.#openReaders;
  }

  visibleId(visibility: Visibility): number {
    return this.#watermark(visibility).value;
  }

  async waitBeyond(id: number, visibility: Visibility, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      await this.#watermark(visibility).reached(id + 1, signal);
      return true;
    } catch (error) {
      if (error instanceof AofError && error.code === "CLOSED") return false;
      throw error;
    }
  }

  readerOpened(): void {
    if (this.#openReaders >= this.#maxReaders) {
      throw new AofError(
        "READER_LIMIT_EXCEEDED",
        `${this.#openReaders} readers are open, the limit (maxReaders); close one, or raise it`,
      );
    }
    this.#openReaders++;
  }

  readerClosed(): void {
    this.#openReaders--;
  }

  noteReads(records: number): void {
    this.#parts.counters.totalReads += records;
  }

  #watermark(visibility: Visibility): Watermark {
    return visibility === "durable" ? this.#parts.durable : this.#parts.written;
  }
}

/**
 * Iterators over a log: from an id, a time or an end, forwards or backwards, once or following the tail.
 *
 * A reader pins the one segment it reads from, so neither the cache nor retention closes it, and holds at most one
 * block, or two while it reads ahead. It never yields a record that its visibility does not allow or that has expired, and never skips another. A trim
 * may overtake it at any `await`: what was read meanwhile is judged against the log's first id before it is yielded.
 * Calls take turns; one that ends the reader wakes a wait at the tail, lets a read under way end, and only then lets go.
 */
import { blockBytes, endOf, readBlock } from "./block-read.ts";
import { allExpireAtUs } from "./expiry.ts";
import { assertReadableId, type LogView, trimmedOr, type Visibility } from "./log-view.ts";
import { AofError } from "./errors.ts";
import { readRecordSync } from "./point-read.ts";
import { checkReadOptions, type ReadFrom, type ReadOptions } from "./read-options.ts";
import type { AofRecord } from "./record.ts";
import { ReadAhead, readAheadMin } from "./read-ahead.ts";
import { checkBytes } from "./record-check.ts";
import type { RecordBatch } from "./record-batch.ts";
import type { OpenSegment } from "./segment-cache.ts";
import { expiringRecordsOf } from "./segment-expiry.ts";
import { Turns } from "./turns.ts";
import { abortedError } from "./watermark.ts";

/** Yields batches of consecutive records. Use it with `for await`; leaving the loop releases the reader. */
export class BatchReader implements AsyncIterableIterator<RecordBatch>, AsyncDisposable {
  readonly #view: LogView;
  readonly #options: ReadOptions;
  readonly #visibility: Visibility;
  /** The newest record that could be seen when the reader was made. */
  readonly #tailId: number;
  readonly #skipsTrimmed: boolean;
  #open: OpenSegment | undefined;
  /** Forwards: the next record. Backwards: the one to yield next, going down. */
  #nextId = 0;
  /** Offset of `#nextId` in `#open`, -1 when not known. */
  #nextOffset = -1;
  #left: number;
  /** In reverse: where to stop. */
  #lowestId = 1;
  #started = false;
  /** While a reader catches up. */
  #ahead: ReadAhead | undefined;
  readonly #turns: Turns = new Turns();
  /** Ends a wait at the tail: for the caller's signal, or because the reader is to end. */
  #wake: AbortController | undefined;
  #forwardAbort: (() => void) | undefined;
  #isEnding = false;
  #done = false;

  /** Whether its batches' memory is used again. */
  get isBorrowing(): boolean {
    return this.#options.borrow === true;
  }

  /** @throws AofError `INVALID_ARGUMENT`, `READER_LIMIT_EXCEEDED`, `CLOSED` */
  constructor(view: LogView, options: ReadOptions, defaultVisibility: Visibility) {
    checkReadOptions(options);
    view.assertReadable();
    this.#view = view;
    this.#options = options;
    this.#visibility = options.visibility ?? defaultVisibility;
    this.#skipsTrimmed = options.onTrimmed === "skip";
    this.#left = options.limit ?? Number.POSITIVE_INFINITY;
    // The tail of this moment: what is appended before the first `next` comes after it.
    this.#tailId = view.visibleId(this.#visibility);
    view.readerOpened();
  }

  /** @throws AofError `RECORD_TRIMMED`, `CORRUPTED_RECORD`, `CORRUPTED_SEGMENT`, `ABORTED`, `IO`, `CLOSED` */
  next(): Promise<IteratorResult<RecordBatch, undefined>> {
    return this.#turns.take(this.#step);
  }

  /** Resolves when everything the reader held is given back; a `next` that reads just now yields its batch before. */
  async return(): Promise<IteratorResult<RecordBatch, undefined>> {
    this.#isEnding = true;
    this.#wake?.abort();
    if (this.#turns.isBusy) await this.#turns.over();
    this.#finish();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  readonly #step = async (): Promise<IteratorResult<RecordBatch, undefined>> => {
    try {
      const batch = this.#done || this.#isEnding ? undefined : await this.#nextBatch();
      if (batch === undefined) {
        this.#finish();
        return { done: true, value: undefined };
      }
      this.#left -= batch.count;
      this.#view.noteReads(batch.count);
      return { done: false, value: batch };
    } catch (error) {
      this.#finish();
      throw error;
    }
  };

  async #nextBatch(): Promise<RecordBatch | undefined> {
    this.#throwIfAborted();
    this.#view.assertReadable();
    if (!this.#started) {
      this.#nextId = this.#firstId();
      if (this.#options.reverse === true) this.#lowestId = this.#reverseUntil();
      this.#started = true;
    }
    return this.#options.reverse === true ? this.#backwards() : this.#forwards();
  }

  async #forwards(): Promise<RecordBatch | undefined> {
    for (;;) {
      if (this.#left <= 0 || this.#isEnding) return undefined;
      const until = this.#untilId();
      if (this.#nextId > until) return undefined;
      const visible = this.#view.visibleId(this.#visibility);
      if (this.#nextId > visible) {
        if (this.#options.follow !== true) return undefined;
        this.#stopAhead();
        if (!(await this.#waitForMore())) return undefined;
        continue;
      }
      if (this.#nextId < this.#view.firstId()) {
        if (!this.#skipsTrimmed) assertReadableId(this.#view, this.#nextId, "next record");
        this.#goOnAt(this.#view.firstId());
        continue;
      }
      const batch = await this.#tryForwards(Math.min(visible, until, this.#nextId + this.#left - 1));
      this.#throwIfAborted();
      const kept = batch === undefined ? undefined : this.#cutAtTrim(batch);
      if (kept === undefined) continue;
      return this.#cutAtTime(kept);
    }
  }

  /** Waits at the tail. @returns false when the log was closed or the reader is to end */
  async #waitForMore(): Promise<boolean> {
    this.#wake ??= this.#createWake();
    try {
      return await this.#view.waitBeyond(this.#nextId - 1, this.#visibility, this.#wake.signal);
    } catch (error) {
      if (!(this.#isEnding && error instanceof AofError && error.code === "ABORTED")) throw error;
      this.#throwIfAborted();
      return false;
    }
  }

  #createWake(): AbortController {
    const wake = new AbortController();
    const { signal } = this.#options;
    if (signal !== undefined) {
      this.#forwardAbort = () => wake.abort(signal.reason);
      signal.addEventListener("abort", this.#forwardAbort, { once: true });
    }
    return wake;
  }

  /** The next block, undefined when nothing in it may be yielded, or when it was trimmed and that is no failure. */
  async #tryForwards(lastId: number): Promise<RecordBatch | undefined> {
    const from = this.#nextId;
    try {
      if (await this.#jumpExpired()) return undefined;
      return await this.#readForwards(lastId);
    } catch (error) {
      const failure = trimmedOr(error, this.#view, from);
      if (!this.#skipsTrimmed || !(failure instanceof AofError) || failure.code !== "RECORD_TRIMMED") throw failure;
      this.#goOnAt(failure.earliestId as number);
      return undefined;
    }
  }

  /** With a time to live, whole segments are passed by at once. */
  async #jumpExpired(): Promise<boolean> {
    const { ttlUs } = this.#view.expiry;
    if (ttlUs === 0) return false;
    const open = this.#segmentFor(this.#nextId);
    const { segment } = open;
    const nowUs = this.#view.expiry.nowUs();
    if (((segment.live ?? segment.sealed)?.lastTimestampUs ?? nowUs) + ttlUs > nowUs) return false;
    const records = await expiringRecordsOf(segment, () => open.handle);
    if (records === undefined || allExpireAtUs(records, ttlUs) > nowUs) return false;
    const { baseId, lastId } = segment;
    this.#goOnAt(this.#options.reverse === true ? baseId - 1 : lastId + 1);
    return true;
  }

  #goOnAt(id: number): void {
    this.#nextId = id;
    this.#nextOffset = -1;
  }

  /** What a trim took while the batch was read was gone before it is yielded. */
  #cutAtTrim(batch: RecordBatch): RecordBatch | undefined {
    const firstId = this.#view.firstId();
    if (batch.firstId >= firstId) return batch;
    if (!this.#skipsTrimmed && this.#options.reverse !== true)
      assertReadableId(this.#view, batch.firstId, "next record");
    return batch.lastId < firstId ? undefined : batch.slice(firstId - batch.firstId, batch.count);
  }

  async #readForwards(lastId: number): Promise<RecordBatch | undefined> {
    const open = this.#segmentFor(this.#nextId);
    const offset = this.#nextOffset === -1 ? open.offsetOf(this.#nextId) : this.#nextOffset;
    const last = Math.min(lastId, open.segment.lastId);
    const ahead = this.#readsAhead(open, offset, last);
    const block =
      ahead === undefined
        ? await readBlock(this.#view, open, this.#nextId, offset, last, blockBytes)
        : await ahead.read(this.#view, open, this.#nextId, offset, last);
    this.#nextId = block.nextId;
    this.#nextOffset = block.nextId > open.segment.lastId ? -1 : block.nextOffset;
    return block.batch;
  }

  /** Where there is much to read, and the log's budget has buffers for it. */
  #readsAhead(open: OpenSegment, offset: number, lastId: number): ReadAhead | undefined {
    if (this.#ahead !== undefined || endOf(open, lastId) - offset < readAheadMin) return this.#ahead;
    const buffers = this.#view.readBuffers.take();
    if (buffers === undefined) return undefined;
    this.#ahead = new ReadAhead(this.#view.readBuffers, buffers, this.#options.borrow === true);
    return this.#ahead;
  }

  #stopAhead(): void {
    this.#ahead?.close();
    this.#ahead = undefined;
  }

  async #backwards(): Promise<RecordBatch | undefined> {
    for (;;) {
      const until = Math.max(this.#lowestId, this.#view.firstId());
      if (this.#left <= 0 || this.#nextId < until || this.#isEnding) return undefined;
      const batch = await this.#tryBackwards(until);
      this.#throwIfAborted();
      const kept = batch === undefined ? undefined : this.#cutAtTrim(batch);
      if (kept !== undefined) return kept;
    }
  }

  async #tryBackwards(until: number): Promise<RecordBatch | undefined> {
    const from = this.#nextId;
    try {
      if (await this.#jumpExpired()) return undefined;
      const open = this.#segmentFor(this.#nextId);
      // The ids whose records end within a block behind this one's end, found by halving.
      const end = open.offsetOf(this.#nextId + 1);
      let low = Math.max(until, open.segment.baseId, this.#nextId - this.#left + 1);
      let high = this.#nextId;
      while (low < high) {
        // Not by a shift: ids exceed 32 bits.
        const middle = Math.floor((low + high) / 2);
        if (end - open.offsetOf(middle) <= blockBytes) high = middle;
        else low = middle + 1;
      }
      const first = low;
      return await this.#readRun(open, first, this.#nextId);
    } catch (error) {
      const failure = trimmedOr(error, this.#view, from);
      if (!(failure instanceof AofError) || failure.code !== "RECORD_TRIMMED") throw failure;
      // Downwards a trim is where the log ends.
      this.#goOnAt(0);
      return undefined;
    }
  }

  /** The newest run of records in `[firstId, lastId]` that may be yielded; moves `#nextId` below it. */
  async #readRun(open: OpenSegment, firstId: number, lastId: number): Promise<RecordBatch | undefined> {
    let newest: RecordBatch | undefined;
    for (let id = firstId; id <= lastId; ) {
      const block = await readBlock(this.#view, open, id, open.offsetOf(id), lastId, checkBytes);
      id = block.nextId;
      newest = block.batch ?? newest;
    }
    this.#nextId = (newest?.firstId ?? firstId) - 1;
    return newest;
  }

  #segmentFor(id: number): OpenSegment {
    if (this.#open !== undefined) {
      const { segment } = this.#open;
      if (id >= segment.baseId && id <= segment.lastId) return this.#open;
      this.#view.cache.unpin(this.#open);
      this.#open = undefined;
      this.#nextOffset = -1;
    }
    const segment = this.#view.catalog.segmentOf(id);
    if (segment === undefined)
      throw new AofError("CORRUPTED_SEGMENT", `no segment holds record ${id}`, { recordId: id });
    this.#open = this.#view.cache.pin(segment);
    return this.#open;
  }

  #firstId(): number {
    const reverse = this.#options.reverse === true;
    const from: ReadFrom = this.#options.from ?? (reverse ? "tail" : "earliest");
    if (from === "earliest") return this.#view.firstId();
    if (from === "tail") return reverse ? this.#tailId : this.#tailId + 1;
    const visible = this.#view.visibleId(this.#visibility);
    if (typeof from === "number") {
      if (!this.#skipsTrimmed || from >= this.#view.firstId()) assertReadableId(this.#view, from, "from");
      return reverse ? Math.min(from, visible) : from;
    }
    // Backwards from the newest record that is not newer; times are whole µs.
    return reverse
      ? findTimestamp(this.#view, Math.floor(from.timestampUs) + 1, visible) - 1
      : findTimestamp(this.#view, from.timestampUs, visible);
  }

  /** Forwards: the bound by id; a bound by time is applied to the records as they come. */
  #untilId(): number {
    const { until } = this.#options;
    return typeof until === "number" ? until : Number.POSITIVE_INFINITY;
  }

  #reverseUntil(): number {
    const { until } = this.#options;
    if (until === undefined) return 1;
    if (typeof until === "number") return until;
    return findTimestamp(this.#view, until.timestampUs, this.#view.visibleId(this.#visibility));
  }

  #cutAtTime(batch: RecordBatch): RecordBatch | undefined {
    const { until } = this.#options;
    if (until === undefined || typeof until === "number" || batch.timestampUs(batch.count - 1) <= until.timestampUs)
      return batch;
    let count = 0;
    while (count < batch.count && batch.timestampUs(count) <= until.timestampUs) count++;
    this.#left = 0;
    return count === 0 ? undefined : batch.slice(0, count);
  }

  #throwIfAborted(): void {
    const { signal } = this.#options;
    if (signal?.aborted) throw abortedError(signal);
  }

  #finish(): void {
    if (this.#done) return;
    this.#done = true;
    if (this.#forwardAbort !== undefined) this.#options.signal?.removeEventListener("abort", this.#forwardAbort);
    this.#stopAhead();
    if (this.#open !== undefined) this.#view.cache.unpin(this.#open);
    this.#open = undefined;
    this.#view.readerClosed();
  }
}

/** Id of the first record up to `lastId` that is not older than `timestampUs`; `lastId + 1` when all are. */
export function findTimestamp(view: LogView, timestampUs: number, lastId: number): number {
  const segment = view.catalog.firstNotBefore(timestampUs);
  if (segment === undefined) return lastId + 1;
  let low = Math.max(segment.baseId, view.firstId());
  let high = Math.min(segment.lastId, lastId) + 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timestampOf(view, middle) < timestampUs) low = middle + 1;
    else high = middle;
  }
  return Math.min(low, lastId + 1);
}

function timestampOf(view: LogView, id: number): number {
  try {
    return (readRecordSync(view, id, true) as AofRecord).timestampUs;
  } catch (error) {
    const failure = trimmedOr(error, view, id);
    // What was trimmed meanwhile is older than whatever remains.
    if (failure instanceof AofError && failure.code === "RECORD_TRIMMED") return Number.NEGATIVE_INFINITY;
    throw failure;
  }
}

/** Yields single records, from batches. */
export class RecordReader implements AsyncIterableIterator<AofRecord>, AsyncDisposable {
  readonly #batches: BatchReader;
  readonly #reverse: boolean;
  readonly #turns: Turns = new Turns();
  #batch: RecordBatch | undefined;
  #index = 0;
  #isEnding = false;

  /** @throws AofError as {@link BatchReader} */
  constructor(view: LogView, options: ReadOptions, defaultVisibility: Visibility) {
    if (options.borrow === true) {
      throw new AofError(
        "INVALID_ARGUMENT",
        "borrow: records have no moment at which they are given back; use readBatches",
      );
    }
    this.#batches = new BatchReader(view, options, defaultVisibility);
    this.#reverse = options.reverse === true;
  }

  next(): Promise<IteratorResult<AofRecord, undefined>> {
    const batch = this.#batch;
    if (batch !== undefined && this.#index < batch.count) return Promise.resolve(this.#take(batch));
    return this.#turns.take(this.#nextBatch);
  }

  /** As a batch reader's: a `next` that reads just now yields its record before. */
  async return(): Promise<IteratorResult<AofRecord, undefined>> {
    this.#isEnding = true;
    this.#batch = undefined;
    await this.#batches.return();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  readonly #nextBatch = async (): Promise<IteratorResult<AofRecord, undefined>> => {
    const batch = this.#batch;
    // A call before this one may have read it.
    if (batch !== undefined && this.#index < batch.count) return this.#take(batch);
    const result = await this.#batches.next();
    if (result.done === true) {
      this.#batch = undefined;
      return { done: true, value: undefined };
    }
    this.#batch = this.#isEnding ? undefined : result.value;
    this.#index = 0;
    return this.#take(result.value);
  };

  #take(batch: RecordBatch): IteratorResult<AofRecord, undefined> {
    const index = this.#index++;
    return { done: false, value: batch.record(this.#reverse ? batch.count - 1 - index : index) };
  }
}

/**
 * When a flush is due, and what each covered. Pure state over a clock: no I/O, no timer, no promise.
 *
 * Always true:
 *  F1  pending = unflushed + the sum over open tokens, for records and for bytes
 *  F2  a record is in at most one open token; appends after `begin` belong to the next
 *  F3  unflushed = 0 ⇒ nothing is due
 *  F4  dueInMs() = 0 ⇔ intervalMs have passed since waiting began: at the first unflushed append, or later at a failure
 *      that gave records back, or at the begin of a flush that left some behind
 *  F5  the kind of the strategy never changes; its bounds do only in setBounds
 */
import type { Clock } from "@varve/fs-core";
import { publishBegin, publishFailure, publishSuccess } from "./diagnostics.ts";
import type { FlushMetrics } from "./flush-metrics.ts";
import { type ResolvedFlushStrategy, resolveFlushStrategy } from "./flush-strategy.ts";
import type { FlushTrigger } from "./flush-trigger.ts";

/** The live collaborators of {@link FlushController}. Their creator closes them. */
export interface FlushControllerParts {
  readonly clock: Clock;
  readonly metrics: FlushMetrics;
}

/**
 * One flush between `begin` and `succeed` or `fail`. Owned by the controller: read it while it is open, keep nothing of
 * it afterwards, for the object is used again by a later `begin`.
 */
export interface FlushToken {
  /** What the flush covers: what was unflushed when it began, or the oldest part of it. */
  readonly records: number;
  readonly bytes: number;
  /** Monotonic time of its begin, microseconds. */
  readonly startedUs: number;
  readonly trigger: FlushTrigger;
}

/** See {@link FlushToken}. `owner` is how a token of another controller, or one that was settled, is told apart. */
class Token implements FlushToken {
  records = 0;
  bytes = 0;
  startedUs = 0;
  trigger: FlushTrigger = "forced";
  owner: FlushController | undefined;
}

/** What {@link FlushController.setBounds} changes. What is left out stays. */
export interface FlushBounds {
  /** 1 to 2^31 - 1; only for strategies that have it. */
  readonly batchSize?: number | undefined;
  /** 1 to 2^31 - 1 milliseconds; only for strategies that have it. */
  readonly intervalMs?: number | undefined;
}

/** The bounds of a strategy as numbers to compare with; `Infinity` where it has none. */
interface Bounds {
  readonly records: number;
  readonly recordTrigger: FlushTrigger;
  readonly bytes: number;
  readonly byteTrigger: FlushTrigger;
  readonly intervalUs: number;
}

/**
 * Decides for one log. The log calls `recordAppend` for each append, flushes when `shouldFlush` names a trigger, arms a
 * timer with `dueInMs` for the time bound, and frames each flush with `begin` and `succeed` or `fail`. It may flush at
 * any other time too, with the trigger that says why.
 *
 * Several tokens may be open at once and be settled in any order; a log with one sync in flight simply has one.
 */
export class FlushController {
  readonly metrics: FlushMetrics;
  readonly #clock: Clock;
  #strategy: ResolvedFlushStrategy;
  #bounds: Bounds;
  // Copies of the bounds, so that the append path reads fields of one object only.
  #recordBound: number;
  readonly #byteBound: number;
  readonly #timed: boolean;
  readonly #idleTokens: Token[] = [];
  #unflushedRecords = 0;
  #unflushedBytes = 0;
  #openRecords = 0;
  #openBytes = 0;
  #openTokens = 0;
  /** Read only while a token is open. */
  #flushingSinceUs = 0;
  /** See F4. Read only while something is unflushed. */
  #waitingSinceUs = 0;

  /** @param strategy from `resolveFlushStrategy` or `parseFlushStrategy` */
  constructor(strategy: ResolvedFlushStrategy, parts: FlushControllerParts) {
    this.#strategy = strategy;
    this.metrics = parts.metrics;
    this.#clock = parts.clock;
    this.#bounds = boundsOf(strategy);
    this.#recordBound = this.#bounds.records;
    this.#byteBound = this.#bounds.bytes;
    this.#timed = this.#bounds.intervalUs !== Number.POSITIVE_INFINITY;
  }

  /** What is in force: as constructed, but for bounds that {@link setBounds} moved. Frozen. */
  get strategy(): ResolvedFlushStrategy {
    return this.#strategy;
  }

  /** Monotonic time since which a flush has been open without a break, microseconds; `undefined` when none is. */
  get flushingSinceUs(): number | undefined {
    return this.#openTokens === 0 ? undefined : this.#flushingSinceUs;
  }

  /**
   * Moves bounds of the strategy while it runs. What is pending is judged by the new ones from the next question on; a
   * timer that the owner armed by `dueInMs` keeps its time, and asking again when it fires is right either way.
   * @throws RangeError listing every bound that is out of range or that this kind of strategy does not have; nothing
   * was changed then
   */
  setBounds(bounds: FlushBounds): void {
    const { batchSize, intervalMs } = bounds;
    const wanted = {
      ...this.#strategy,
      ...(batchSize === undefined ? {} : { batchSize }),
      ...(intervalMs === undefined ? {} : { intervalMs }),
    };
    this.#strategy = resolveFlushStrategy(wanted, undefined, "bounds");
    this.#bounds = boundsOf(this.#strategy);
    this.#recordBound = this.#bounds.records;
  }

  /** Records appended and not in a successful flush, those of open tokens and of failed flushes included. */
  get pendingRecords(): number {
    return this.#unflushedRecords + this.#openRecords;
  }

  /** Bytes of {@link pendingRecords}. */
  get pendingBytes(): number {
    return this.#unflushedBytes + this.#openBytes;
  }

  /**
   * Notes an append. No allocation; the clock is read only for the first unflushed append under a time bound.
   * @param records 1 or more; with `bytes` trusted, because this is the hot path
   * @param bytes as counted by the owner, 0 or more
   */
  recordAppend(records: number, bytes: number): void {
    if (this.#unflushedRecords === 0 && this.#timed) this.#waitingSinceUs = this.#clock.monotonicUs();
    this.#unflushedRecords += records;
    this.#unflushedBytes += bytes;
    this.metrics.appended(records, bytes);
  }

  /**
   * The trigger that is due now: `sync` as soon as anything is unflushed, `batched` at the record or byte bound,
   * `backpressure` at `maxPendingBytes`. Two comparisons; time is not looked at, see {@link dueInMs}.
   * What an open token covers is on its way and no longer counts.
   */
  shouldFlush(): FlushTrigger | undefined {
    if (this.#unflushedRecords >= this.#recordBound) return this.#bounds.recordTrigger;
    if (this.#unflushedBytes >= this.#byteBound) return this.#bounds.byteTrigger;
    return undefined;
  }

  /**
   * Milliseconds until the time bound is reached, rounded up so that a timer of that length never wakes too early; 0
   * when it has passed and a `periodic` flush is due. `undefined` when nothing is unflushed or the strategy has no
   * interval. By the monotonic clock.
   */
  dueInMs(): number | undefined {
    if (!this.#timed || this.#unflushedRecords === 0) return undefined;
    const dueUs = this.#waitingSinceUs + this.#bounds.intervalUs;
    return Math.max(0, Math.ceil((dueUs - this.#clock.monotonicUs()) / 1000));
  }

  /**
   * Records in percent of the batch bound in force that successful flushes reached on average, 0..100 and above; `undefined`
   * for strategies without a record bound above 1 and before the first success.
   */
  batchUtilization(): number | undefined {
    if (this.strategy.kind !== "batched" && this.strategy.kind !== "batched-or-periodic") return undefined;
    const mean = this.metrics.batchEfficiency();
    return mean === undefined ? undefined : (mean / this.strategy.batchSize) * 100;
  }

  /**
   * A flush begins: of everything unflushed, of the oldest part of it, or of nothing, which is counted all the same.
   * @param trigger why; with `shouldFlush`'s answer, `periodic` when `dueInMs()` is 0, or the owner's own reason
   * @param records how many of the unflushed records it covers, the oldest ones: fewer than all when later ones are
   *   not written yet. Default all, and more than there are means all. For those left behind a time bound starts anew,
   *   because their age is not known one by one.
   * @param bytes of those records; ignored when they are all
   * @returns to be given to `succeed` or `fail` exactly once
   */
  begin(
    trigger: FlushTrigger,
    records: number = this.#unflushedRecords,
    bytes: number = this.#unflushedBytes,
  ): FlushToken {
    const token = this.#idleTokens.pop() ?? new Token();
    const isPart = records < this.#unflushedRecords;
    token.records = isPart ? records : this.#unflushedRecords;
    token.bytes = isPart ? Math.min(bytes, this.#unflushedBytes) : this.#unflushedBytes;
    token.startedUs = this.#clock.monotonicUs();
    token.trigger = trigger;
    token.owner = this;
    if (this.#openTokens === 0) this.#flushingSinceUs = token.startedUs;
    this.#openTokens += 1;
    this.#openRecords += token.records;
    this.#openBytes += token.bytes;
    this.#unflushedRecords -= token.records;
    this.#unflushedBytes -= token.bytes;
    if (isPart) this.#waitingSinceUs = token.startedUs;
    this.metrics.began();
    publishBegin(this.metrics.settings.name, token);
    return token;
  }

  /**
   * The flush is durable.
   * @throws TypeError when the token is not an open one of this controller: settling twice would count twice
   */
  succeed(token: FlushToken): void {
    const nowUs = this.#clock.monotonicUs();
    const open = this.#settle(token);
    const durationUs = Math.max(0, nowUs - open.startedUs);
    this.metrics.succeeded(open.trigger, open.records, open.bytes, durationUs, nowUs);
    publishSuccess(this.metrics.settings.name, open, durationUs);
    this.#idleTokens.push(open);
  }

  /**
   * The flush failed: its records are unflushed again and belong to the next `begin`. A time bound starts anew, so a
   * periodic owner that retries does so at its own pace; record and byte bounds are due at once, and an owner that
   * retries those waits by itself.
   * @param error what stopped it; its `code` is counted when it has one
   * @throws TypeError when the token is not an open one of this controller
   */
  fail(token: FlushToken, error: unknown): void {
    const nowUs = this.#clock.monotonicUs();
    const open = this.#settle(token);
    const durationUs = Math.max(0, nowUs - open.startedUs);
    if (open.records > 0) this.#waitingSinceUs = nowUs;
    this.#unflushedRecords += open.records;
    this.#unflushedBytes += open.bytes;
    this.metrics.failed(open.trigger, error, durationUs, nowUs);
    publishFailure(this.metrics.settings.name, open, durationUs, error);
    this.#idleTokens.push(open);
  }

  #settle(token: FlushToken): Token {
    if (!(token instanceof Token) || token.owner !== this) {
      throw new TypeError(
        "this flush token is not open here: settle each token once, with the controller that began it",
      );
    }
    token.owner = undefined;
    this.#openTokens -= 1;
    this.#openRecords -= token.records;
    this.#openBytes -= token.bytes;
    return token;
  }
}

function boundsOf(strategy: ResolvedFlushStrategy): Bounds {
  const none = {
    records: Number.POSITIVE_INFINITY,
    recordTrigger: "batched",
    bytes: Number.POSITIVE_INFINITY,
    byteTrigger: "batched",
    intervalUs: Number.POSITIVE_INFINITY,
  } as const;
  switch (strategy.kind) {
    case "sync":
      return { ...none, records: 1, recordTrigger: "sync" };
    case "async":
      return { ...none, bytes: strategy.maxPendingBytes, byteTrigger: "backpressure" };
    case "batched":
      return { ...none, records: strategy.batchSize, bytes: strategy.maxBytes ?? none.bytes };
    case "periodic":
      return { ...none, intervalUs: strategy.intervalMs * 1000, bytes: strategy.maxBytes ?? none.bytes };
    case "batched-or-periodic":
      return {
        ...none,
        records: strategy.batchSize,
        intervalUs: strategy.intervalMs * 1000,
        bytes: strategy.maxBytes ?? none.bytes,
      };
  }
}

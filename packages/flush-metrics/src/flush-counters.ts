/**
 * The numbers of flushes, records, bytes and time: plain arithmetic, without a clock and without memory that grows.
 *
 * Always true:
 *  C1  totalFlushes = successfulFlushes + failedFlushes = the sum of the seven trigger counters
 *  C2  records, bytes, longest, shortest and averages count successes only; failures have their own
 *  C3  appended = totalRecordsFlushed + pendingRecords, likewise for bytes
 */
import { FailureCodes } from "./failure-codes.ts";
import type { FlushTrigger } from "./flush-trigger.ts";

/** See the header of this file. Counters count from construction and stay exact up to 2^53 - 1. */
export class FlushCounters {
  readonly #failureCodes: FailureCodes = new FailureCodes();
  #successfulFlushes = 0;
  #failedFlushes = 0;
  #flushesInFlight = 0;
  #forcedFlushes = 0;
  #periodicFlushes = 0;
  #batchedFlushes = 0;
  #syncFlushes = 0;
  #rotationFlushes = 0;
  #shutdownFlushes = 0;
  #backpressureFlushes = 0;
  #totalRecordsFlushed = 0;
  #totalBytesFlushed = 0;
  #pendingRecords = 0;
  #pendingBytes = 0;
  #totalFlushTimeUs = 0;
  #longestFlushUs = Number.NEGATIVE_INFINITY;
  #shortestFlushUs = Number.POSITIVE_INFINITY;
  #totalFailureTimeUs = 0;
  #consecutiveFailures = 0;

  /** Finished flushes, whatever their outcome. */
  get totalFlushes(): number {
    return this.#successfulFlushes + this.#failedFlushes;
  }

  get successfulFlushes(): number {
    return this.#successfulFlushes;
  }

  get failedFlushes(): number {
    return this.#failedFlushes;
  }

  /** Begun and not finished. */
  get flushesInFlight(): number {
    return this.#flushesInFlight;
  }

  get forcedFlushes(): number {
    return this.#forcedFlushes;
  }

  get periodicFlushes(): number {
    return this.#periodicFlushes;
  }

  get batchedFlushes(): number {
    return this.#batchedFlushes;
  }

  get syncFlushes(): number {
    return this.#syncFlushes;
  }

  get rotationFlushes(): number {
    return this.#rotationFlushes;
  }

  get shutdownFlushes(): number {
    return this.#shutdownFlushes;
  }

  get backpressureFlushes(): number {
    return this.#backpressureFlushes;
  }

  /** Records covered by successful flushes. */
  get totalRecordsFlushed(): number {
    return this.#totalRecordsFlushed;
  }

  /** Bytes covered by successful flushes. */
  get totalBytesFlushed(): number {
    return this.#totalBytesFlushed;
  }

  /** Records appended and not in a successful flush: a flush in flight or failed still has its records here. */
  get pendingRecords(): number {
    return this.#pendingRecords;
  }

  /** Bytes of {@link pendingRecords}. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Time spent in successful flushes, fractions of a microsecond included. */
  get totalFlushTimeUs(): number {
    return this.#totalFlushTimeUs;
  }

  /** Exact; `undefined` before the first success. */
  get longestFlushUs(): number | undefined {
    return this.#successfulFlushes === 0 ? undefined : this.#longestFlushUs;
  }

  /** Exact; `undefined` before the first success. */
  get shortestFlushUs(): number | undefined {
    return this.#successfulFlushes === 0 ? undefined : this.#shortestFlushUs;
  }

  /** Time spent in failed flushes. */
  get totalFailureTimeUs(): number {
    return this.#totalFailureTimeUs;
  }

  /** Failures since the last success. */
  get consecutiveFailures(): number {
    return this.#consecutiveFailures;
  }

  /** Failed flushes by error code, frozen; at most 16 codes, then `OTHER`; `UNKNOWN` for errors without one. */
  get failuresByCode(): Readonly<Record<string, number>> {
    return this.#failureCodes.snapshot();
  }

  /** Mean bytes of a flushed record; `undefined` before the first. */
  get averageRecordSize(): number | undefined {
    return ratio(this.#totalBytesFlushed, this.#totalRecordsFlushed);
  }

  /**
   * Records per second of time spent inside flushes: what the device would do if it did nothing else. Never the log's
   * throughput; `undefined` before any time was spent.
   */
  get flushServiceRate(): number | undefined {
    return ratio(this.#totalRecordsFlushed, this.#totalFlushTimeUs / 1e6);
  }

  /** Mean of successful flushes; `undefined` before the first. */
  averageFlushLatencyUs(): number | undefined {
    return ratio(this.#totalFlushTimeUs, this.#successfulFlushes);
  }

  /** Successes in percent of finished flushes, 0..100; 100 when none has finished. */
  flushSuccessRate(): number {
    return (ratio(this.#successfulFlushes, this.totalFlushes) ?? 1) * 100;
  }

  /** Mean records per successful flush; `undefined` before the first. See also `FlushController.batchUtilization`. */
  batchEfficiency(): number | undefined {
    return ratio(this.#totalRecordsFlushed, this.#successfulFlushes);
  }

  protected countAppend(records: number, bytes: number): void {
    this.#pendingRecords += records;
    this.#pendingBytes += bytes;
  }

  protected countBegin(): void {
    this.#flushesInFlight += 1;
  }

  protected countSuccess(trigger: FlushTrigger, records: number, bytes: number, durationUs: number): void {
    this.#flushesInFlight -= 1;
    this.#successfulFlushes += 1;
    this.#consecutiveFailures = 0;
    this.#countTrigger(trigger);
    this.#pendingRecords -= records;
    this.#pendingBytes -= bytes;
    this.#totalRecordsFlushed += records;
    this.#totalBytesFlushed += bytes;
    this.#totalFlushTimeUs += durationUs;
    if (durationUs > this.#longestFlushUs) this.#longestFlushUs = durationUs;
    if (durationUs < this.#shortestFlushUs) this.#shortestFlushUs = durationUs;
  }

  /** The records of a failed flush stay pending. */
  protected countFailure(trigger: FlushTrigger, error: unknown, durationUs: number): void {
    this.#flushesInFlight -= 1;
    this.#failedFlushes += 1;
    this.#consecutiveFailures += 1;
    this.#countTrigger(trigger);
    this.#totalFailureTimeUs += durationUs;
    this.#failureCodes.add(error);
  }

  #countTrigger(trigger: FlushTrigger): void {
    switch (trigger) {
      case "forced":
        this.#forcedFlushes += 1;
        break;
      case "periodic":
        this.#periodicFlushes += 1;
        break;
      case "batched":
        this.#batchedFlushes += 1;
        break;
      case "sync":
        this.#syncFlushes += 1;
        break;
      case "rotation":
        this.#rotationFlushes += 1;
        break;
      case "shutdown":
        this.#shutdownFlushes += 1;
        break;
      case "backpressure":
        this.#backpressureFlushes += 1;
        break;
    }
  }
}

function ratio(part: number, whole: number): number | undefined {
  return whole === 0 ? undefined : part / whole;
}

/**
 * What happened to the flushes of one log: the counters, and what needs a clock or memory besides.
 *
 * Always true, besides what `FlushCounters` promises:
 *  M1  flushLatency, recordsPerFlush and bytesPerFlush each hold successfulFlushes values, failureLatency failedFlushes
 *  M2  after close() nothing changes any more and every value but a percentile can still be read
 */
import type { Clock } from "@varve/fs-core";
import { FlushCounters } from "./flush-counters.ts";
import type { FlushTrigger } from "./flush-trigger.ts";
import type { HistogramView, HistogramWindow } from "./histogram-view.ts";
import { Histogram, type HistogramEngine, resolveEngine } from "./histograms.ts";
import {
  type FlushMetricsSettings,
  type ResolvedFlushMetricsSettings,
  resolveFlushMetricsSettings,
} from "./settings.ts";
import { type FlushMetricsSnapshot, snapshotDistribution } from "./snapshot.ts";
import { Throughput } from "./throughput.ts";
import { WindowedHistogram } from "./windowed-histogram.ts";

/** The live collaborators of {@link FlushMetrics}. */
export interface FlushMetricsParts {
  readonly clock: Clock;
}

/** A flush above a minute is a fault whose length no longer matters; it is counted as clamped. */
const longestLatencyUs = 60e6;
/** A GiB of the smallest records. One below a power of two, where the next doubling of buckets would begin. */
const mostRecords = 2 ** 24 - 1;
/** 1 GiB, far above any buffer that is written at once. */
const mostBytes = 2 ** 30 - 1;

/**
 * Counters, gauges, distributions and throughput. One object per log, written by its `FlushController` and read by
 * whoever likes; several controllers may share one, which then counts them together.
 *
 * Reading a counter costs nothing. Percentiles and summaries add up histograms: tens of microseconds for a percentile,
 * about a millisecond for a snapshot, so snapshot on a scrape and not on an append.
 */
export class FlushMetrics extends FlushCounters implements Disposable {
  readonly settings: ResolvedFlushMetricsSettings;
  /** Microseconds from `begin` to `succeed`. Failures are not in it. */
  readonly flushLatency: HistogramView;
  /** Records covered by each successful flush; 0 occurs. */
  readonly recordsPerFlush: HistogramView;
  /** Bytes covered by each successful flush. */
  readonly bytesPerFlush: HistogramView;
  /** Microseconds from `begin` to `fail`. */
  readonly failureLatency: HistogramView;

  readonly #clock: Clock;
  readonly #latency: WindowedHistogram;
  readonly #records: WindowedHistogram;
  readonly #bytes: WindowedHistogram;
  readonly #failures: WindowedHistogram;
  readonly #throughput: Throughput;
  #engine: HistogramEngine | undefined;
  #lastSuccessUs: number | undefined;
  #final: FlushMetricsSnapshot | undefined;

  /**
   * @throws RangeError listing every broken rule of `settings`
   * @throws FlushMetricsError `HISTOGRAM_ENGINE_UNAVAILABLE` when `engine` is `"wasm"` and there is no WebAssembly
   */
  constructor(settings: FlushMetricsSettings, parts: FlushMetricsParts) {
    super();
    this.settings = resolveFlushMetricsSettings(settings);
    const { digits, engine } = this.settings;
    // Asked for by name, it starts here, where it can be refused; otherwise opening a log need not wait for it.
    if (engine !== "auto") this.#engine = resolveEngine(engine);
    this.#clock = parts.clock;
    const distribution = (highest: number): WindowedHistogram => {
      return new WindowedHistogram((bits) => {
        this.#engine ??= resolveEngine(engine);
        return new Histogram(this.#engine, { highest, digits }, bits);
      }, parts.clock);
    };
    this.flushLatency = this.#latency = distribution(longestLatencyUs);
    this.recordsPerFlush = this.#records = distribution(mostRecords);
    this.bytesPerFlush = this.#bytes = distribution(mostBytes);
    this.failureLatency = this.#failures = distribution(longestLatencyUs);
    this.#throughput = new Throughput(this.settings.throughputTimeConstantMs, parts.clock.monotonicUs());
  }

  /** What holds the histograms; `undefined` before the first flush when the setting is `auto`. */
  get engine(): HistogramEngine | undefined {
    return this.#engine;
  }

  /** Records made durable per second of real time, a moving average that fades to 0 when nothing is flushed. */
  get recordsPerSecond(): number {
    return this.#final?.recordsPerSecond ?? this.#throughput.recordsPerSecond(this.#clock.monotonicUs());
  }

  /** Bytes made durable per second of real time, likewise. */
  get bytesPerSecond(): number {
    return this.#final?.bytesPerSecond ?? this.#throughput.bytesPerSecond(this.#clock.monotonicUs());
  }

  /** Microseconds since the last successful flush ended, by the monotonic clock; `undefined` before the first. */
  get lastFlushAgeUs(): number | undefined {
    if (this.#final !== undefined) return this.#final.lastFlushAgeUs;
    return this.#lastSuccessUs === undefined ? undefined : Math.max(0, this.#clock.monotonicUs() - this.#lastSuccessUs);
  }

  /** {@link recordsPerSecond}, read now. */
  currentRecordsPerSecond(): number {
    return this.recordsPerSecond;
  }

  /** `flushLatency.percentile(percent, window)`: microseconds, or `undefined` when no flush succeeded in the window. */
  getFlushLatencyPercentile(percent: number, window: HistogramWindow = "lifetime"): number | undefined {
    return this.flushLatency.percentile(percent, window);
  }

  /** Bytes of histogram counters held now; see the README for what they can grow to. 0 before the first flush and after `close()`. */
  get histogramBytes(): number {
    return this.#latency.bytes + this.#records.bytes + this.#bytes.bytes + this.#failures.bytes;
  }

  /** For the controller: records were appended. Dropped after `close()`, like what the next three report. */
  appended(records: number, bytes: number): void {
    if (this.#final === undefined) this.countAppend(records, bytes);
  }

  /** For the controller: a flush began. */
  began(): void {
    if (this.#final === undefined) this.countBegin();
  }

  /**
   * For the controller: a flush succeeded.
   * @param nowUs monotonic time of its end, which the caller has read already
   */
  succeeded(trigger: FlushTrigger, records: number, bytes: number, durationUs: number, nowUs: number): void {
    if (this.#final !== undefined) return;
    this.countSuccess(trigger, records, bytes, durationUs);
    this.#lastSuccessUs = nowUs;
    this.#latency.record(durationUs, nowUs);
    this.#records.record(records, nowUs);
    this.#bytes.record(bytes, nowUs);
    this.#throughput.add(records, bytes, nowUs);
  }

  /**
   * For the controller: a flush failed. Its records stay pending.
   * @param nowUs monotonic time of its end, which the caller has read already
   */
  failed(trigger: FlushTrigger, error: unknown, durationUs: number, nowUs: number): void {
    if (this.#final !== undefined) return;
    this.countFailure(trigger, error, durationUs);
    this.#failures.record(durationUs, nowUs);
  }

  /** Everything at this moment, deeply frozen. After `close()` the last one taken, always the same object. */
  snapshot(): FlushMetricsSnapshot {
    return this.#final ?? this.#capture();
  }

  /**
   * Takes a last snapshot and gives the histograms' memory back, which WebAssembly cannot do by itself. Afterwards
   * every counter, average and summary keeps its last value, what is still recorded is dropped without an error (a
   * flush that was durable must not fail over its statistics), and percentiles throw `FLUSH_METRICS_CLOSED`.
   * Idempotent. The creator of the metrics calls it, after the log is closed.
   */
  close(): void {
    if (this.#final !== undefined) return;
    this.#final = this.#capture();
    this.#latency.close();
    this.#records.close();
    this.#bytes.close();
    this.#failures.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #capture(): FlushMetricsSnapshot {
    const flushLatency = snapshotDistribution(this.flushLatency);
    const recordsPerFlush = snapshotDistribution(this.recordsPerFlush);
    const bytesPerFlush = snapshotDistribution(this.bytesPerFlush);
    const failureLatency = snapshotDistribution(this.failureLatency);
    const distributions = [flushLatency, recordsPerFlush, bytesPerFlush, failureLatency];
    return Object.freeze({
      name: this.settings.name,
      capturedAtUs: this.#clock.wallUs(),
      totalFlushes: this.totalFlushes,
      successfulFlushes: this.successfulFlushes,
      failedFlushes: this.failedFlushes,
      flushesInFlight: this.flushesInFlight,
      forcedFlushes: this.forcedFlushes,
      periodicFlushes: this.periodicFlushes,
      batchedFlushes: this.batchedFlushes,
      syncFlushes: this.syncFlushes,
      rotationFlushes: this.rotationFlushes,
      shutdownFlushes: this.shutdownFlushes,
      backpressureFlushes: this.backpressureFlushes,
      totalRecordsFlushed: this.totalRecordsFlushed,
      totalBytesFlushed: this.totalBytesFlushed,
      pendingRecords: this.pendingRecords,
      pendingBytes: this.pendingBytes,
      totalFlushTimeUs: this.totalFlushTimeUs,
      longestFlushUs: this.longestFlushUs,
      shortestFlushUs: this.shortestFlushUs,
      averageFlushLatencyUs: this.averageFlushLatencyUs(),
      totalFailureTimeUs: this.totalFailureTimeUs,
      consecutiveFailures: this.consecutiveFailures,
      failuresByCode: this.failuresByCode,
      lastFlushAgeUs: this.lastFlushAgeUs,
      recordsPerSecond: this.recordsPerSecond,
      bytesPerSecond: this.bytesPerSecond,
      averageRecordSize: this.averageRecordSize,
      flushServiceRate: this.flushServiceRate,
      flushSuccessRate: this.flushSuccessRate(),
      batchEfficiency: this.batchEfficiency(),
      clampedValues: distributions.reduce((sum, { lifetime }) => sum + lifetime.clamped, 0),
      flushLatency,
      recordsPerFlush,
      bytesPerFlush,
      failureLatency,
    });
  }
}

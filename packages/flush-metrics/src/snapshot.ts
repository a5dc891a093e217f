import type { HistogramSummary, HistogramView } from "./histogram-view.ts";

/** One distribution over its three windows; see `HistogramWindow` for what each covers. */
export interface DistributionSnapshot {
  readonly lifetime: HistogramSummary;
  readonly lastMinute: HistogramSummary;
  readonly lastTenMinutes: HistogramSummary;
}

/**
 * Everything at one moment: plain, deeply frozen, ready for JSON. What has no value yet is `undefined`, which JSON
 * leaves out. Counters count from construction and stay exact up to 2^53 - 1. `metricDescriptors` names the unit and
 * meaning of each field.
 */
export interface FlushMetricsSnapshot {
  /** `FlushMetricsSettings.name`. */
  readonly name: string;
  /** Wall time in microseconds since 1970: a label, never an order. */
  readonly capturedAtUs: number;

  readonly totalFlushes: number;
  readonly successfulFlushes: number;
  readonly failedFlushes: number;
  readonly flushesInFlight: number;

  readonly forcedFlushes: number;
  readonly periodicFlushes: number;
  readonly batchedFlushes: number;
  readonly syncFlushes: number;
  readonly rotationFlushes: number;
  readonly shutdownFlushes: number;
  readonly backpressureFlushes: number;

  readonly totalRecordsFlushed: number;
  readonly totalBytesFlushed: number;
  readonly pendingRecords: number;
  readonly pendingBytes: number;

  readonly totalFlushTimeUs: number;
  readonly longestFlushUs: number | undefined;
  readonly shortestFlushUs: number | undefined;
  readonly averageFlushLatencyUs: number | undefined;
  readonly totalFailureTimeUs: number;
  readonly consecutiveFailures: number;
  /** Failed flushes by error code; at most 16 codes, then `OTHER`. */
  readonly failuresByCode: Readonly<Record<string, number>>;

  /** Since the last successful flush ended; `undefined` before the first. */
  readonly lastFlushAgeUs: number | undefined;
  readonly recordsPerSecond: number;
  readonly bytesPerSecond: number;
  readonly averageRecordSize: number | undefined;
  readonly flushServiceRate: number | undefined;
  readonly flushSuccessRate: number;
  readonly batchEfficiency: number | undefined;

  /** Values above the range of their distribution: over 60 s, 2^24 records or 1 GiB in one flush. */
  readonly clampedValues: number;
  readonly flushLatency: DistributionSnapshot;
  readonly recordsPerFlush: DistributionSnapshot;
  readonly bytesPerFlush: DistributionSnapshot;
  readonly failureLatency: DistributionSnapshot;
}

/** All windows of one distribution, frozen. */
export function snapshotDistribution(view: HistogramView): DistributionSnapshot {
  return Object.freeze({
    lifetime: view.summary("lifetime"),
    lastMinute: view.summary("lastMinute"),
    lastTenMinutes: view.summary("lastTenMinutes"),
  });
}

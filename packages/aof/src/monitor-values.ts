import type { AofMetricsSnapshot } from "./metrics.ts";

/** What a monitor watches, by name. A value is undefined while there is nothing to take it from. */
export interface MonitoredValues {
  /**
   * Percent of finished flushes that succeeded, 0..100: of the last minute or since the last report, whichever is worse,
   * so that neither a long interval misses a failure nor a short one forgets it at once.
   */
  readonly flushSuccessRate: number | undefined;
  /** P99 of the flush latency in the last minute, microseconds. */
  readonly flushLatencyP99Us: number | undefined;
  /** Records made durable per second, a moving average. */
  readonly recordsPerSecond: number | undefined;
  readonly bytesPerSecond: number | undefined;
  /** Percent of look-ups since the last report that found their segment open. */
  readonly cacheHitRate: number | undefined;
  /** Appends refused since the last report because buffers were full. */
  readonly backpressureEvents: number | undefined;
  /** Appended bytes that are not durable. */
  readonly pendingBytes: number | undefined;
  /** Appended bytes that are not written. */
  readonly bufferedBytes: number | undefined;
  /** Readers that are open. */
  readonly openReaders: number | undefined;
}

/** A name of {@link MonitoredValues}. */
export type MonitoredValueName = keyof MonitoredValues;

/** Every name of {@link MonitoredValues}. */
export const monitoredValueNames: readonly MonitoredValueName[] = Object.freeze([
  "flushSuccessRate",
  "flushLatencyP99Us",
  "recordsPerSecond",
  "bytesPerSecond",
  "cacheHitRate",
  "backpressureEvents",
  "pendingBytes",
  "bufferedBytes",
  "openReaders",
]);

/**
 * What happened between two snapshots of one log, and how it stands at the second. Pure. A counter that is lower in the
 * second began anew in between, with a log that was opened again: all of it is new then.
 */
export function monitoredValues(before: AofMetricsSnapshot, now: AofMetricsSnapshot): MonitoredValues {
  const { flush } = now;
  const sinceReport = percent(
    gained(before.flush.successfulFlushes, flush.successfulFlushes),
    gained(before.flush.failedFlushes, flush.failedFlushes),
  );
  const inLastMinute = percent(flush.flushLatency.lastMinute.count, flush.failureLatency.lastMinute.count);
  return {
    flushSuccessRate: lower(sinceReport, inLastMinute),
    flushLatencyP99Us: flush.flushLatency.lastMinute.p99,
    recordsPerSecond: flush.recordsPerSecond,
    bytesPerSecond: flush.bytesPerSecond,
    cacheHitRate: percent(gained(before.cacheHits, now.cacheHits), gained(before.cacheMisses, now.cacheMisses)),
    backpressureEvents: gained(before.backpressureEvents, now.backpressureEvents),
    pendingBytes: flush.pendingBytes,
    bufferedBytes: now.bufferedBytes,
    openReaders: now.openReaders,
  };
}

function gained(before: number, now: number): number {
  return now >= before ? now - before : now;
}

function percent(good: number, bad: number): number | undefined {
  return good + bad === 0 ? undefined : (good / (good + bad)) * 100;
}

function lower(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

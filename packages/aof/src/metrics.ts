import type { FlushMetricsSnapshot } from "@varve/flush-metrics";

/** Counters of one open log. Plain JSON, a copy. */
export interface AofMetricsSnapshot {
  /** Records appended, batches counted by record. */
  readonly totalAppends: number;
  /** Payload bytes appended. */
  readonly totalAppendedBytes: number;
  /** Records handed to readers. */
  readonly totalReads: number;
  /** Segment files found open, or not, when a reader needed one. */
  readonly cacheHits: number;
  readonly cacheMisses: number;
  readonly cacheEvictions: number;
  /** Reads by id that found their record in memory, or not. */
  readonly blockCacheHits: number;
  readonly blockCacheMisses: number;
  /** Blocks that made room for others. */
  readonly blockCacheEvictions: number;
  /** What the block cache holds now. */
  readonly blockCacheBytes: number;
  readonly segmentsCreated: number;
  readonly segmentsFinalized: number;
  /** Appends refused because buffers were full. */
  readonly backpressureEvents: number;
  /** Since the last of them; undefined before the first. */
  readonly sinceBackpressureUs: number | undefined;
  /** Segments that were full before their successor, though asked for in time, was ready. */
  readonly latePreparations: number;
  /** Since the last of them; undefined before the first. */
  readonly sinceLatePreparationUs: number | undefined;
  /** Since this log was opened, by the monotonic clock. */
  readonly uptimeUs: number;
  /** Records removed by trims and retention, and the segment files that went with them. */
  readonly trimmedRecords: number;
  readonly trimmedSegments: number;
  readonly trimmedBytes: number;
  /** Named cursors there are. */
  readonly cursors: number;
  /** Appends that a dedupe key answered. */
  readonly duplicates: number;
  readonly openReaders: number;
  /** Buffers that readers hold to read ahead. */
  readonly readAheadBytes: number;
  /** Appended bytes that are not written yet. */
  readonly bufferedBytes: number;
  readonly flush: FlushMetricsSnapshot;
}

/** Hits in percent of look-ups, undefined before the first. */
export function cacheHitRate(metrics: Pick<AofMetricsSnapshot, "cacheHits" | "cacheMisses">): number | undefined {
  const lookups = metrics.cacheHits + metrics.cacheMisses;
  return lookups === 0 ? undefined : (metrics.cacheHits / lookups) * 100;
}

/** The counters that the log itself keeps, written in place. */
export class AofCounters {
  totalAppends = 0;
  totalAppendedBytes = 0;
  totalReads = 0;
  segmentsCreated = 0;
  segmentsFinalized = 0;
  backpressureEvents = 0;
  duplicates = 0;
  latePreparations = 0;
  /** Monotonic times of the last of each. */
  backpressureAtUs: number | undefined;
  latePreparationAtUs: number | undefined;
  trimmedRecords = 0;
  trimmedSegments = 0;
  trimmedBytes = 0;
}

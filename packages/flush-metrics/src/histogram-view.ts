/** How a recorded distribution is read: windows, summaries, and what an empty one answers. */
import type { Histogram } from "./histograms.ts";

/**
 * The time a question is about. `lastMinute` covers the current ten seconds and the five before them (50 to 60 s);
 * `lastTenMinutes` the current minute and the nine before it (9 to 10 min). Nothing older is ever included.
 */
export type HistogramWindow = "lifetime" | "lastMinute" | "lastTenMinutes";

/** What was recorded in a window. Everything but the counts is `undefined` when nothing was. */
export interface HistogramSummary {
  readonly count: number;
  /** Exact. */
  readonly sum: number;
  /** Exact. */
  readonly mean: number | undefined;
  /** Exact. */
  readonly min: number | undefined;
  /** Exact, also for values above the range. */
  readonly max: number | undefined;
  readonly p50: number | undefined;
  readonly p90: number | undefined;
  readonly p95: number | undefined;
  readonly p99: number | undefined;
  readonly p999: number | undefined;
  /** Values above the range: percentiles take them for its upper end or for `max`, whichever is smaller. */
  readonly clamped: number;
}

/** The readable side of a recorded distribution. */
export interface HistogramView {
  /**
   * @param percent 0..100
   * @param window default `lifetime`
   * @returns within the configured digits; `undefined` when nothing was recorded in the window
   * @throws RangeError when `percent` is outside 0..100
   * @throws FlushMetricsError `FLUSH_METRICS_CLOSED` after `close()`, when only summaries are left
   */
  percentile(percent: number, window?: HistogramWindow): number | undefined;
  /** Frozen. After `close()` the one taken at that moment. */
  summary(window?: HistogramWindow): HistogramSummary;
}

/** What a window answers in which nothing was recorded. */
const emptySummary: HistogramSummary = Object.freeze({
  count: 0,
  sum: 0,
  mean: undefined,
  min: undefined,
  max: undefined,
  p50: undefined,
  p90: undefined,
  p95: undefined,
  p99: undefined,
  p999: undefined,
  clamped: 0,
});

/** @param histogram `undefined` or empty when nothing was recorded */
export function summarise(histogram: Histogram | undefined): HistogramSummary {
  if (histogram === undefined || histogram.count === 0) return emptySummary;
  const { count, sum } = histogram;
  return Object.freeze({
    count,
    sum,
    mean: sum / count,
    min: histogram.minimum,
    max: histogram.maximum,
    p50: histogram.percentile(50),
    p90: histogram.percentile(90),
    p95: histogram.percentile(95),
    p99: histogram.percentile(99),
    p999: histogram.percentile(99.9),
    clamped: histogram.clamped,
  });
}

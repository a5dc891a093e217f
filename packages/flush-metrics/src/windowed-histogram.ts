/**
 * A histogram that answers for all time, for the last minute and for the last ten, in bounded memory and without a
 * timer: time is looked at when something is recorded or asked for.
 *
 * Values go into the histogram of the current ten seconds only. When those are over, it is added to the lifetime and to
 * its minute, so a record costs one histogram and not three.
 *
 * Always true after `#rotate(now)`, i being the current interval and m the current minute (6 intervals):
 *  W1  lifetime + intervals[i mod 6] = everything recorded
 *  W2  intervals[j mod 6] holds interval j, for i - 5 ≤ j ≤ i, and nothing older
 *  W3  minutes[k mod 10] holds the finished intervals of minute k, for m - 9 ≤ k ≤ m, and nothing older
 *  W4  i never decreases: a clock that steps back adds to the current interval
 */
import type { Clock } from "@varve/fs-core";
import { FlushMetricsError } from "./errors.ts";
import { Histogram, type HistogramEngine, type HistogramRange } from "./histograms.ts";

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

const intervalUs = 10e6;
const intervalsPerMinute = 6;
const minutesKept = 10;

/** See the header of this file. */
export class WindowedHistogram implements HistogramView {
  readonly #clock: Clock;
  readonly #create: (bits: 32 | 64) => Histogram;
  readonly #originUs: number;
  // Slots come into being when first used: a log that flushes once an hour holds two of the sixteen.
  readonly #intervals: (Histogram | undefined)[] = Array.from({ length: intervalsPerMinute }, () => undefined);
  readonly #minutes: (Histogram | undefined)[] = Array.from({ length: minutesKept }, () => undefined);
  readonly #lifetime: Histogram;
  #merged: Histogram | undefined;
  #current: Histogram;
  #interval = 0;
  #intervalEndUs: number;
  #final: Readonly<Record<HistogramWindow, HistogramSummary>> | undefined;

  constructor(engine: HistogramEngine, range: HistogramRange, clock: Clock) {
    this.#clock = clock;
    this.#create = (bits) => new Histogram(engine, range, bits);
    this.#originUs = clock.monotonicUs();
    this.#intervalEndUs = this.#originUs + intervalUs;
    this.#lifetime = this.#create(64);
    this.#current = this.#create(32);
    this.#intervals[0] = this.#current;
  }

  /** Bytes of counters held at the moment. Bounded: at most 16 interval histograms and 2 lifetime ones. */
  get bytes(): number {
    if (this.#final !== undefined) return 0;
    return this.#all().reduce((sum, histogram) => sum + histogram.bytes, 0);
  }

  /**
   * @param value 0 or more
   * @param nowUs monotonic time, which the caller has read already
   */
  record(value: number, nowUs: number): void {
    if (nowUs >= this.#intervalEndUs) this.#rotate(nowUs);
    this.#current.record(value);
  }

  percentile(percent: number, window: HistogramWindow = "lifetime"): number | undefined {
    if (this.#final !== undefined) {
      throw new FlushMetricsError("FLUSH_METRICS_CLOSED", "percentiles end with close(); the final snapshot remains");
    }
    return this.#merge(window).percentile(percent);
  }

  summary(window: HistogramWindow = "lifetime"): HistogramSummary {
    return this.#final?.[window] ?? summarise(this.#merge(window));
  }

  /** Keeps the three summaries and gives everything else back. Idempotent; nothing may be recorded afterwards. */
  close(): void {
    if (this.#final !== undefined) return;
    const final = {
      lifetime: this.summary("lifetime"),
      lastMinute: this.summary("lastMinute"),
      lastTenMinutes: this.summary("lastTenMinutes"),
    };
    for (const histogram of this.#all()) histogram.destroy();
    this.#final = final;
  }

  /** Adds up a window in a scratch histogram, which the next call overwrites. */
  #merge(window: HistogramWindow): Histogram {
    this.#rotate(this.#clock.monotonicUs());
    this.#merged ??= this.#create(64);
    this.#merged.reset();
    switch (window) {
      case "lifetime":
        this.#merged.add(this.#lifetime);
        this.#merged.add(this.#current);
        break;
      case "lastMinute":
        for (const slot of this.#intervals) if (slot !== undefined) this.#merged.add(slot);
        break;
      case "lastTenMinutes":
        for (const slot of this.#minutes) if (slot !== undefined) this.#merged.add(slot);
        this.#merged.add(this.#current);
        break;
    }
    return this.#merged;
  }

  #rotate(nowUs: number): void {
    if (nowUs < this.#intervalEndUs) return;
    // At least one further: with a fractional origin the quotient can round down where the comparison did not.
    const next = Math.max(this.#interval + 1, Math.floor((nowUs - this.#originUs) / intervalUs));
    const minute = Math.floor(this.#interval / intervalsPerMinute);
    if (this.#current.count > 0) {
      this.#lifetime.add(this.#current);
      this.#slot(this.#minutes, minute).add(this.#current);
    }
    clearFrom(this.#intervals, this.#interval + 1, next);
    clearFrom(this.#minutes, minute + 1, Math.floor(next / intervalsPerMinute));
    this.#interval = next;
    this.#intervalEndUs = this.#originUs + (next + 1) * intervalUs;
    this.#current = this.#slot(this.#intervals, next);
  }

  #slot(ring: (Histogram | undefined)[], index: number): Histogram {
    const slot = ring[index % ring.length] ?? this.#create(32);
    ring[index % ring.length] = slot;
    return slot;
  }

  #all(): Histogram[] {
    return [this.#lifetime, this.#merged, ...this.#intervals, ...this.#minutes].filter((slot) => slot !== undefined);
  }
}

/** Empties the slots that the indices `first..last` are about to take; after a long silence that is every slot, once. */
function clearFrom(ring: readonly (Histogram | undefined)[], first: number, last: number): void {
  const end = Math.min(last, first + ring.length - 1);
  for (let index = first; index <= end; index += 1) ring[index % ring.length]?.reset();
}

function summarise(histogram: Histogram): HistogramSummary {
  const { count, sum } = histogram;
  return Object.freeze({
    count,
    sum,
    mean: count === 0 ? undefined : sum / count,
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

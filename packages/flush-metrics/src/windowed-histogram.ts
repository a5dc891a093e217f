/**
 * A histogram that answers for all time, for the last minute and for the last ten, in bounded memory and without a
 * timer: time is looked at when something is recorded or asked for.
 *
 * Values go into the histogram of the current ten seconds only. When those are over, it is added to the lifetime and to
 * its minute, so a record costs one histogram and not three.
 *
 * Always true after `#rotate(now)`, i being the current interval and m the current minute (6 intervals):
 *  W1  lifetime + intervals[i mod 6] = everything recorded; one that does not exist is empty
 *  W2  intervals[j mod 6] holds interval j, for i - 5 ≤ j ≤ i, and nothing older
 *  W3  minutes[k mod 10] holds the finished intervals of minute k, for m - 9 ≤ k ≤ m, and nothing older
 *  W4  i never decreases: a clock that steps back adds to the current interval
 */
import type { Clock } from "@varve/fs-core";
import { FlushMetricsError } from "./errors.ts";
import { type HistogramSummary, type HistogramView, type HistogramWindow, summarise } from "./histogram-view.ts";
import { type CounterBits, checkPercent, type Histogram } from "./histograms.ts";

const intervalUs = 10e6;
const intervalsPerMinute = 6;
const minutesKept = 10;

/** See the header of this file. */
export class WindowedHistogram implements HistogramView {
  readonly #clock: Clock;
  readonly #create: (bits: CounterBits) => Histogram;
  readonly #originUs: number;
  // Every histogram comes into being when it is first needed: nothing before the first record, and for a log that
  // flushes once an hour a few of the eighteen.
  readonly #intervals: (Histogram | undefined)[] = Array.from({ length: intervalsPerMinute }, () => undefined);
  readonly #minutes: (Histogram | undefined)[] = Array.from({ length: minutesKept }, () => undefined);
  #lifetime: Histogram | undefined;
  #merged: Histogram | undefined;
  /** The slot of the current interval, once something was recorded in it. */
  #current: Histogram | undefined;
  #interval = 0;
  #intervalEndUs: number;
  #final: Readonly<Record<HistogramWindow, HistogramSummary>> | undefined;

  /** @param create makes histograms of one engine and range */
  constructor(create: (bits: CounterBits) => Histogram, clock: Clock) {
    this.#clock = clock;
    this.#create = create;
    this.#originUs = clock.monotonicUs();
    this.#intervalEndUs = this.#originUs + intervalUs;
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
    this.#current ??= this.#slot(this.#intervals, this.#interval);
    this.#current.record(value);
  }

  percentile(percent: number, window: HistogramWindow = "lifetime"): number | undefined {
    if (this.#final !== undefined) {
      throw new FlushMetricsError("FLUSH_METRICS_CLOSED", "percentiles end with close(); the final snapshot remains");
    }
    checkPercent(percent);
    return this.#merge(window)?.percentile(percent);
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

  /** Adds up a window in a scratch histogram, which the next call overwrites; `undefined` when there is nothing. */
  #merge(window: HistogramWindow): Histogram | undefined {
    this.#rotate(this.#clock.monotonicUs());
    const parts = this.#parts(window).filter((part): part is Histogram => part !== undefined && part.count > 0);
    if (parts.length === 0) return undefined;
    this.#merged ??= this.#create(64);
    this.#merged.reset();
    for (const part of parts) this.#merged.add(part);
    return this.#merged;
  }

  #parts(window: HistogramWindow): readonly (Histogram | undefined)[] {
    switch (window) {
      case "lifetime":
        return [this.#lifetime, this.#current];
      case "lastMinute":
        return this.#intervals;
      case "lastTenMinutes":
        return [...this.#minutes, this.#current];
    }
  }

  #rotate(nowUs: number): void {
    if (nowUs < this.#intervalEndUs) return;
    // At least one further: with a fractional origin the quotient can round down where the comparison did not.
    const next = Math.max(this.#interval + 1, Math.floor((nowUs - this.#originUs) / intervalUs));
    const minute = Math.floor(this.#interval / intervalsPerMinute);
    if (this.#current !== undefined) {
      this.#lifetime ??= this.#create(64);
      this.#lifetime.add(this.#current);
      this.#slot(this.#minutes, minute).add(this.#current);
    }
    clearFrom(this.#intervals, this.#interval + 1, next);
    clearFrom(this.#minutes, minute + 1, Math.floor(next / intervalsPerMinute));
    this.#interval = next;
    this.#intervalEndUs = this.#originUs + (next + 1) * intervalUs;
    this.#current = undefined;
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

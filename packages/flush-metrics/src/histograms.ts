/**
 * One HDR histogram with exact count, sum, minimum and maximum beside it. The only file that knows the library.
 *
 * Always true:
 *  H1  count = records since the last reset, and the library's total is the same number
 *  H2  minimum ≤ percentile(p) ≤ maximum for every p, whatever the buckets say
 *  H3  no recorded value is refused: 0 has a bucket, and a value above `highest` is counted in the last one and in
 *      `clamped`, because a histogram that throws would turn a finished flush into a failed one
 */
import { build, type Histogram as HdrHistogram, initWebAssemblySync } from "hdr-histogram-js";
import { FlushMetricsError } from "./errors.ts";

/** Which implementation holds the buckets. Both count alike; the WebAssembly one records about four times as fast. */
export type HistogramEngine = "wasm" | "js";

/** Significant decimal digits of a recorded value: 1 is within 10 %, 2 within 1 %, 3 within 0.1 %. */
export type HistogramDigits = 1 | 2 | 3;

/** Bits per bucket. 32 for intervals, which end before 2^31 records could pass; 64 where counts never end. */
export type CounterBits = 32 | 64;

/**
 * Decides how buckets are held, and starts the library's WebAssembly once per process.
 * @param choice `auto` takes WebAssembly where it exists
 * @throws FlushMetricsError `HISTOGRAM_ENGINE_UNAVAILABLE` when `wasm` was asked for and cannot be had
 */
export function resolveEngine(choice: HistogramEngine | "auto"): HistogramEngine {
  if (choice === "js") return "js";
  try {
    if (!("WebAssembly" in globalThis)) throw new TypeError("WebAssembly is not defined");
    // Synchronous, so that nothing has to be awaited: tens of milliseconds in a cold process, once (see bench/).
    initWebAssemblySync();
    return "wasm";
  } catch (cause) {
    if (choice === "auto") return "js";
    throw new FlushMetricsError(
      "HISTOGRAM_ENGINE_UNAVAILABLE",
      'histogram engine "wasm" cannot start here; use "auto" or "js"',
      { cause },
    );
  }
}

/** @throws RangeError when `percent` is outside 0..100 */
export function checkPercent(percent: number): void {
  if (!(percent >= 0 && percent <= 100)) throw new RangeError(`percentile: got ${percent}, want 0..100`);
}

/** What a histogram covers and how finely. */
export interface HistogramRange {
  /** Largest value with a bucket of its own; larger ones share the last. At least 2. */
  readonly highest: number;
  readonly digits: HistogramDigits;
}

/**
 * Bytes of counters for a range, as the library lays them out: buckets double in width from one power of two to the
 * next, each holding half of 2^ceil(log2(2 · 10^digits)) slots, and the first holding them all.
 */
export function histogramBytes(range: HistogramRange, bits: CounterBits): number {
  const slots = 2 ** Math.ceil(Math.log2(2 * 10 ** range.digits));
  let buckets = 1;
  for (let covered = slots; covered <= range.highest; covered *= 2) buckets += 1;
  return ((buckets + 1) * slots * bits) / 16;
}

/** See the header of this file. Not thread-safe, like everything that counts here. */
export class Histogram {
  readonly #hdr: HdrHistogram;
  readonly #highest: number;
  /** Bytes of counters held. */
  readonly bytes: number;
  #count = 0;
  #sum = 0;
  #minimum = Number.POSITIVE_INFINITY;
  #maximum = Number.NEGATIVE_INFINITY;
  #clamped = 0;

  constructor(engine: HistogramEngine, range: HistogramRange, bits: CounterBits) {
    this.#highest = range.highest;
    this.bytes = histogramBytes(range, bits);
    this.#hdr = build({
      useWebAssembly: engine === "wasm",
      bitBucketSize: bits,
      autoResize: false,
      lowestDiscernibleValue: 1,
      highestTrackableValue: range.highest,
      numberOfSignificantValueDigits: range.digits,
    });
  }

  get count(): number {
    return this.#count;
  }

  get sum(): number {
    return this.#sum;
  }

  /** Exact; `undefined` when nothing was recorded. */
  get minimum(): number | undefined {
    return this.#count === 0 ? undefined : this.#minimum;
  }

  /** Exact, also above the range; `undefined` when nothing was recorded. */
  get maximum(): number | undefined {
    return this.#count === 0 ? undefined : this.#maximum;
  }

  /** Values above the range so far. */
  get clamped(): number {
    return this.#clamped;
  }

  /** Counts one value. Fractions are kept in the sum and rounded for the bucket; what is not a number ≥ 0 counts as 0. */
  record(value: number): void {
    const known = value >= 0 ? value : 0;
    let bucket = Math.round(known);
    if (bucket > this.#highest) {
      bucket = this.#highest;
      this.#clamped += 1;
    }
    this.#hdr.recordValue(bucket);
    this.#count += 1;
    this.#sum += known;
    if (known < this.#minimum) this.#minimum = known;
    if (known > this.#maximum) this.#maximum = known;
  }

  /** Adds all of `other`, which has the same engine and range. */
  add(other: Histogram): void {
    if (other.#count === 0) return;
    this.#hdr.add(other.#hdr);
    this.#count += other.#count;
    this.#sum += other.#sum;
    this.#clamped += other.#clamped;
    if (other.#minimum < this.#minimum) this.#minimum = other.#minimum;
    if (other.#maximum > this.#maximum) this.#maximum = other.#maximum;
  }

  /**
   * The smallest value that at least `percent` of all recorded ones, rounded to whole numbers, do not exceed: within
   * `digits`, and never below it.
   * @param percent 0..100; 0 is the minimum
   * @returns `undefined` when nothing was recorded
   * @throws RangeError when `percent` is outside 0..100
   */
  percentile(percent: number): number | undefined {
    checkPercent(percent);
    if (this.#count === 0) return undefined;
    const edge = percent === 0 ? this.#minimum : this.#hdr.getValueAtPercentile(percent);
    return Math.min(Math.max(edge, this.#minimum), this.#maximum);
  }

  /** Forgets everything and keeps the memory. */
  reset(): void {
    if (this.#count === 0) return;
    this.#hdr.reset();
    this.#count = 0;
    this.#sum = 0;
    this.#minimum = Number.POSITIVE_INFINITY;
    this.#maximum = Number.NEGATIVE_INFINITY;
    this.#clamped = 0;
  }

  /** Gives the memory back: no other call may follow. */
  destroy(): void {
    this.#hdr.destroy();
  }
}

/** How long requests took, in buckets that double. */

/** What was recorded so far. */
export interface LatencySnapshot {
  readonly count: number;
  /** Of all, in microseconds. */
  readonly sumUs: number;
  readonly maxUs: number;
  /** `buckets[i]` counts what took less than 2^i microseconds, and not less than half of that (bucket 0: less than 1). */
  readonly buckets: readonly number[];
}

/** Takes latencies. */
export interface LatencyHistogram {
  /** @param valueUs at least 0 */
  record(valueUs: number): void;
  snapshot(): LatencySnapshot;
}

/** 2^40 µs are 12 days: more has the last bucket. */
const bucketCount = 41;

/** Forty-one numbers, whatever happens. */
export class Log2Histogram implements LatencyHistogram {
  readonly #buckets = new Array<number>(bucketCount).fill(0);
  #count = 0;
  #sumUs = 0;
  #maxUs = 0;

  record(valueUs: number): void {
    // 0 for less than 1; otherwise the number of binary digits.
    const index = valueUs < 1 ? 0 : Math.min(bucketCount - 1, Math.floor(Math.log2(valueUs)) + 1);
    this.#buckets[index] = (this.#buckets[index] as number) + 1;
    this.#count++;
    this.#sumUs += valueUs;
    this.#maxUs = Math.max(this.#maxUs, valueUs);
  }

  snapshot(): LatencySnapshot {
    return { count: this.#count, sumUs: this.#sumUs, maxUs: this.#maxUs, buckets: [...this.#buckets] };
  }
}

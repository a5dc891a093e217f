/**
 * Records and bytes per second of real time, as exponentially weighted moving averages. Real time, not flush time:
 * dividing by the time spent in flushes gives the speed of the device, millions a second on an idle log.
 */

/** A rate below which the first moments are not extrapolated: one flush 10 µs after the start is not 100,000 a second. */
const shortestAgeUs = 1e6;

/**
 * Each finished flush adds its records as an impulse that fades by 1/e per time constant. The sum is divided by what a
 * steady rate would have left behind since the start, so the first seconds do not read low.
 * Time that stands still or steps back fades nothing.
 */
export class Throughput {
  readonly #timeConstantUs: number;
  readonly #originUs: number;
  #atUs: number;
  #records = 0;
  #bytes = 0;

  /** @param timeConstantMs a burst has lost 63 % of its weight after this long, 95 % after three times it */
  constructor(timeConstantMs: number, nowUs: number) {
    this.#timeConstantUs = timeConstantMs * 1000;
    this.#originUs = nowUs;
    this.#atUs = nowUs;
  }

  add(records: number, bytes: number, nowUs: number): void {
    const kept = this.#kept(nowUs);
    this.#records = this.#records * kept + records;
    this.#bytes = this.#bytes * kept + bytes;
    if (nowUs > this.#atUs) this.#atUs = nowUs;
  }

  recordsPerSecond(nowUs: number): number {
    return this.#records * this.#perSecond(nowUs);
  }

  bytesPerSecond(nowUs: number): number {
    return this.#bytes * this.#perSecond(nowUs);
  }

  #perSecond(nowUs: number): number {
    const ageUs = Math.max(nowUs - this.#originUs, shortestAgeUs);
    const weightSeconds = (this.#timeConstantUs / 1e6) * -Math.expm1(-ageUs / this.#timeConstantUs);
    return this.#kept(nowUs) / weightSeconds;
  }

  #kept(nowUs: number): number {
    return nowUs <= this.#atUs ? 1 : Math.exp((this.#atUs - nowUs) / this.#timeConstantUs);
  }
}

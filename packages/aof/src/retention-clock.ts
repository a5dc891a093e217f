/**
 * The time that expiry is judged by: wall time that no step of the clock pushes ahead.
 *
 * Always true:
 *  I1  `nowUs` ≤ the wall clock: what the clock calls young stays young
 *  I2  `nowUs` ≤ the lowest wall time seen since the log was opened + the monotonic time since then: a step ahead is
 *      ignored, a step back followed, whether or not somebody looked in between
 *
 * So a record may expire late, never early. What cannot be recognised: a wall clock that was ahead when the log was
 * opened and stays ahead (for one that is corrected within a minute, see `settlingMs`); and a machine that was suspended
 * looks like a step ahead, so that expiry falls behind by as long until the log is opened again.
 */
import type { Clock } from "@varve/fs-core";

/**
 * Nothing is deleted in the background because of its age before the log was open for so long: the clock of a machine
 * that just started is often wrong until the network corrects it.
 */
const settlingMs = 60_000;

export class RetentionClock {
  readonly #clock: Clock;
  readonly #openedMonotonicUs: number;
  /** Wall time minus monotonic time, the lowest seen. */
  #offsetUs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#openedMonotonicUs = clock.monotonicUs();
    this.#offsetUs = clock.wallUs() - this.#openedMonotonicUs;
  }

  /** µs since 1970. */
  nowUs(): number {
    const wallUs = this.#clock.wallUs();
    const monotonicUs = this.#clock.monotonicUs();
    this.#offsetUs = Math.min(this.#offsetUs, wallUs - monotonicUs);
    return Math.floor(this.#offsetUs + monotonicUs);
  }

  /** Whether the log was open long enough for deletion by time in the background. */
  get isSettled(): boolean {
    // Looked at as well: a step back is followed even when nobody reads.
    this.nowUs();
    return this.#clock.monotonicUs() - this.#openedMonotonicUs >= settlingMs * 1000;
  }
}

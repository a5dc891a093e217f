/**
 * The deadline of one request. Whoever lets the request wait before it is sent stops it: a queue in front of a busy store
 * would otherwise time requests out that nobody has sent.
 *
 * Always true:
 *  I1  a timer runs exactly while the deadline has not ended and nobody pauses it
 *  I2  after `end` there is none, whoever is still pausing
 */
import type { Clock, TimerHandle } from "../clock.ts";

export class RequestDeadline {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #onLate: () => void;
  #timer: TimerHandle | undefined;
  #pauses = 0;
  #isOver = false;

  constructor(clock: Clock, timeoutMs: number, onLate: () => void) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#onLate = onLate;
    this.#start();
  }

  get isPaused(): boolean {
    return this.#pauses > 0;
  }

  /** Runs `turn` without the deadline, which begins anew afterwards. */
  async paused<T>(turn: () => Promise<T>): Promise<T> {
    this.#pauses++;
    this.#timer?.cancel();
    try {
      return await turn();
    } finally {
      this.#pauses--;
      if (this.#pauses === 0 && !this.#isOver) this.#start();
    }
  }

  /** Begins anew, unless it is paused: it will then in any case. */
  restart(): void {
    if (this.#pauses > 0 || this.#isOver) return;
    this.#timer?.cancel();
    this.#start();
  }

  /** Idempotent. */
  end(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }

  #start(): void {
    this.#timer = this.#clock.after(this.#timeoutMs, this.#onLate, { background: true });
  }
}

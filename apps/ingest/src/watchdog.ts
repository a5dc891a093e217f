import type { Clock, TimerHandle } from "@varve/fs-core";

/** Who does nothing for so long hangs: the slowest step of anyone here is one sync of the disk. */
export const quietMsMax = 30_000;

/** Calls back once when nothing was seen for a while, so that a run that hangs becomes a run that fails. */
export class Watchdog {
  readonly #clock: Clock;
  readonly #quietMs: number;
  readonly #onQuiet: () => void;
  #seenUs: number;
  #timer: TimerHandle | undefined;

  /** @param quietMs how long without {@link seen} is too long */
  constructor(clock: Clock, quietMs: number, onQuiet: () => void) {
    this.#clock = clock;
    this.#quietMs = quietMs;
    this.#onQuiet = onQuiet;
    this.#seenUs = clock.monotonicUs();
    this.#arm(quietMs);
  }

  /** Something happened. Cheap: no timer is touched. */
  seen(): void {
    this.#seenUs = this.#clock.monotonicUs();
  }

  /** Idempotent; no call back afterwards. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.after(delayMs, () => {
      this.#timer = undefined;
      const leftMs = this.#quietMs - (this.#clock.monotonicUs() - this.#seenUs) / 1000;
      if (leftMs > 0) this.#arm(Math.ceil(leftMs));
      else this.#onQuiet();
    });
  }
}

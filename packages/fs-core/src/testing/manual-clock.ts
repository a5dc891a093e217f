import { type Clock, sleepOn, systemClock, type TimerHandle } from "../clock.ts";

/** Where a {@link ManualClock} begins. */
export interface ManualClockSettings {
  /** Wall time at the start, microseconds since 1970. Default 2023-11-14T22:13:20Z. */
  readonly wallUs?: number;
  /** Monotonic time at the start in microseconds. Default 0. */
  readonly monotonicUs?: number;
}

interface Timer {
  readonly dueUs: number;
  readonly order: number;
  readonly callback: () => void;
}

/**
 * A {@link Clock} that moves only when told. Timers fire inside {@link advance}, in order of their due times and, for
 * equal ones, of their creation; each sees the clock at its own due time. Nothing here keeps the process alive but `defer`.
 */
export class ManualClock implements Clock {
  readonly #timers: Set<Timer> = new Set();
  #wallUs: number;
  #monotonicUs: number;
  #created = 0;

  constructor(settings: ManualClockSettings = {}) {
    this.#wallUs = settings.wallUs ?? 1_700_000_000_000_000;
    this.#monotonicUs = settings.monotonicUs ?? 0;
  }

  wallUs(): number {
    return Math.floor(this.#wallUs);
  }

  monotonicUs(): number {
    return this.#monotonicUs;
  }

  /** How many timers wait: 0 proves that nobody left one behind. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Steps the wall clock, backwards too. Timers and monotonic time do not notice. */
  setWallUs(wallUs: number): void {
    this.#wallUs = wallUs;
  }

  /**
   * Moves time on and fires what falls due, timers started meanwhile included. Promises that a timer settles run their
   * reactions after this returns; see {@link advanceAsync}. An exception of a callback ends the call at that time.
   */
  advance(ms: number): void {
    const endUs = this.#monotonicUs + checkedUs(ms);
    for (let timer = this.#next(endUs); timer !== undefined; timer = this.#next(endUs)) this.#fire(timer);
    this.#moveTo(endUs);
  }

  /** {@link advance}, letting promises, `defer` and I/O callbacks run before the first and after each timer. */
  async advanceAsync(ms: number): Promise<void> {
    const endUs = this.#monotonicUs + checkedUs(ms);
    await turn();
    for (let timer = this.#next(endUs); timer !== undefined; timer = this.#next(endUs)) {
      this.#fire(timer);
      await turn();
    }
    this.#moveTo(endUs);
    await turn();
  }

  after(delayMs: number, callback: () => void): TimerHandle {
    this.#created += 1;
    const timer: Timer = { dueUs: this.#monotonicUs + checkedUs(delayMs), order: this.#created, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  defer(callback: () => void): void {
    systemClock.defer(callback);
  }

  sleep(delayMs: number, options?: { readonly signal?: AbortSignal }): Promise<void> {
    return sleepOn(this, delayMs, options?.signal);
  }

  #next(endUs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueUs > endUs) continue;
      if (
        first === undefined ||
        timer.dueUs < first.dueUs ||
        (timer.dueUs === first.dueUs && timer.order < first.order)
      ) {
        first = timer;
      }
    }
    return first;
  }

  #fire(timer: Timer): void {
    this.#timers.delete(timer);
    this.#moveTo(timer.dueUs);
    timer.callback();
  }

  #moveTo(monotonicUs: number): void {
    const passedUs = Math.max(0, monotonicUs - this.#monotonicUs);
    this.#monotonicUs += passedUs;
    this.#wallUs += passedUs;
  }
}

function checkedUs(ms: number): number {
  if (!(ms >= 0 && ms < Number.POSITIVE_INFINITY)) throw new RangeError(`${ms} is not a span of time in milliseconds`);
  return ms * 1000;
}

function turn(): Promise<void> {
  return new Promise((resolve) => systemClock.defer(resolve));
}

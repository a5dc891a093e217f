/**
 * Time as a part. Nothing in Varve's correctness depends on the wall clock; intervals use the monotonic one.
 * This file and `random.ts` are the only places that may touch the platform's timers and entropy.
 */
export interface Clock {
  /** Wall time in whole microseconds since 1970. May jump, backwards too: a label, never an order. */
  wallUs(): number;
  /** Monotonic time in microseconds (fractions allowed) from an arbitrary start. Never decreases. */
  monotonicUs(): number;
  /**
   * Calls `callback` once after at least `delayMs` milliseconds. The timer keeps the process alive until it fires or
   * is cancelled: an unreferenced flush timer would let a process end with nothing written.
   */
  after(delayMs: number, callback: () => void): TimerHandle;
  /** Calls `callback` in the next turn of the event loop, after I/O had its chance. Keeps the process alive. */
  defer(callback: () => void): void;
  /** Resolves after `delayMs`; rejects with the signal's reason when it fires first. */
  sleep(delayMs: number, options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/** A pending {@link Clock.after}. */
export interface TimerHandle {
  /** Idempotent; has no effect once the callback ran. */
  cancel(): void;
  /**
   * Where there is one: from now on the timer does not keep the process alive. For work that may as well be left undone,
   * never for what somebody was promised.
   */
  unref?(): void;
}

/** `sleep` in terms of `after`, for implementers of {@link Clock}. */
export function sleepOn(clock: Pick<Clock, "after">, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** The machine's clock. */
export const systemClock: Clock = {
  // Date.now: 25 ns a call, and the only source that follows the operator's corrections of the clock.
  wallUs: () => Date.now() * 1000,
  monotonicUs: () => performance.now() * 1000,
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer), unref: () => void timer.unref() };
  },
  defer(callback) {
    setImmediate(callback);
  },
  sleep(delayMs, options) {
    return sleepOn(systemClock, delayMs, options?.signal);
  },
};

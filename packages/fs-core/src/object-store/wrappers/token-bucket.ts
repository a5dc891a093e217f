/**
 * A rate with a burst. Who takes more than is there goes into debt and waits until it is paid: each one's wait is known at
 * once, so nobody waits for those who come later.
 *
 * Always true:
 *  I1  in any span of `t` seconds, at most `capacity + t × perSecond` tokens are handed out
 *  I2  who gives up returns what was taken
 */
import type { Clock } from "../../clock.ts";
import { StoreError } from "../store-error.ts";

export class TokenBucket {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #capacity: number;
  /** Below 0: owed. */
  #tokens: number;
  #atUs: number;

  /** Full at first. @param capacity what gathers at most while nobody takes */
  constructor(clock: Clock, perSecond: number, capacity: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#capacity = capacity;
    this.#tokens = capacity;
    this.#atUs = clock.monotonicUs();
  }

  get perSecond(): number {
    return this.#perSecond;
  }

  /** @returns how long to wait before using them, in milliseconds */
  take(amount: number): number {
    this.#refill();
    this.#tokens -= amount;
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens / this.#perSecond) * 1000);
  }

  /** Of tokens that were taken and not used. */
  giveBack(amount: number): void {
    this.#refill();
    this.#tokens = Math.min(this.#capacity, this.#tokens + amount);
  }

  #refill(): void {
    const nowUs = this.#clock.monotonicUs();
    const gathered = ((nowUs - this.#atUs) / 1e6) * this.#perSecond;
    this.#tokens = Math.min(this.#capacity, this.#tokens + gathered);
    this.#atUs = nowUs;
  }
}

/** What is taken from one bucket. */
export interface Charge {
  readonly bucket: TokenBucket;
  readonly amount: number;
}

/** Takes from all of them and waits for the slowest. @throws StoreError `ABORTED` when `signal` fires first */
export async function takeAll(clock: Clock, charges: readonly Charge[], signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw new StoreError("ABORTED", "stopped before its turn");
  const waitMs = charges.reduce((longest, { bucket, amount }) => Math.max(longest, bucket.take(amount)), 0);
  if (waitMs === 0) return;
  try {
    await sleepLong(clock, waitMs, signal);
  } catch {
    for (const { bucket, amount } of charges) bucket.giveBack(amount);
    throw new StoreError("ABORTED", "stopped while waiting for its turn");
  }
}

/** Timers of the platform hold 31 bits. */
const timerMsMax = 2 ** 31 - 1;

async function sleepLong(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  for (let leftMs = delayMs; leftMs > 0; leftMs -= timerMsMax) {
    await clock.sleep(Math.min(leftMs, timerMsMax), { signal });
  }
}

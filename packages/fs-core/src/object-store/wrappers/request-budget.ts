/**
 * What may be spent in a window of time, and what was.
 *
 * Always true:
 *  I1  within a window no count and no sum of money goes beyond its limit, but for requests that are always admitted
 *  I2  a threshold of a limit is reported once in a window
 */
import type { Clock } from "../../clock.ts";
import type { PriceClass, RequestPrices } from "./price-classes.ts";

/** What a budget limits. */
export type BudgetLimit = "usd" | "a" | "b";

/** A threshold was passed. */
export interface BudgetAlarm {
  readonly limit: BudgetLimit;
  /** Of `alarmAt`: the fraction of the limit that is spent now. */
  readonly threshold: number;
  /** US dollars for `usd`, requests otherwise. */
  readonly used: number;
  readonly max: number;
  /** Until the window ends; undefined when it does not. */
  readonly windowLeftMs: number | undefined;
}

/** At one moment. */
export interface Spending {
  /** Of this window. */
  readonly requests: Readonly<Record<PriceClass, number>>;
  /** Estimate by the price table, of this window. */
  readonly usd: number;
  /** Requests that were refused since the beginning. */
  readonly refused: number;
  /** Until the window ends; undefined when it does not. */
  readonly windowLeftMs: number | undefined;
}

export interface RequestBudgetLimits {
  readonly usdMax: number;
  readonly requestsMax: { readonly a: number; readonly b: number };
  /** Infinity: one window without an end. */
  readonly windowMs: number;
  readonly prices: RequestPrices;
  /** Ascending. */
  readonly thresholds: readonly number[];
}

/** Sums of money are products of decimal fractions. */
const roundingError = 1 + 1e-9;

export class RequestBudget {
  readonly #clock: Clock;
  readonly #limits: RequestBudgetLimits;
  readonly #onAlarm: (alarm: BudgetAlarm) => void;
  readonly #reported = new Set<string>();
  #counts: Record<PriceClass, number> = { a: 0, b: 0, free: 0 };
  #refused = 0;
  #beganUs: number;

  constructor(clock: Clock, limits: RequestBudgetLimits, onAlarm: (alarm: BudgetAlarm) => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#onAlarm = onAlarm;
    this.#beganUs = clock.monotonicUs();
  }

  /** Counts a request. @returns the limit that it would go beyond: it was not counted then, and may not be sent */
  admit(priceClass: PriceClass): BudgetLimit | undefined {
    this.#turnWindow();
    const limit = priceClass === "free" ? undefined : this.#exceededBy(priceClass);
    if (limit !== undefined) {
      this.#refused++;
      return limit;
    }
    this.#counts[priceClass]++;
    this.#report();
    return undefined;
  }

  spending(): Spending {
    this.#turnWindow();
    return {
      requests: { ...this.#counts },
      usd: this.#usdOf(this.#counts),
      refused: this.#refused,
      windowLeftMs: this.#leftMs(),
    };
  }

  #exceededBy(priceClass: "a" | "b"): BudgetLimit | undefined {
    const { requestsMax, usdMax, prices } = this.#limits;
    const count = this.#counts[priceClass] + 1;
    if (count > requestsMax[priceClass]) return priceClass;
    const usd = this.#usdOf({ ...this.#counts, [priceClass]: count });
    return prices[priceClass] > 0 && usd > usdMax * roundingError ? "usd" : undefined;
  }

  #report(): void {
    const { requestsMax, usdMax, thresholds } = this.#limits;
    const spent: readonly [BudgetLimit, number, number][] = [
      ["usd", this.#usdOf(this.#counts), usdMax],
      ["a", this.#counts.a, requestsMax.a],
      ["b", this.#counts.b, requestsMax.b],
    ];
    for (const [limit, used, max] of spent) {
      for (const threshold of thresholds) {
        const name = `${limit} ${threshold}`;
        if (used * roundingError < max * threshold || used === 0 || this.#reported.has(name)) continue;
        this.#reported.add(name);
        this.#onAlarm({ limit, threshold, used, max, windowLeftMs: this.#leftMs() });
      }
    }
  }

  #usdOf({ a, b }: { readonly a: number; readonly b: number }): number {
    return (a * this.#limits.prices.a + b * this.#limits.prices.b) / 1000;
  }

  #leftMs(): number | undefined {
    const { windowMs } = this.#limits;
    if (windowMs === Number.POSITIVE_INFINITY) return undefined;
    return Math.max(0, Math.ceil(windowMs - (this.#clock.monotonicUs() - this.#beganUs) / 1000));
  }

  #turnWindow(): void {
    const windowUs = this.#limits.windowMs * 1000;
    const passed = Math.floor((this.#clock.monotonicUs() - this.#beganUs) / windowUs);
    if (passed < 1) return;
    this.#beganUs += passed * windowUs;
    this.#counts = { a: 0, b: 0, free: 0 };
    this.#reported.clear();
  }
}

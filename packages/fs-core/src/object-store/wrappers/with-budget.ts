/** A limit of what requests may cost. */
import type { ObjectStore } from "../object-store.ts";
import type { StoreParts } from "../store-parts.ts";
import { BudgetDriver } from "./budget-driver.ts";
import { callListener } from "../call-listener.ts";
import { unknownNames } from "../../kit/unknown-names.ts";
import { numberProblems, type NumberRule, refuseOptions } from "./option-rules.ts";
import { listPricesOf, type RequestPrices } from "./price-classes.ts";
import { type BudgetAlarm, RequestBudget, type Spending } from "./request-budget.ts";

/** Of {@link withBudget}. At least one of `usdMax`, `requestsMax.a` and `requestsMax.b`. */
export interface BudgetOptions {
  /** Estimated US dollars of a window. 0..10^9. */
  readonly usdMax?: number;
  /** Requests of a window, by price class: `a` changes or lists, `b` reads. 0..2^53-1. */
  readonly requestsMax?: { readonly a?: number; readonly b?: number };
  /** US dollars for 1000 requests of each class. Default: `listPrices` for the scheme of the store's URL. */
  readonly prices?: RequestPrices;
  /** When it is over, everything may be spent again. 1000..10^12 milliseconds. Default: the budget is for all time. */
  readonly windowMs?: number;
  /** Fractions of a limit, above 0 and up to 1, at which `onAlarm` is called. Default 0.8. */
  readonly alarmAt?: number | readonly number[];
  /** Called once for each limit, threshold and window. What it throws becomes a warning of the process. */
  readonly onAlarm?: (alarm: BudgetAlarm) => unknown;
}

/** A store with a budget. */
export interface BudgetedStore extends ObjectStore {
  /** What was spent up to now. */
  spending(): Spending;
}

const count: NumberRule = { from: 0, to: Number.MAX_SAFE_INTEGER, isWhole: true };
const usd: NumberRule = { from: 0, to: 1e9, isWhole: false };
const names = ["usdMax", "requestsMax", "prices", "windowMs", "alarmAt", "onAlarm"];

/**
 * `store` that refuses requests with `BUDGET_EXCEEDED` (nothing was sent, do not retry) once they would go beyond the budget.
 * Every attempt counts, failed ones too: vendors bill most of them. Requests that clean up, deletions and dropped uploads,
 * are never refused. Closing the result closes `store`.
 * @throws StoreError `INVALID_ARGUMENT` with every problem; for `usdMax` also when the prices of the store are not known
 */
export function withBudget(store: ObjectStore, options: BudgetOptions, parts: StoreParts = {}): BudgetedStore {
  const { usdMax, requestsMax = {}, windowMs = Number.POSITIVE_INFINITY, alarmAt = 0.8, onAlarm } = options;
  const prices = options.prices ?? listPricesOf(store.url);
  const thresholds = typeof alarmAt === "number" ? [alarmAt] : [...alarmAt];
  refuseOptions("withBudget", [
    ...unknownNames(options, names),
    ...numberProblems(
      { usdMax, windowMs: options.windowMs },
      { usdMax: usd, windowMs: { from: 1000, to: 1e12, isWhole: true } },
    ),
    ...unknownNames(requestsMax, ["a", "b"]),
    ...numberProblems(requestsMax, { a: count, b: count }),
    ...(options.prices === undefined ? [] : priceProblems(options.prices)),
    ...thresholds.flatMap((at) => (at > 0 && at <= 1 ? [] : [`alarmAt: got ${at}, want numbers above 0 and up to 1`])),
    ...limitProblems(options, prices),
  ]);
  const { clock = store.parts.clock } = parts;
  const { a = Number.POSITIVE_INFINITY, b = Number.POSITIVE_INFINITY } = requestsMax;
  const budget = new RequestBudget(
    clock,
    {
      usdMax: usdMax ?? Number.POSITIVE_INFINITY,
      requestsMax: { a, b },
      windowMs,
      prices: prices ?? { a: 0, b: 0 },
      thresholds: thresholds.toSorted((left, right) => left - right),
    },
    (alarm) => {
      if (onAlarm !== undefined) callListener("onAlarm of withBudget", onAlarm, alarm);
    },
  );
  const derived = store.derive(new BudgetDriver(store, budget), {}, parts);
  return Object.assign(derived, { spending: () => budget.spending() });
}

function priceProblems(prices: RequestPrices): string[] {
  return [
    ...unknownNames(prices, ["a", "b"]),
    ...(["a", "b"] as const).flatMap((name) => (prices[name] === undefined ? [`prices.${name} is missing`] : [])),
    ...numberProblems(prices, { a: usd, b: usd }),
  ];
}

function limitProblems({ usdMax, requestsMax }: BudgetOptions, prices: RequestPrices | undefined): string[] {
  if (usdMax === undefined && requestsMax?.a === undefined && requestsMax?.b === undefined) {
    return ["want at least one of usdMax, requestsMax.a and requestsMax.b"];
  }
  return usdMax !== undefined && prices === undefined ? ["usdMax: this store has no list price: give prices"] : [];
}

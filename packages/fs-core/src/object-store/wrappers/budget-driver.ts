/** Requests within a budget. What frees storage is counted and always sent. */
import type { DriverCall } from "../object-driver.ts";
import { StoreError } from "../store-error.ts";
import type { DriverRequest } from "./driver-request.ts";
import { ForwardingDriver, type WrappedStore } from "./forwarding-driver.ts";
import { operationClasses } from "./price-classes.ts";
import type { RequestBudget } from "./request-budget.ts";

export class BudgetDriver extends ForwardingDriver {
  readonly #budget: RequestBudget;

  constructor(store: WrappedStore, budget: RequestBudget) {
    super(store);
    this.#budget = budget;
  }

  protected override async around<T>(request: DriverRequest, send: (call: DriverCall) => Promise<T>): Promise<T> {
    const limit = this.#budget.admit(operationClasses[request.operation].priceClass);
    if (limit !== undefined) throw this.#exceeded(limit === "usd" ? "usdMax" : `requestsMax.${limit}`);
    return send(request.call);
  }

  #exceeded(limit: string): StoreError {
    const { windowLeftMs } = this.#budget.spending();
    const hint = windowLeftMs === undefined ? "" : `; the next window begins in ${windowLeftMs} ms`;
    return new StoreError("BUDGET_EXCEEDED", `${limit} of the request budget is spent, nothing was sent${hint}`, {
      outcome: "none",
      retryable: false,
      ...(windowLeftMs === undefined ? {} : { retryAfterMs: windowLeftMs }),
    });
  }
}

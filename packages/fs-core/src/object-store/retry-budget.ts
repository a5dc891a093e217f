/** Retries that may still be made. Shared by all calls of a store, so that a store that is down is not asked more and more. */
export class RetryBudget {
  readonly #capacity: number;
  #left: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#left = capacity;
  }

  /** A request succeeded. */
  refill(): void {
    this.#left = Math.min(this.#capacity, this.#left + 0.1);
  }

  /** @returns false when none is left */
  take(): boolean {
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}

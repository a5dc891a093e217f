/**
 * Calls that come while one is under way wait for it, as those of an async generator do: two at once would read the same
 * records, into the same memory.
 */
export class Turns {
  /** Of the call that came last, until it has ended; never rejects. */
  #last: Promise<void> | undefined;

  /** Whether a call is under way. */
  get isBusy(): boolean {
    return this.#last !== undefined;
  }

  /** Runs `step` now, or after the calls before it, however they end. */
  take<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#last === undefined ? step() : this.#last.then(step);
    // Noted before whoever awaits the result goes on, so that a call after an awaited one finds nothing under way.
    const ended = (): void => {
      if (this.#last === last) this.#last = undefined;
    };
    const last = result.then(ended, ended);
    this.#last = last;
    return result;
  }

  /** Resolves when no call is under way. */
  async over(): Promise<void> {
    while (this.#last !== undefined) await this.#last;
  }
}

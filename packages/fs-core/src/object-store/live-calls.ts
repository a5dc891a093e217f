/**
 * What of a store is not over yet.
 *
 * Always true:
 *  I1  every call, body and writer that is not over is counted
 *  I2  `close` ends bodies and writers, waits for the calls, and then closes what the store is made of, once
 */
import { StoreError } from "./store-error.ts";

/** A body or a writer. */
export interface OpenThing {
  /** Does not reject. */
  end(): Promise<void>;
}

export class LiveCalls {
  readonly #url: string;
  readonly #running = new Set<Promise<unknown>>();
  readonly #open = new Set<OpenThing>();
  #closing: Promise<void> | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  /** Counts a call until it is over. @returns `running`, whose rejection is the caller's */
  own<T>(running: Promise<T>): Promise<T> {
    const tracked = running.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
    // The caller has the promise; here only its end counts.
    tracked.catch(() => {});
    return tracked;
  }

  add(thing: OpenThing): void {
    this.#open.add(thing);
  }

  delete(thing: OpenThing): void {
    this.#open.delete(thing);
  }

  /** @throws StoreError `CLOSED` */
  assertOpen(operation: string): void {
    if (this.#closing !== undefined) {
      throw new StoreError("CLOSED", `${operation}: the store was closed`, { operation, store: this.#url });
    }
  }

  /** Idempotent. @param last closes what the store is made of */
  close(last: () => Promise<void>): Promise<void> {
    this.#closing ??= this.#closeNow(last);
    return this.#closing;
  }

  async #closeNow(last: () => Promise<void>): Promise<void> {
    // A call under way may still open a body.
    while (this.#open.size + this.#running.size > 0) {
      await Promise.all([...this.#open].map((thing) => thing.end()));
      await Promise.allSettled(this.#running);
    }
    await last();
  }
}

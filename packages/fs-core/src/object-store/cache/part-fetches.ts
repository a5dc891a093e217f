/**
 * Fetches under way, one for each part however many wait for it.
 *
 * Always true:
 *  I1  of one part at most one fetch is under way; it is in the map until it is over, keeping included
 *  I2  a fetch that nobody waits for any more is stopped
 *  I3  `close` returns when none is under way
 */
import { StoreError } from "../store-error.ts";
import type { CachedPart } from "./part-file.ts";

interface Fetch {
  readonly part: Promise<CachedPart>;
  readonly stop: () => void;
  waiting: number;
}

export class PartFetches {
  readonly #fetches = new Map<string, Fetch>();
  readonly #running = new Set<Promise<unknown>>();

  /**
   * Waits for the fetch of part `name`, which it begins with `run` when there is none. The bytes are shared with the others.
   * @throws what `run` throws; StoreError `ABORTED` when `signal` fires first
   */
  async join(
    name: string,
    run: (signal: AbortSignal) => Promise<CachedPart>,
    signal: AbortSignal,
  ): Promise<CachedPart> {
    if (signal.aborted) throw stopped();
    const fetch = this.#fetches.get(name) ?? this.#begin(name, run);
    fetch.waiting++;
    let onAbort = (): void => {};
    const aborted = new Promise<never>((_resolve, reject) => {
      onAbort = () => reject(stopped());
      signal.addEventListener("abort", onAbort, { once: true });
    });
    try {
      return await Promise.race([fetch.part, aborted]);
    } finally {
      signal.removeEventListener("abort", onAbort);
      fetch.waiting--;
      if (fetch.waiting === 0) {
        // Who comes now must not join what is being stopped.
        if (this.#fetches.get(name) === fetch) this.#fetches.delete(name);
        fetch.stop();
      }
    }
  }

  /** Stops all of them. */
  async close(): Promise<void> {
    for (const fetch of this.#fetches.values()) fetch.stop();
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  #begin(name: string, run: (signal: AbortSignal) => Promise<CachedPart>): Fetch {
    const controller = new AbortController();
    const part = run(controller.signal);
    const fetch: Fetch = { part, waiting: 0, stop: () => controller.abort() };
    const tracked = part
      .catch(() => {})
      .finally(() => {
        if (this.#fetches.get(name) === fetch) this.#fetches.delete(name);
        this.#running.delete(tracked);
      });
    this.#running.add(tracked);
    this.#fetches.set(name, fetch);
    return fetch;
  }
}

function stopped(): StoreError {
  return new StoreError("ABORTED", "stopped while a part was fetched");
}

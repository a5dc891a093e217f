/** A limit of requests in flight. */
import type { ObjectStore } from "../object-store.ts";
import type { StoreParts } from "../store-parts.ts";
import { StoreError } from "../store-error.ts";
import { ConcurrencyDriver } from "./concurrency-driver.ts";
import { Turns } from "./turns.ts";

/**
 * `store` with at most `max` requests in flight; the others wait in line, first come first served. The deadline of a request
 * does not run while it waits, the deadline of its call does. A body that is being read is a request in flight until it
 * ends or is left: whoever reads one and meanwhile waits for other requests of the same store needs a `max` above 1.
 * Closing the result closes `store`.
 * @param max 1..100000
 * @throws StoreError `INVALID_ARGUMENT`
 */
export function withConcurrency(store: ObjectStore, max: number, parts: StoreParts = {}): ObjectStore {
  if (!Number.isInteger(max) || max < 1 || max > 100_000) {
    throw new StoreError("INVALID_ARGUMENT", `withConcurrency: max: got ${max}, want a whole number in 1..100000`, {
      operation: "withConcurrency",
    });
  }
  return store.derive(new ConcurrencyDriver(store, new Turns(max)), {}, parts);
}

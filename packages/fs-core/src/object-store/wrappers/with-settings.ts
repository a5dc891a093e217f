/** The same store with other retries or deadlines. */
import type { ObjectStore } from "../object-store.ts";
import type { StoreParts } from "../store-parts.ts";
import type { RetrySettings, StoreSettings } from "../store-settings.ts";
import { ForwardingDriver } from "./forwarding-driver.ts";

/** Of {@link withTimeout}. What is left out stays as it is. */
export type TimeoutSettings = Pick<StoreSettings, "requestTimeoutMs" | "callTimeoutMs" | "stallTimeoutMs">;

/**
 * `store` with other retries, and a budget of retries of its own. What `retry` leaves out has the default of every store.
 * Closing the result closes `store`.
 * @param retry `false`: every request is tried once
 * @throws StoreError `INVALID_ARGUMENT`
 */
export function withRetry(store: ObjectStore, retry: RetrySettings | false, parts: StoreParts = {}): ObjectStore {
  return store.derive(new ForwardingDriver(store), { retry }, parts);
}

/**
 * `store` with other deadlines. Closing the result closes `store`.
 * @throws StoreError `INVALID_ARGUMENT`
 */
export function withTimeout(store: ObjectStore, timeouts: TimeoutSettings, parts: StoreParts = {}): ObjectStore {
  return store.derive(new ForwardingDriver(store), timeouts, parts);
}

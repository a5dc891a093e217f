/** Counts of what a store was asked. */
import type { ObjectStore } from "../object-store.ts";
import type { StoreParts } from "../store-parts.ts";
import { MetricsDriver, type StoreRequestEvent } from "./metrics-driver.ts";
import { MetricsCounters, type StoreMetrics } from "./store-metrics.ts";

/** Of {@link withMetrics}. */
export interface MetricsOptions {
  /** Told of each request that is over, before its caller is. What it throws becomes a warning of the process. */
  readonly onRequest?: (event: StoreRequestEvent) => unknown;
}

/** A store that counts. */
export interface MeasuredStore extends ObjectStore {
  /** What was counted up to now. */
  metrics(): StoreMetrics;
}

/**
 * `store` with its requests counted, every attempt of them, when they are made through the result or through a wrapper
 * around it. What wrappers inside do, such as to let a request wait, is part of its latency. Each request that is over is
 * published on `node:diagnostics_channel` as `varve.store.request`, while anybody subscribes. Closing the result closes
 * `store`.
 */
export function withMetrics(store: ObjectStore, options: MetricsOptions = {}, parts: StoreParts = {}): MeasuredStore {
  const counters = new MetricsCounters();
  const { clock = store.parts.clock } = parts;
  const driver = new MetricsDriver(store, clock, counters, options.onRequest);
  return Object.assign(store.derive(driver, {}, parts), { metrics: () => counters.snapshot() });
}

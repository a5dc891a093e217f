/** Limits of requests and bytes per second. */
import type { Clock } from "../../clock.ts";
import type { ObjectStore } from "../object-store.ts";
import type { StoreParts } from "../store-parts.ts";
import { unknownNames } from "../../kit/unknown-names.ts";
import { numberProblems, type NumberRule, refuseOptions } from "./option-rules.ts";
import { RateLimitDriver } from "./rate-limit-driver.ts";
import { TokenBucket } from "./token-bucket.ts";

/** Of {@link withRateLimit}. What is left out is not limited. Each limit is a number from 0.001 to 2^50. */
export interface RateLimits {
  /** Of all kinds together, attempts that are made again included. */
  readonly requestsPerSecond?: number;
  /** Requests that change something: puts, parts of uploads, copies, renames, deletions. */
  readonly writesPerSecond?: number;
  /** Pages of listings. */
  readonly listsPerSecond?: number;
  /** A request is sent when its bytes are paid for. */
  readonly uploadBytesPerSecond?: number;
  /** Bodies are handed out in pieces worth a tenth of a second. Some dozens at once may share a rate; far more look stalled. */
  readonly downloadBytesPerSecond?: number;
  /** What gathers while nothing is sent, in seconds' worth of each rate; always at least one request. 0..3600. Default 1. */
  readonly burst?: number;
}

const rate: NumberRule = { from: 0.001, to: 2 ** 50, isWhole: false };

const rules = {
  requestsPerSecond: rate,
  writesPerSecond: rate,
  listsPerSecond: rate,
  uploadBytesPerSecond: rate,
  downloadBytesPerSecond: rate,
  burst: { from: 0, to: 3600, isWhole: false },
} as const;

/**
 * `store` at limited rates. A request waits until its turn, in order of arrival; its own deadline does not run meanwhile,
 * that of its call does. Closing the result closes `store`.
 * @throws StoreError `INVALID_ARGUMENT` with every problem
 */
export function withRateLimit(store: ObjectStore, limits: RateLimits, parts: StoreParts = {}): ObjectStore {
  refuseOptions("withRateLimit", [...unknownNames(limits, Object.keys(rules)), ...numberProblems(limits, rules)]);
  const { clock = store.parts.clock } = parts;
  const { burst = 1 } = limits;
  const bucket = (perSecond: number | undefined): TokenBucket | undefined => bucketOf(clock, perSecond, burst);
  const driver = new RateLimitDriver(store, clock, {
    requests: bucket(limits.requestsPerSecond),
    writes: bucket(limits.writesPerSecond),
    lists: bucket(limits.listsPerSecond),
    uploadBytes: bucket(limits.uploadBytesPerSecond),
    downloadBytes: bucket(limits.downloadBytesPerSecond),
  });
  return store.derive(driver, {}, parts);
}

function bucketOf(clock: Clock, perSecond: number | undefined, burst: number): TokenBucket | undefined {
  return perSecond === undefined ? undefined : new TokenBucket(clock, perSecond, Math.max(1, perSecond * burst));
}

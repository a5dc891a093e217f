/**
 * When records expire: the one policy of every read path and of retention. Pure.
 *
 * A record's own expiry wins over the log's time to live. A record has expired once its time has come, that moment
 * included. A placeholder of a repair has no expiry of its own.
 */
import { recordFlag } from "./format/record-layout.ts";
import type { RecordChecker } from "./record-check.ts";
import type { SegmentExpiry } from "./sealed-segment.ts";

/** The log's time to live, and the clock it is judged by. */
export interface ExpiryPolicy {
  /** µs; 0 when records without an expiry of their own live for ever. */
  readonly ttlUs: number;
  /** See `RetentionClock`. */
  nowUs(): number;
}

/** Whether the record at `at` of `checker`'s memory, checked and with its first 8 body bytes at hand, has expired. */
export function hasExpired(checker: RecordChecker, at: number, flags: number, policy: ExpiryPolicy): boolean {
  if (policy.ttlUs === 0 && (flags & recordFlag.expires) === 0) return false;
  const ownUs = checker.expiresAt(at);
  const atUs = ownUs > 0 ? ownUs : policy.ttlUs > 0 ? checker.timestampAt(at) + policy.ttlUs : Number.POSITIVE_INFINITY;
  return atUs <= policy.nowUs();
}

/** What a segment's footer, or the writer, says of all its records at once. */
export interface ExpiringRecords extends SegmentExpiry {
  readonly count: number;
  readonly lastTimestampUs: number;
}

/** When the last of the records expires, at the latest; infinite when one of them never does, or there are none. */
export function allExpireAtUs(records: ExpiringRecords, ttlUs: number): number {
  const { count, expiringCount, maxExpiresAtUs, lastTimestampUs } = records;
  if (count === 0) return Number.POSITIVE_INFINITY;
  const ownUs = expiringCount > 0 ? maxExpiresAtUs : 0;
  if (expiringCount >= count) return ownUs;
  return ttlUs > 0 ? Math.max(ownUs, lastTimestampUs + ttlUs) : Number.POSITIVE_INFINITY;
}

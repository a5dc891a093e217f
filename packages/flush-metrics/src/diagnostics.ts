/**
 * Every flush on `node:diagnostics_channel`, for tracers and debuggers: nothing is built or published while nobody
 * subscribes. Subscribers run inside the flush and should return at once; what one throws becomes an uncaught exception
 * of the process and never reaches the log.
 */
import { channel } from "node:diagnostics_channel";
import type { FlushTrigger } from "./flush-trigger.ts";

/** Channel names, each with its message: {@link FlushBeginMessage} and so on. */
export const flushChannels = {
  begin: "varve:flush:begin",
  success: "varve:flush:success",
  failure: "varve:flush:failure",
} as const;

/** Published on `varve:flush:begin` before the first byte is written. */
export interface FlushBeginMessage {
  /** `FlushMetricsSettings.name` of the log. */
  readonly name: string;
  readonly trigger: FlushTrigger;
  /** What this flush covers. */
  readonly records: number;
  readonly bytes: number;
  /** Monotonic time of its begin, microseconds. */
  readonly startedUs: number;
}

/** Published on `varve:flush:success` when the flush is counted. */
export interface FlushSuccessMessage extends FlushBeginMessage {
  readonly durationUs: number;
}

/** Published on `varve:flush:failure` when the failure is counted. */
export interface FlushFailureMessage extends FlushBeginMessage {
  readonly durationUs: number;
  /** As the writer reported it. */
  readonly error: unknown;
}

const begin = channel(flushChannels.begin);
const success = channel(flushChannels.success);
const failure = channel(flushChannels.failure);

/** What the three messages have in common. */
type Flush = Omit<FlushBeginMessage, "name">;

export function publishBegin(name: string, flush: Flush): void {
  if (begin.hasSubscribers) begin.publish(describe(name, flush) satisfies FlushBeginMessage);
}

export function publishSuccess(name: string, flush: Flush, durationUs: number): void {
  if (success.hasSubscribers) {
    success.publish({ ...describe(name, flush), durationUs } satisfies FlushSuccessMessage);
  }
}

export function publishFailure(name: string, flush: Flush, durationUs: number, error: unknown): void {
  if (failure.hasSubscribers) {
    failure.publish({ ...describe(name, flush), durationUs, error } satisfies FlushFailureMessage);
  }
}

/** A copy: the controller reuses its tokens, and a subscriber may keep the message. */
function describe(name: string, flush: Flush): FlushBeginMessage {
  return { name, trigger: flush.trigger, records: flush.records, bytes: flush.bytes, startedUs: flush.startedUs };
}

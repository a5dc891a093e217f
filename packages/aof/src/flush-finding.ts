/** What an analysis of flushes can find, as plain data. */
import type { AofSettings } from "./settings.ts";

/** Everything that an analysis can find. Codes are API; messages may change in any release. */
export const flushFindingCodes = [
  "FAILURES", // flushes failed: no setting helps
  "BACKPRESSURE", // appends were refused because the buffer was full
  "SMALL_BATCHES", // many flushes of few records each: their fixed part dominates
  "WAITING_CALLERS", // callers that wait one after another each pay for a whole flush
  "DEVICE", // the device is busy, and no bound of the strategy makes its flushes small: no setting helps
  "SLOW_TAIL", // most flushes are fast and some are many times slower: something else uses the device
  "SLOWER_THAN_BEFORE", // the window is slower than the log's whole life
  "BLOCKED_LOOP", // flushes run on the main thread and hold up the event loop
  "INTERVAL", // what is appended mostly waits for its interval to end
  "ROTATION", // segments are so small that beginning them costs
  "LATE_PREPARATION", // segments are full before their successor is ready
] as const;

/** One of {@link flushFindingCodes}. */
export type FlushFindingCode = (typeof flushFindingCodes)[number];

/** A setting that would help. */
export interface FlushAdvice {
  /** A setting's name, with a dot for a bound of the flush strategy or of the range it is tuned in. */
  readonly setting:
    | keyof AofSettings
    | "flushStrategy.kind"
    | "flushStrategy.batchSize"
    | "flushStrategy.intervalMs"
    | "autoTune.batchSize"
    | "autoTune.intervalMs";
  readonly direction: "up" | "down" | "change";
  /** What to try first, where that can be said. */
  readonly value?: number | string;
}

/** One thing that costs time. */
export interface FlushFinding {
  readonly code: FlushFindingCode;
  /** How much it weighs, 0..1: comparable between findings, and what they are ordered by. */
  readonly weight: number;
  /** What was found and what to do, in a sentence or two. */
  readonly message: string;
  /** What it was concluded from; the unit is in each name. */
  readonly numbers: Readonly<Record<string, number>>;
  /** Empty when no setting helps. */
  readonly advice: readonly FlushAdvice[];
}

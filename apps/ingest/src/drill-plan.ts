import { type FlushStrategy, parseFlushStrategy } from "@varve/flush-metrics";
import type { Random } from "@varve/fs-core";

/** One writer, and when it dies. */
export interface KillPlan {
  /** Counts from 1. */
  readonly round: number;
  readonly strategy: FlushStrategy;
  /** The writer stops before it appends beyond this record, and waits to be killed. */
  readonly untilId: number;
  /** It is killed once this record is acknowledged, */
  readonly killAtId: number;
  /** and so many milliseconds have passed: whatever it is doing then is cut in the middle. */
  readonly delayMs: number;
  /** For what it appends how. */
  readonly seed: number;
}

/** Writers take turns with these, so that each way of flushing by itself meets a kill. */
export const strategies: readonly FlushStrategy[] = [
  "batched-or-periodic:500:5",
  "sync",
  "async",
  "batched:200",
  "periodic:4",
].map(parseFlushStrategy);

const delayMsMax = 3;

/**
 * Divides the records among `kills` writers and the one that finishes, and picks for each kill a record somewhere in
 * the writer's share. The same random numbers give the same plan.
 */
export function planKills(records: number, kills: number, random: Random): KillPlan[] {
  const plans: KillPlan[] = [];
  let begun = 0;
  for (let round = 1; round <= kills; round++) {
    const untilId = Math.floor((records * round) / (kills + 1));
    plans.push({
      round,
      strategy: strategies[(round - 1) % strategies.length] as FlushStrategy,
      untilId,
      killAtId: Math.min(untilId, begun + 1 + random.int(Math.max(1, untilId - begun))),
      delayMs: random.int(delayMsMax + 1),
      seed: random.int(2 ** 32),
    });
    begun = untilId;
  }
  return plans;
}

/** How large the log's segments and its buffer are for such an input. */
export interface LogSizing {
  readonly segmentSizeBytes: number;
  readonly bufferBytes: number;
}

/**
 * About eight segments, so that a run of any size rotates and seals some; and room for the longest record.
 * @param recordBytes payload bytes of all records
 */
export function sizeLog(records: number, recordBytes: number, longestBytes: number): LogSizing {
  const KiB = 1024;
  const MiB = 1024 * KiB;
  const aboutEight = Math.min(64 * MiB, Math.max(64 * KiB, (recordBytes + records * 40) / 8));
  const segmentSizeBytes = Math.ceil(Math.max(aboutEight, longestBytes + 4 * KiB) / (4 * KiB)) * 4 * KiB;
  return { segmentSizeBytes, bufferBytes: Math.max(8 * MiB, 2 * longestBytes + MiB) };
}

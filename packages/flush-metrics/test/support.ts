/** What the tests of this package share: metrics on a clock under control, and flushes of a given length. */
import type { Clock } from "@varve/fs-core";
import { ManualClock } from "@varve/fs-core/testing";
import {
  FlushController,
  FlushMetrics,
  type FlushMetricsSettings,
  type FlushStrategy,
  type FlushTrigger,
  resolveFlushStrategy,
} from "../src/index.ts";

export interface Bench {
  readonly clock: ManualClock;
  readonly metrics: FlushMetrics;
  readonly controller: FlushController;
  /** Appends, begins, lets time pass and succeeds. */
  readonly flush: (records: number, bytes: number, durationUs: number, trigger?: FlushTrigger) => void;
}

export function openBench(
  strategy: FlushStrategy = { kind: "batched", batchSize: 10 },
  settings: FlushMetricsSettings = {},
): Bench {
  const clock = new ManualClock();
  const metrics = new FlushMetrics(settings, { clock });
  const controller = new FlushController(resolveFlushStrategy(strategy), { clock, metrics });
  const flush: Bench["flush"] = (records, bytes, durationUs, trigger = "forced") => {
    if (records > 0) controller.recordAppend(records, bytes);
    const token = controller.begin(trigger);
    clock.advance(durationUs / 1000);
    controller.succeed(token);
  };
  return { clock, metrics, controller, flush };
}

/** A clock whose monotonic side breaks its promise and can be set anywhere. */
export function unsteadyClock(): Clock & { nowUs: number } {
  const manual = new ManualClock();
  const clock = {
    nowUs: 0,
    wallUs: () => manual.wallUs(),
    monotonicUs: () => clock.nowUs,
    after: manual.after.bind(manual),
    defer: manual.defer.bind(manual),
    sleep: manual.sleep.bind(manual),
  };
  return clock;
}

/** The value that at least `percent` of the sorted values do not exceed: what a histogram approximates. */
export function exactPercentile(sorted: readonly number[], percent: number): number | undefined {
  // In whole thousandths of a percent: 99.9 % of 5000 is the 4995th value, and 4995.000000000001 would be the next.
  const rank = Math.ceil((Math.round(percent * 1000) * sorted.length) / 100_000);
  return sorted[Math.max(1, rank) - 1];
}

/** Every property test of this package replays from here; fast-check prints it with a failure. */
export const seed = 20_240_607;

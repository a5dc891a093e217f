/**
 * Watches the flushes of a log and moves the bounds of its strategy within what the settings allow. It has no timer: it
 * is asked after writes, because a log that writes nothing has nothing to tune, and it must not keep a process alive.
 *
 * Always true: between two changes lie `everyMs` at least, and eight flushes or eight times `everyMs`; one bound moves at
 * a time, the one that most flushes were triggered by. A pause is time in which the device was idle, so a log that is
 * busy only in bursts shorter than a period is tuned as an idle one.
 */
import type { Clock } from "@varve/fs-core";
import type { FlushController, FlushMetrics } from "@varve/flush-metrics";
import { channel } from "node:diagnostics_channel";
import type { ResolvedAutoTuneSettings, TuneRange } from "./auto-tune-settings.ts";
import { aofChannels } from "./background-error-feed.ts";
import { nextTuning, type TuningObservation, type TuningState } from "./tuning-step.ts";

/** The bounds that can be tuned. */
export type TunedBound = "batchSize" | "intervalMs";

/** Published on `varve:aof:tuned` when a bound moved. */
export interface TunedMessage {
  /** `FlushMetricsSettings.name` of the log. */
  readonly name: string;
  readonly bound: TunedBound;
  readonly from: number;
  readonly to: number;
  /** What led to it. */
  readonly observation: TuningObservation;
}

export interface AutoTunerParts {
  readonly clock: Clock;
  readonly controller: FlushController;
}

/** Fewer flushes say too little about a mean. */
const minFlushes = 8;
/** Below so many flushes in the last minute the P99 is nothing but the slowest of them, and P90 is compared instead. */
const minFlushesForP99 = 100;
/** Flushes so rare that even these do not come in as many periods tell that the device is idle. */
const maxPeriods = 8;

const tuned = channel(aofChannels.tuned);

interface Counts {
  readonly atUs: number;
  readonly flushes: number;
  readonly batched: number;
  readonly periodic: number;
  readonly records: number;
  readonly timeUs: number;
}

export class AutoTuner {
  readonly #settings: ResolvedAutoTuneSettings;
  readonly #parts: AutoTunerParts;
  readonly #states: Record<TunedBound, TuningState | undefined> = { batchSize: undefined, intervalMs: undefined };
  #begin: Counts;

  constructor(settings: ResolvedAutoTuneSettings, parts: AutoTunerParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#begin = this.#count();
  }

  /** After each write. Looks at the clock, and once per period at the metrics. */
  afterWrite(): void {
    const nowUs = this.#parts.clock.monotonicUs();
    const periods = (nowUs - this.#begin.atUs) / (this.#settings.everyMs * 1000);
    if (periods < 1) return;
    const end = this.#count();
    const flushes = end.flushes - this.#begin.flushes;
    if (flushes === 0 || (flushes < minFlushes && periods < maxPeriods)) return;
    const bound = this.#boundOf(this.#begin, end);
    if (bound !== undefined) this.#tune(bound, this.#settings[bound] as TuneRange, end);
    this.#begin = end;
  }

  #tune(bound: TunedBound, range: TuneRange, end: Counts): void {
    const { controller } = this.#parts;
    const from = this.#valueOf(bound);
    const observation = this.#observe(bound, end);
    const state = nextTuning(this.#states[bound] ?? { value: from }, observation, range, this.#settings.targetP99Us);
    // What the other bound had tried is not comparable any more.
    const other: TunedBound = bound === "batchSize" ? "intervalMs" : "batchSize";
    this.#states[other] = undefined;
    this.#states[bound] = state;
    if (state.value === from) return;
    controller.setBounds({ [bound]: state.value });
    if (tuned.hasSubscribers) {
      const { name } = controller.metrics.settings;
      tuned.publish({ name, bound, from, to: state.value, observation } satisfies TunedMessage);
    }
  }

  #observe(bound: TunedBound, end: Counts): TuningObservation {
    const begin = this.#begin;
    const flushes = end.flushes - begin.flushes;
    const elapsedUs = Math.max(1, end.atUs - begin.atUs);
    const timeUs = Math.max(1, end.timeUs - begin.timeUs);
    const meanUs = timeUs / flushes;
    return {
      busyShare: Math.min(1, timeUs / elapsedUs),
      meanUs,
      p99Us: meanUs * tailRatio(this.#parts.controller.metrics),
      recordsPerFlushSecond: ((end.records - begin.records) / timeUs) * 1e6,
      reached: bound === "batchSize" ? (end.records - begin.records) / flushes : elapsedUs / flushes / 1000,
    };
  }

  /** The bound that triggers at least half of all flushes, if it may move; callers that wait trigger the others. */
  #boundOf(begin: Counts, end: Counts): TunedBound | undefined {
    const batched = end.batched - begin.batched;
    const periodic = end.periodic - begin.periodic;
    if ((batched + periodic) * 2 < end.flushes - begin.flushes) return undefined;
    const bound = batched >= periodic ? "batchSize" : "intervalMs";
    return this.#settings[bound] === undefined ? undefined : bound;
  }

  #valueOf(bound: TunedBound): number {
    return (this.#parts.controller.strategy as Partial<Record<TunedBound, number>>)[bound] as number;
  }

  #count(): Counts {
    const { metrics } = this.#parts.controller;
    return {
      atUs: this.#parts.clock.monotonicUs(),
      flushes: metrics.successfulFlushes,
      batched: metrics.batchedFlushes,
      periodic: metrics.periodicFlushes,
      records: metrics.totalRecordsFlushed,
      timeUs: metrics.totalFlushTimeUs,
    };
  }
}

/**
 * How much longer than the mean the slow flushes of the last minute were. The window is older than the period, so its
 * own P99 would still show what was tuned away; the ratio carries over.
 */
function tailRatio(metrics: FlushMetrics): number {
  const { count, mean, p90, p99 } = metrics.flushLatency.summary("lastMinute");
  const tail = count >= minFlushesForP99 ? p99 : p90;
  return mean === undefined || tail === undefined || mean === 0 ? 1 : Math.max(1, tail / mean);
}

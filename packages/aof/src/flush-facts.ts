/** What the rules of an analysis look at: one window of a log's flushes, as numbers. */
import type { HistogramSummary, HistogramWindow, ResolvedFlushStrategy } from "@varve/flush-metrics";
import type { ResolvedAutoTuneSettings } from "./auto-tune-settings.ts";
import type { AofMetricsSnapshot } from "./metrics.ts";
import type { FlushOn, ResolvedAofSettings } from "./settings.ts";

/** What {@link FlushFacts} are taken from. An `Aof` answers all of it; a stored snapshot does as well. */
export interface FlushAnalysisInput {
  readonly metrics: AofMetricsSnapshot;
  /** `log.options`. Without it, nothing is said about settings that have to be known first. */
  readonly settings?: Pick<
    ResolvedAofSettings,
    | "flushOn"
    | "bufferBytes"
    | "segmentSizeBytes"
    | "segmentMaxRecords"
    | "preAllocateEnabled"
    | "preAllocateThreshold"
    | "flushStrategy"
    | "autoTune"
  >;
  /** `log.flushStrategyInForce`. Default: the one in `settings`. */
  readonly strategy?: ResolvedFlushStrategy;
}

/** One window of flushes. Times in microseconds, shares 0..1. */
export interface FlushFacts {
  readonly window: HistogramWindow;
  /** How much time the window covers. */
  readonly spanUs: number;
  readonly flushes: number;
  readonly failures: number;
  readonly records: number;
  readonly bytes: number;
  readonly latency: HistogramSummary;
  readonly recordsPerFlush: HistogramSummary;
  /** Of all time: what to compare the window with. */
  readonly lifetimeLatency: HistogramSummary;
  /** Time inside flushes ÷ time. */
  readonly busyShare: number;
  /** Flushes since the start by what made them begin, as shares of all. */
  readonly triggers: Readonly<Record<"forced" | "periodic" | "batched" | "sync" | "rotation" | "backpressure", number>>;
  /** Since the start. */
  readonly backpressureEvents: number;
  /** Segments that were full before their successor was ready, as a share of those begun after the first. */
  readonly latePreparationShare: number;
  readonly latePreparations: number;
  readonly appends: number;
  /** Segments begun per minute since the start, but for the first; a shorter life counts as a minute. */
  readonly rotationsPerMinute: number;
  /** Mean over the segments begun so far. */
  readonly recordsPerSegment: number;
  readonly strategy: ResolvedFlushStrategy | undefined;
  /** Bounds that the log moves by itself, and how far. */
  readonly autoTune: ResolvedAutoTuneSettings | undefined;
  readonly flushOn: FlushOn | undefined;
  readonly bufferBytes: number | undefined;
  readonly segmentSizeBytes: number | undefined;
  readonly segmentMaxRecords: number | undefined;
  readonly preAllocateEnabled: boolean | undefined;
  readonly preAllocateThreshold: number | undefined;
}

/** Means of what a window covers: it ends now and begins 50 to 60 s, or 9 to 10 min, ago. */
const windowSpanUs: Readonly<Record<HistogramWindow, number>> = {
  lastMinute: 55e6,
  lastTenMinutes: 570e6,
  lifetime: Number.POSITIVE_INFINITY,
};
/** Fewer flushes than this say too little; a longer window is looked at instead. */
const enoughFlushes = 20;

/** The shortest window that has enough flushes in it, the lifetime when none has. */
export function chooseWindow({ flush }: AofMetricsSnapshot): HistogramWindow {
  if (flush.flushLatency.lastMinute.count >= enoughFlushes) return "lastMinute";
  return flush.flushLatency.lastTenMinutes.count >= enoughFlushes ? "lastTenMinutes" : "lifetime";
}

/** Puts the facts of a window together. */
export function flushFacts(input: FlushAnalysisInput, window: HistogramWindow): FlushFacts {
  const { metrics, settings } = input;
  const { flush } = metrics;
  const latency = flush.flushLatency[window];
  const spanUs = Math.max(1, Math.min(metrics.uptimeUs, windowSpanUs[window]));
  const rotations = Math.max(0, metrics.segmentsCreated - 1);
  const share = (count: number): number => (flush.totalFlushes === 0 ? 0 : count / flush.totalFlushes);
  return {
    window,
    spanUs,
    flushes: latency.count,
    failures: flush.failureLatency[window].count,
    records: flush.recordsPerFlush[window].sum,
    bytes: flush.bytesPerFlush[window].sum,
    latency,
    recordsPerFlush: flush.recordsPerFlush[window],
    lifetimeLatency: flush.flushLatency.lifetime,
    busyShare: Math.min(1, latency.sum / spanUs),
    triggers: {
      forced: share(flush.forcedFlushes),
      periodic: share(flush.periodicFlushes),
      batched: share(flush.batchedFlushes),
      sync: share(flush.syncFlushes),
      rotation: share(flush.rotationFlushes),
      backpressure: share(flush.backpressureFlushes),
    },
    backpressureEvents: metrics.backpressureEvents,
    latePreparations: metrics.latePreparations,
    latePreparationShare: metrics.latePreparations / Math.max(1, rotations),
    appends: metrics.totalAppends,
    rotationsPerMinute: rotations / Math.max(1, metrics.uptimeUs / 60e6),
    recordsPerSegment: metrics.totalAppends / Math.max(1, metrics.segmentsCreated),
    strategy: input.strategy ?? settings?.flushStrategy,
    autoTune: settings?.autoTune,
    flushOn: settings?.flushOn,
    bufferBytes: settings?.bufferBytes,
    segmentSizeBytes: settings?.segmentSizeBytes,
    segmentMaxRecords: settings?.segmentMaxRecords,
    preAllocateEnabled: settings?.preAllocateEnabled,
    preAllocateThreshold: settings?.preAllocateThreshold,
  };
}

/**
 * A log's numbers for Prometheus and OpenTelemetry: its own counters next to those of its flushes, in one text and one
 * binding. Names, units and meanings are data, exported by the machinery of the flush metrics.
 */
import {
  describeMetric,
  type FlushMetricsSnapshot,
  metricDescriptors,
  type MetricDescriptor,
  type MetricDescriptorExtra,
  type MetricKind,
  type MetricUnit,
  observeOpenTelemetry,
  type OpenTelemetryBinding,
  type OpenTelemetryMeter,
  type OpenTelemetryOptions,
  type PrometheusOptions,
  writePrometheusText,
} from "@varve/flush-metrics";
import { type AofMetricsSnapshot, cacheHitRate } from "./metrics.ts";

/** A log's numbers side by side with those of its flushes, and what is computed from them. */
export interface ExportedAofMetrics extends Omit<AofMetricsSnapshot, "flush">, FlushMetricsSnapshot {
  /** Percent, undefined before the first look-up. */
  readonly cacheHitRate: number | undefined;
}

function describe(
  field: keyof Omit<AofMetricsSnapshot, "flush"> | "cacheHitRate",
  name: string,
  kind: MetricKind,
  unit: MetricUnit,
  meaning: string,
  extra: MetricDescriptorExtra = {},
): MetricDescriptor<ExportedAofMetrics> {
  return describeMetric<ExportedAofMetrics>(field, name, kind, unit, meaning, extra);
}

const microseconds: MetricDescriptorExtra = { divisor: 1e6 };

/** Name, unit and meaning of every number that a log itself keeps, in the order in which they are exported. */
export const aofMetricDescriptors: readonly MetricDescriptor<ExportedAofMetrics>[] = Object.freeze([
  describe("totalAppends", "appends", "counter", "{record}", "Records appended, batches counted by record."),
  describe("totalAppendedBytes", "appended.bytes", "counter", "By", "Payload bytes appended."),
  describe("totalReads", "reads", "counter", "{record}", "Records handed to readers."),
  describe("cacheHits", "cache.hits", "counter", "{lookup}", "Segment files that were open when a reader needed them."),
  describe("cacheMisses", "cache.misses", "counter", "{lookup}", "Segment files that had to be opened for a reader."),
  describe(
    "cacheEvictions",
    "cache.evictions",
    "counter",
    "{segment}",
    "Segment files closed to make room for others.",
  ),
  describe("cacheHitRate", "cache.hit_rate", "gauge", "%", "Hits in percent of look-ups, none before the first."),
  describe("blockCacheHits", "blocks.hits", "counter", "{lookup}", "Reads by id that found their record in memory."),
  describe("blockCacheMisses", "blocks.misses", "counter", "{lookup}", "Reads by id that did not."),
  describe("blockCacheEvictions", "blocks.evictions", "counter", "{segment}", "Blocks that made room for others."),
  describe("blockCacheBytes", "blocks.bytes", "gauge", "By", "What the block cache holds."),
  describe("segmentsCreated", "segments.created", "counter", "{segment}", "Segments begun."),
  describe("segmentsFinalized", "segments.finalized", "counter", "{segment}", "Segments sealed."),
  describe("backpressureEvents", "backpressure", "counter", "{event}", "Appends refused because buffers were full."),
  describe(
    "sinceBackpressureUs",
    "backpressure.age",
    "gauge",
    "s",
    "Time since an append was last refused, none before the first.",
    microseconds,
  ),
  describe(
    "latePreparations",
    "preparations.late",
    "counter",
    "{event}",
    "Segments that were full before their successor was ready.",
  ),
  describe(
    "sinceLatePreparationUs",
    "preparations.late_age",
    "gauge",
    "s",
    "Time since the last of them, none before the first.",
    microseconds,
  ),
  describe("trimmedRecords", "trimmed.records", "counter", "{record}", "Records removed by trims and retention."),
  describe("trimmedSegments", "trimmed.segments", "counter", "{segment}", "Segment files that went with them."),
  describe("trimmedBytes", "trimmed.bytes", "counter", "By", "Bytes of those files."),
  describe("cursors", "cursors", "gauge", "{cursor}", "Named cursors there are."),
  describe("duplicates", "duplicates", "counter", "{event}", "Appends that a dedupe key answered."),
  describe("readAheadBytes", "read_ahead.bytes", "gauge", "By", "Buffers that readers hold to read ahead."),
  describe("openReaders", "readers.open", "gauge", "{reader}", "Readers that are open."),
  describe("bufferedBytes", "buffered.bytes", "gauge", "By", "Appended bytes that are not written yet."),
  describe("uptimeUs", "uptime", "gauge", "s", "Time since the log was opened.", microseconds),
]);

/** The log's own, then those of its flushes. */
const allDescriptors: readonly MetricDescriptor<ExportedAofMetrics>[] = [
  ...aofMetricDescriptors,
  ...(metricDescriptors as readonly MetricDescriptor<ExportedAofMetrics>[]),
];

/**
 * Everything that `log.performanceMetrics()` answers as Prometheus text, flush metrics included; send it as
 * `prometheusContentType` of `@varve/flush-metrics`.
 * @param metrics a stored one of an older version serves as well: what it lacks is left out
 * @returns text ending in a newline; two logs' texts may not simply be joined, because a family may appear only once
 * @throws RangeError listing every prefix or label name that Prometheus would refuse
 */
export function aofPrometheusText(metrics: AofMetricsSnapshot, options: PrometheusOptions = {}): string {
  return writePrometheusText(allDescriptors, flatten(metrics), options);
}

/**
 * Observes everything that `log.performanceMetrics()` answers whenever the meter collects, by one snapshot per
 * collection. Replaces `bindOpenTelemetry` for the log's flush metrics. Unbind before or after closing the log; in
 * between its last values are reported.
 * @param meter of any SDK; give each log its own `attributes` when several share a meter
 */
export function bindAofOpenTelemetry(
  meter: OpenTelemetryMeter,
  log: { performanceMetrics(): AofMetricsSnapshot },
  options: OpenTelemetryOptions = {},
): OpenTelemetryBinding {
  return observeOpenTelemetry(meter, allDescriptors, () => flatten(log.performanceMetrics()), options);
}

function flatten(metrics: AofMetricsSnapshot): ExportedAofMetrics {
  const { flush, ...own } = metrics;
  return { ...flush, ...own, cacheHitRate: cacheHitRate(metrics) };
}

/**
 * Name, unit and meaning of every metric, once: the Prometheus text, the OpenTelemetry instruments and the README's
 * table are made from or checked against this list.
 */
import type { FlushMetricsSnapshot } from "./snapshot.ts";

/**
 * `counter` never decreases while the process lives; `gauge` is a value of the moment; `distribution` is a set of
 * percentiles over the windows of a histogram.
 */
export type MetricKind = "counter" | "gauge" | "distribution";

/** Exported unit in UCUM notation, as OpenTelemetry writes it. Time is exported in seconds, shares in percent. */
export type MetricUnit =
  | "s"
  | "By"
  | "%"
  | "{flush}"
  | "{record}"
  | "{value}"
  | "{segment}"
  | "{reader}"
  | "{cursor}"
  | "{lookup}"
  | "{event}"
  | "{record}/s"
  | "By/s"
  | "By/{record}"
  | "{record}/{flush}";

/** One field of a snapshot as a metric. Fields with the same `name` are one metric with different labels. */
export interface MetricDescriptor<Snapshot = FlushMetricsSnapshot> {
  /** Where the value is in the snapshot, a {@link FlushMetricsSnapshot} unless somebody else's is described. */
  readonly field: keyof Snapshot & string;
  /** Dotted name, without the prefix that the exporter adds. */
  readonly name: string;
  readonly kind: MetricKind;
  readonly unit: MetricUnit;
  /** Exported value = field value / divisor. */
  readonly divisor: number;
  readonly meaning: string;
  /** Labels that tell this field from others of the same name. */
  readonly labels: Readonly<Record<string, string>>;
  /** For a field that is a record of numbers: the label that carries the record's keys. */
  readonly keyLabel: string | undefined;
}

/** What a descriptor may leave out: a divisor of 1, no labels, no record of numbers. */
export type MetricDescriptorExtra = Partial<Pick<MetricDescriptor, "divisor" | "labels" | "keyLabel">>;
type Extra = MetricDescriptorExtra;

/**
 * Describes a field of any snapshot, frozen, so that {@link writePrometheusText} and {@link observeOpenTelemetry} can
 * export it as they export the flush metrics.
 * @param name dotted; fields of one name follow each other in a list of descriptors
 */
export function describeMetric<Snapshot>(
  field: keyof Snapshot & string,
  name: string,
  kind: MetricKind,
  unit: MetricUnit,
  meaning: string,
  extra: Extra = {},
): MetricDescriptor<Snapshot> {
  const { divisor = 1, labels = {}, keyLabel } = extra;
  return Object.freeze({ field, name, kind, unit, divisor, meaning, labels: Object.freeze(labels), keyLabel });
}

const describe = describeMetric<FlushMetricsSnapshot>;

const microseconds: Extra = { divisor: 1e6 };

function triggered(field: keyof FlushMetricsSnapshot, trigger: string): MetricDescriptor {
  return describe(field, "flushes.triggered", "counter", "{flush}", "Finished flushes by what made them begin.", {
    labels: { trigger },
  });
}

/** In the order in which they are exported. */
export const metricDescriptors: readonly MetricDescriptor[] = Object.freeze([
  describe("totalFlushes", "flushes", "counter", "{flush}", "Finished flushes, whatever their outcome."),
  describe(
    "successfulFlushes",
    "flushes.successful",
    "counter",
    "{flush}",
    "Flushes after which all they covered was durable.",
  ),
  describe(
    "failedFlushes",
    "flushes.failed",
    "counter",
    "{flush}",
    "Flushes that failed; their records stayed pending.",
  ),
  describe("flushesInFlight", "flushes.in_flight", "gauge", "{flush}", "Flushes begun and not finished."),
  triggered("forcedFlushes", "forced"),
  triggered("periodicFlushes", "periodic"),
  triggered("batchedFlushes", "batched"),
  triggered("syncFlushes", "sync"),
  triggered("rotationFlushes", "rotation"),
  triggered("shutdownFlushes", "shutdown"),
  triggered("backpressureFlushes", "backpressure"),
  describe(
    "failuresByCode",
    "flush.failures",
    "counter",
    "{flush}",
    "Failed flushes by error code; OTHER beyond 16 codes.",
    {
      keyLabel: "code",
    },
  ),
  describe(
    "consecutiveFailures",
    "flush.consecutive_failures",
    "gauge",
    "{flush}",
    "Failed flushes since the last successful one.",
  ),
  describe("totalRecordsFlushed", "flushed.records", "counter", "{record}", "Records covered by successful flushes."),
  describe("totalBytesFlushed", "flushed.bytes", "counter", "By", "Bytes covered by successful flushes."),
  describe("pendingRecords", "pending.records", "gauge", "{record}", "Records appended and not in a successful flush."),
  describe("pendingBytes", "pending.bytes", "gauge", "By", "Bytes appended and not in a successful flush."),
  describe("totalFlushTimeUs", "flush.time", "counter", "s", "Time spent in successful flushes.", microseconds),
  describe("totalFailureTimeUs", "flush.failure_time", "counter", "s", "Time spent in failed flushes.", microseconds),
  describe("longestFlushUs", "flush.longest", "gauge", "s", "Longest successful flush since the start.", microseconds),
  describe(
    "shortestFlushUs",
    "flush.shortest",
    "gauge",
    "s",
    "Shortest successful flush since the start.",
    microseconds,
  ),
  describe(
    "averageFlushLatencyUs",
    "flush.average",
    "gauge",
    "s",
    "Mean duration of successful flushes since the start.",
    microseconds,
  ),
  describe(
    "lastFlushAgeUs",
    "flush.age",
    "gauge",
    "s",
    "Time since the last successful flush ended, none before the first.",
    microseconds,
  ),
  describe(
    "recordsPerSecond",
    "throughput.records",
    "gauge",
    "{record}/s",
    "Records made durable per second of real time, moving average.",
  ),
  describe(
    "bytesPerSecond",
    "throughput.bytes",
    "gauge",
    "By/s",
    "Bytes made durable per second of real time, moving average.",
  ),
  describe(
    "flushServiceRate",
    "flush.service_rate",
    "gauge",
    "{record}/s",
    "Records per second of time spent inside flushes: the device's speed, not the log's.",
  ),
  describe("averageRecordSize", "record.size", "gauge", "By/{record}", "Mean bytes of a flushed record."),
  describe(
    "flushSuccessRate",
    "flush.success_rate",
    "gauge",
    "%",
    "Successful flushes in percent of finished ones; 100 when none has finished.",
  ),
  describe(
    "batchEfficiency",
    "flush.batch_efficiency",
    "gauge",
    "{record}/{flush}",
    "Mean records per successful flush.",
  ),
  describe(
    "clampedValues",
    "values.clamped",
    "counter",
    "{value}",
    "Recorded values above the range of their distribution.",
  ),
  describe("flushLatency", "flush.latency", "distribution", "s", "Duration of successful flushes.", microseconds),
  describe("recordsPerFlush", "flush.records", "distribution", "{record}", "Records covered by a successful flush."),
  describe("bytesPerFlush", "flush.bytes", "distribution", "By", "Bytes covered by a successful flush."),
  describe("failureLatency", "flush.failure_latency", "distribution", "s", "Duration of failed flushes.", microseconds),
]);

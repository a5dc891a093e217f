/**
 * When a log should flush, and what happened when it did. A {@link FlushController} decides over a strategy and a
 * clock; {@link FlushMetrics} counts, for a dashboard, Prometheus or OpenTelemetry.
 * @packageDocumentation
 */

// Start here.
export { type FlushBounds, FlushController, type FlushControllerParts, type FlushToken } from "./flush-controller.ts";
export { FlushMetrics, type FlushMetricsParts } from "./flush-metrics.ts";
export type { FlushMetricsSettings, ResolvedFlushMetricsSettings } from "./settings.ts";

// Strategies and triggers, as data.
export {
  defaultFlushStrategy,
  defaultMaxPendingBytes,
  resolveFlushStrategy,
  type AsyncFlushStrategy,
  type BatchedFlushStrategy,
  type BatchedOrPeriodicFlushStrategy,
  type FlushStrategy,
  type PeriodicFlushStrategy,
  type ResolvedFlushStrategy,
  type SyncFlushStrategy,
} from "./flush-strategy.ts";
export { flushStrategyForms, formatFlushStrategy, parseFlushStrategy } from "./flush-strategy-text.ts";
export { flushTriggers, type FlushTrigger } from "./flush-trigger.ts";

// What can be read.
export type { FlushCounters } from "./flush-counters.ts";
export type { HistogramDigits, HistogramEngine } from "./histograms.ts";
export type { DistributionSnapshot, FlushMetricsSnapshot } from "./snapshot.ts";
export type { HistogramSummary, HistogramView, HistogramWindow } from "./histogram-view.ts";

// Where it can go.
export {
  describeMetric,
  metricDescriptors,
  type MetricDescriptor,
  type MetricDescriptorExtra,
  type MetricKind,
  type MetricUnit,
} from "./descriptors.ts";
export {
  flushChannels,
  type FlushBeginMessage,
  type FlushFailureMessage,
  type FlushSuccessMessage,
} from "./diagnostics.ts";
export {
  bindOpenTelemetry,
  observeOpenTelemetry,
  type OpenTelemetryBinding,
  type OpenTelemetryInstrument,
  type OpenTelemetryMeter,
  type OpenTelemetryOptions,
  type OpenTelemetryResult,
} from "./open-telemetry.ts";
export {
  prometheusContentType,
  prometheusName,
  toPrometheusText,
  writePrometheusText,
  type PrometheusOptions,
} from "./prometheus.ts";

// Errors.
export {
  FlushMetricsError,
  flushMetricsErrorCodes,
  isFlushMetricsError,
  type FlushMetricsErrorCode,
} from "./errors.ts";

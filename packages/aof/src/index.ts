/**
 * An append-only log on local disk: acknowledged records are durable, ordered, and readable by id. Start at
 * {@link Aof.open}; look at a log that another process writes with {@link openReadOnly}. What lies on disk is described
 * in `../FORMAT.md`.
 * @packageDocumentation
 */

// Start here.
export { Aof, type AofState } from "./aof.ts";
export { openReadOnly, ReadOnlyLog, type ReadOnlySettings } from "./read-only-log.ts";
export { verifyLog, type VerifyOptions, type VerifyProblem, type VerifyProgress, type VerifyReport } from "./verify.ts";
export { repairLog, type RepairReport, type RepairSettings } from "./repair.ts";
export { rewrapKeys, type RewrapSettings } from "./rewrap-keys.ts";

// Appending.
export type { AppendConditions, Durability } from "./append-conditions.ts";
export type { DedupeWindowSettings, ResolvedDedupeWindow } from "./dedupe-window.ts";
export type { AppendOptions, BatchRecord, DurableAppendOptions } from "./record-input.ts";
export type { AppendedBatch } from "./log-writer.ts";

// Reading.
export type { ReadFrom, ReadOptions } from "./read-options.ts";
export type { Visibility } from "./log-view.ts";
export type { AofRecord } from "./record.ts";
export type { RecordHeaders } from "./content/attributes.ts";
export { RecordBatch } from "./record-batch.ts";
export type { BatchReader, RecordReader } from "./log-reader.ts";
export { toNodeStream, toWebStream, type NodeStreamOptions, type ReaderSource } from "./streams.ts";

// Leaving the log.
export { Cursor, type CursorOptions, type CursorTarget, type CursorWaitOptions } from "./cursor.ts";
export type { RetentionReport, TrimOptions, TrimReport } from "./retention-report.ts";
export type { RetentionHold } from "./retention-gate.ts";
export type { PlannedRemoval, RetentionReason } from "./retention-plan.ts";
export type { ResolvedRetention, RetentionSettings } from "./retention-settings.ts";

// Settings and parts.
export {
  type AofSettings,
  type CompressionSettings,
  defaultAofSettings,
  defaultAofSettings as defaultAofOptions,
  type FlushOn,
  maxPayloadBytes,
  type RecoveryMode,
  type ResolvedAofSettings,
  resolveAofSettings,
} from "./settings.ts";
export type { AutoTuneSettings, ResolvedAutoTuneSettings, TuneRange } from "./auto-tune-settings.ts";
export type { TunedBound, TunedMessage } from "./auto-tuner.ts";
export type { TuningObservation } from "./tuning-step.ts";
export type { AofParts } from "./parts.ts";
export { aofOptions, type AofOptionsBuilder, type AofSettingSteps } from "./options-builder.ts";
export { type AofPreset, type AofPresetName, archivePresets, type ArchivePreset, presets } from "./presets.ts";

// Keys.
export { localKeyRing, type LocalKeyRingSettings } from "./keys/local-key-ring.ts";
export type { KeyCallOptions, KeyContext, KeyProvider, WrappedKey } from "./keys/key-provider.ts";
export type { RewrapOptions, RewrapReport } from "./keys/rewrap.ts";

// What happened.
export type { SegmentInfo } from "./segment-info.ts";
export { type AofMetricsSnapshot, cacheHitRate } from "./metrics.ts";
export {
  aofMetricDescriptors,
  aofPrometheusText,
  bindAofOpenTelemetry,
  type ExportedAofMetrics,
} from "./metric-exports.ts";
export {
  assessHealth,
  type HealthError,
  type HealthReason,
  type HealthReasonCode,
  healthReasonCodes,
  type HealthReport,
  type HealthSnapshot,
  type HealthStatus,
} from "./health.ts";
export {
  aofChannels,
  type BackgroundErrorEvent,
  type BackgroundErrorListener,
  type BackgroundErrorMessage,
} from "./background-error-feed.ts";
export {
  type AlertEvent,
  monitor,
  type Monitor,
  type MonitoredLog,
  type MonitorParts,
  type MonitorReport,
  type MonitorSettings,
  type RaisedAlert,
} from "./monitor.ts";
export {
  type AdaptiveRule,
  defaultMonitorRules,
  type HealthRule,
  type MonitorRule,
  type ThresholdRule,
} from "./monitor-rules.ts";
export { type MonitoredValueName, monitoredValueNames, type MonitoredValues } from "./monitor-values.ts";
export {
  type AnalyzableLog,
  analyzeFlushes,
  type FlushAnalysis,
  type FlushWindowSummary,
  formatFlushAnalysis,
} from "./flush-analysis.ts";
export type { FlushAnalysisInput } from "./flush-facts.ts";
export { type FlushAdvice, type FlushFinding, type FlushFindingCode, flushFindingCodes } from "./flush-finding.ts";
export type { LostRange, RecoveryReport, TornTail } from "./recovery-report.ts";
export type { IndexOpening } from "./index-keeper.ts";

// Errors.
export { AofError, type AofErrorCode, type AofErrorContext, aofErrorCodes, isAofError } from "./errors.ts";

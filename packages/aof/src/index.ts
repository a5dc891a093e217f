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

// Appending.
export type { AppendOptions, DurableAppendOptions } from "./record-input.ts";
export type { AppendedBatch } from "./log-writer.ts";

// Reading.
export type { ReadFrom, ReadOptions } from "./read-options.ts";
export type { Visibility } from "./log-view.ts";
export type { AofRecord } from "./record.ts";
export { RecordBatch } from "./record-batch.ts";
export type { BatchReader, RecordReader } from "./log-reader.ts";

// Leaving the log.
export { Cursor, type CursorOptions, type CursorTarget, type CursorWaitOptions } from "./cursor.ts";
export type { RetentionReport, TrimOptions, TrimReport } from "./retention-report.ts";
export type { RetentionHold } from "./retention-gate.ts";
export type { PlannedRemoval, RetentionReason } from "./retention-plan.ts";
export type { ResolvedRetention, RetentionSettings } from "./retention-settings.ts";

// Settings and parts.
export {
  type AofSettings,
  defaultAofSettings,
  type FlushOn,
  maxPayloadBytes,
  type RecoveryMode,
  type ResolvedAofSettings,
  resolveAofSettings,
} from "./settings.ts";
export type { AofParts } from "./parts.ts";

// What happened.
export type { SegmentInfo } from "./segment-info.ts";
export { type AofMetricsSnapshot, cacheHitRate } from "./metrics.ts";
export type { LostRange, RecoveryReport, TornTail } from "./recovery-report.ts";
export type { IndexOpening } from "./index-keeper.ts";

// Errors.
export { AofError, type AofErrorCode, type AofErrorContext, aofErrorCodes, isAofError } from "./errors.ts";

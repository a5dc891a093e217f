import type { RetentionHold } from "./retention-gate.ts";
import type { PlannedRemoval } from "./retention-plan.ts";

/** What a trim did, or, dry, would do. Plain JSON. */
export interface TrimReport {
  readonly dryRun: boolean;
  /** The log's oldest id after it: lower than asked for when cursors hold records back. */
  readonly firstId: number;
  /** Records that are gone, expired ones and lost ones included. */
  readonly removedRecords: number;
  /** Base ids of the segments whose files are gone, in order. */
  readonly removedSegments: readonly number[];
  /** Bytes of those files. */
  readonly removedBytes: number;
  /** What kept records or files; absent when nothing did. */
  readonly heldBackBy?: readonly RetentionHold[];
}

/** What retention did, or, dry, would do. Plain JSON. */
export interface RetentionReport extends TrimReport {
  /** The segments that the settings give up, and why, oldest first; those that a cursor holds back included. */
  readonly due: readonly PlannedRemoval[];
  /** Whether the active segment has nothing left worth keeping: the next append begins another. */
  readonly isActiveDone: boolean;
}

/** Options of a trim. */
export interface TrimOptions {
  /** Only say what would go. Default false. */
  readonly dryRun?: boolean;
  /** Do not ask cursors. Default false. */
  readonly force?: boolean;
}

/**
 * Which segments of a log exist, and in which state: a disposable cache with atomic life-cycle transitions.
 * Start at {@link openSegmentIndex}. What lands on disk is described in `../FORMAT.md`.
 * @packageDocumentation
 */

// Start here.
export {
  type OpenedSegmentIndex,
  openSegmentIndex,
  type OpenSegmentIndexParts,
  type OpenSegmentIndexSettings,
} from "./open-segment-index.ts";

// What an index promises and holds.
export type {
  ArchivingOptions,
  IndexCursor,
  IndexKind,
  IndexProblem,
  IndexStamp,
  ListOptions,
  ReplaceAllOptions,
  SegmentIndex,
  UpdateOptions,
} from "./segment-index.ts";
export type { OpenOutcome } from "./index-storage.ts";
export { compressionRatio, type NewSegmentEntry, type SegmentEntry, type SegmentPatch } from "./segment-entry.ts";
export { canTransition, type SegmentStatus, segmentStatuses } from "./segment-status.ts";

// Errors.
export { IndexError, type IndexErrorCode, indexErrorCodes, isIndexError } from "./errors.ts";

import { IndexError } from "./errors.ts";

/**
 * Where a segment stands in its life:
 *
 * ```
 * active → finalized → archiving → archived → deleting
 *              │  ↖________↙                     ↑
 *              └─────────────────────────────────┘   retention of what was never archived
 * any → corrupt → deleting
 * ```
 *
 * - `active`: the log appends to it
 * - `finalized`: sealed, complete and durable on local disk
 * - `archiving`: an upload has begun and may have left something in the store
 * - `archived`: the remote copy is verified and recorded; the local file may go
 * - `deleting`: its bytes are being removed; the entry follows
 * - `corrupt`: damage was found; nothing moves or deletes it by itself
 */
export type SegmentStatus = "active" | "finalized" | "archiving" | "archived" | "deleting" | "corrupt";

/** In the order of their codes on disk. */
export const segmentStatuses: readonly SegmentStatus[] = [
  "active",
  "finalized",
  "archiving",
  "archived",
  "deleting",
  "corrupt",
];

const steps: Readonly<Record<SegmentStatus, readonly SegmentStatus[]>> = {
  active: ["finalized", "corrupt"],
  finalized: ["archiving", "deleting", "corrupt"],
  // Back to finalized when the upload failed: the next attempt uses a fresh key.
  archiving: ["archived", "finalized", "corrupt"],
  archived: ["deleting", "corrupt"],
  deleting: ["corrupt"],
  // Only an operator asks for this: damaged bytes are evidence.
  corrupt: ["deleting"],
};

/** Whether the life cycle has the step `from → to`. */
export function canTransition(from: SegmentStatus, to: SegmentStatus): boolean {
  return steps[from].includes(to);
}

/** @throws IndexError `INDEX_BAD_TRANSITION`, or `INDEX_INVALID_ARGUMENT` for a word that is no status */
export function checkTransition(from: SegmentStatus, to: SegmentStatus): void {
  for (const status of [from, to]) {
    if (!segmentStatuses.includes(status)) {
      throw new IndexError("INDEX_INVALID_ARGUMENT", `not a segment status: ${String(status)}`);
    }
  }
  if (!canTransition(from, to)) {
    throw new IndexError("INDEX_BAD_TRANSITION", `a segment never goes from ${from} to ${to}`);
  }
}

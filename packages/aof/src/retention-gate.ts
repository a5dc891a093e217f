/**
 * What stands between a record, or a file, and its deletion. Pure.
 *
 * The order: archived and verified → cursors let go of the records → readers let go of the file → unlink. Archiving is
 * not part of this version; its condition belongs in {@link holdOnFile}, in front of the others.
 */

/** Something that keeps retention from going on. Plain JSON. */
export type RetentionHold =
  /** The cursor's next record would be removed. */
  | { readonly kind: "cursor"; readonly cursor: string; readonly nextId: number }
  /** A reader is in the segment: its records are gone, its file goes when the reader lets go of it. */
  | { readonly kind: "reader"; readonly segmentId: number }
  /** The segment is the active one, or about to be sealed: its file goes with a later run. */
  | { readonly kind: "unsealed"; readonly segmentId: number };

/** A cursor as retention sees it. */
export interface GateCursor {
  readonly name: string;
  readonly nextId: number;
  /** Durable records from `nextId` on. */
  readonly lagRecords: number;
  /** Bytes in the segments behind the one that `nextId` stands in. */
  readonly lagBytes: number;
}

/** How far a cursor may lag and still count. */
export interface LagCaps {
  readonly cursorMaxLagBytes: number | undefined;
  readonly cursorMaxLagRecords: number | undefined;
}

/** Whether the cursor holds anything back: one that lags too far does not any more. */
function cursorCounts(cursor: GateCursor, caps: LagCaps): boolean {
  return (
    cursor.lagBytes <= (caps.cursorMaxLagBytes ?? Number.POSITIVE_INFINITY) &&
    cursor.lagRecords <= (caps.cursorMaxLagRecords ?? Number.POSITIVE_INFINITY)
  );
}

/** How far the log may be cut, and what keeps it from being cut up to `beforeId`. */
export function cutThatCursorsAllow(
  beforeId: number,
  cursors: readonly GateCursor[],
  caps: LagCaps,
): { readonly beforeId: number; readonly heldBackBy: readonly RetentionHold[] } {
  const holding = cursors.filter((cursor) => cursor.nextId < beforeId && cursorCounts(cursor, caps));
  return {
    beforeId: Math.min(beforeId, ...holding.map(({ nextId }) => nextId)),
    heldBackBy: holding.map(({ name, nextId }) => ({ kind: "cursor", cursor: name, nextId })),
  };
}

/** A segment whose records are no part of the log any more. */
export interface GateSegment {
  readonly baseId: number;
  readonly isSealed: boolean;
  readonly isPinned: boolean;
}

/** What keeps the file of a segment that lies wholly below the log's first id; undefined: it may go. */
export function holdOnFile({ baseId, isSealed, isPinned }: GateSegment): RetentionHold | undefined {
  if (!isSealed) return { kind: "unsealed", segmentId: baseId };
  if (isPinned) return { kind: "reader", segmentId: baseId };
  return undefined;
}

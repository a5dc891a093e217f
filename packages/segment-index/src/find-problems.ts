import type { IndexStorage } from "./index-storage.ts";
import type { SegmentEntry } from "./segment-entry.ts";
import type { IndexProblem } from "./segment-index.ts";

/** What is odd about the committed entries as a set: segments of one log follow each other without holes. */
export function findProblems(storage: IndexStorage): IndexProblem[] {
  const problems: IndexProblem[] = [];
  let previous: SegmentEntry | undefined;
  for (const baseId of storage.directory.select({})) {
    const entry = storage.read(baseId);
    if (entry === undefined) continue;
    if (previous !== undefined) problems.push(...betweenNeighbours(previous, entry));
    previous = entry;
  }
  return problems;
}

function betweenNeighbours(before: SegmentEntry, after: SegmentEntry): IndexProblem[] {
  const expected = before.lastId + 1;
  if (after.baseId < expected) {
    const message = `segments ${before.baseId} and ${after.baseId} both claim ids up to ${before.lastId}`;
    return [{ kind: "overlap", message, baseId: after.baseId }];
  }
  // The last id of an active segment lags, and a corrupt one may have lost its tail: no hole can be told from that.
  if (after.baseId > expected && before.status !== "active" && before.status !== "corrupt") {
    const message = `ids ${expected} to ${after.baseId - 1} belong to no segment`;
    return [{ kind: "gap", message, baseId: after.baseId }];
  }
  return [];
}

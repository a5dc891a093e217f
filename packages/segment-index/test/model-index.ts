import type { NewSegmentEntry, SegmentEntry, SegmentPatch } from "../src/segment-entry.ts";
import { canTransition, type SegmentStatus } from "../src/segment-status.ts";

/** What an index should do, in the simplest words: a map, and scans. Versions are left out: see the conformance suite. */
export class ModelIndex {
  readonly entries: Map<number, NewSegmentEntry> = new Map();
  readonly cursors: Map<string, number> = new Map();
  epoch = 0;

  /** @returns the code of the refusal, or undefined */
  add(entry: NewSegmentEntry): string | undefined {
    if (this.entries.has(entry.baseId)) return "INDEX_ALREADY_EXISTS";
    this.entries.set(entry.baseId, entry);
    return undefined;
  }

  update(baseId: number, patch: SegmentPatch): string | undefined {
    const entry = this.entries.get(baseId);
    if (entry === undefined) return "INDEX_NOT_FOUND";
    this.entries.set(baseId, Object.assign({ ...entry }, patch));
    return undefined;
  }

  transition(baseId: number, from: SegmentStatus, to: SegmentStatus): string | undefined {
    if (!canTransition(from, to)) return "INDEX_BAD_TRANSITION";
    const entry = this.entries.get(baseId);
    if (entry === undefined) return "INDEX_NOT_FOUND";
    if (entry.status !== from) return "INDEX_CONFLICT";
    this.entries.set(baseId, { ...entry, status: to });
    return undefined;
  }

  setEpoch(epoch: number): string | undefined {
    if (epoch < this.epoch) return "INDEX_STALE_EPOCH";
    this.epoch = epoch;
    return undefined;
  }

  sorted(): NewSegmentEntry[] {
    return [...this.entries.values()].sort((a, b) => a.baseId - b.baseId);
  }

  findForId(id: number): NewSegmentEntry | undefined {
    const entry = this.sorted().findLast(({ baseId }) => baseId <= id);
    return entry !== undefined && (entry.status === "active" || id <= entry.lastId) ? entry : undefined;
  }

  findForTimestamp(us: number): NewSegmentEntry | undefined {
    return this.sorted().find((entry) => {
      return entry.status === "active" || (entry.recordCount > 0 && entry.lastTimestampUs >= us);
    });
  }

  getForArchiving(limit: number, keepLocal: number): NewSegmentEntry[] {
    const finalized = this.sorted().filter(({ status }) => status === "finalized");
    return finalized.slice(0, Math.max(0, finalized.length - keepLocal)).slice(0, limit);
  }
}

/** The entry as the model has it. */
export function withoutVersion(entry: SegmentEntry | undefined): NewSegmentEntry | undefined {
  if (entry === undefined) return undefined;
  const { version: _, ...rest } = entry;
  return rest;
}

import type { SegmentEntry } from "./segment-entry.ts";
import type { IndexStamp } from "./segment-index.ts";

/** One step from an index state to the next. A commit is a run of them, applied whole or not at all. */
export type Change =
  | { readonly kind: "put"; readonly entry: SegmentEntry }
  | { readonly kind: "remove"; readonly baseId: number }
  /** Removes all entries; cursors, epoch and stamp stay. */
  | { readonly kind: "clear" }
  | { readonly kind: "cursor"; readonly name: string; readonly id: number | undefined }
  | { readonly kind: "epoch"; readonly epoch: number }
  | { readonly kind: "stamp"; readonly stamp: IndexStamp };

/** Everything an index holds besides entries. Small: kept in memory by every kind. */
export class IndexMetadata {
  readonly cursors: Map<string, number> = new Map();
  writerEpoch = 0;
  stamp: IndexStamp | undefined = undefined;

  apply(change: Change): void {
    switch (change.kind) {
      case "cursor":
        if (change.id === undefined) this.cursors.delete(change.name);
        else this.cursors.set(change.name, change.id);
        break;
      case "epoch":
        this.writerEpoch = change.epoch;
        break;
      case "stamp":
        this.stamp = change.stamp;
        break;
      default:
        break;
    }
  }

  /** The changes that lead from nothing to this. */
  changes(): Change[] {
    const changes: Change[] = Array.from(this.cursors, ([name, id]) => ({ kind: "cursor", name, id }));
    if (this.writerEpoch !== 0) changes.push({ kind: "epoch", epoch: this.writerEpoch });
    if (this.stamp !== undefined) changes.push({ kind: "stamp", stamp: this.stamp });
    return changes;
  }
}

import type { Change } from "./change.ts";
import type { IndexStorage } from "./index-storage.ts";
import type { SegmentEntry } from "./segment-entry.ts";

/**
 * The committed state with a run of changes on top: what the next change of the same run is checked against.
 */
export class StagedState {
  readonly changes: Change[] = [];
  /** The revision this run will have. */
  readonly revision: number;
  readonly #storage: IndexStorage;
  readonly #entries: Map<number, SegmentEntry | undefined> = new Map();
  #cleared = false;
  #epoch: number;

  constructor(storage: IndexStorage) {
    this.#storage = storage;
    this.revision = storage.revision + 1;
    this.#epoch = storage.metadata.writerEpoch;
  }

  get logId(): string | undefined {
    return this.#storage.logId;
  }

  get epoch(): number {
    return this.#epoch;
  }

  entry(baseId: number): SegmentEntry | undefined {
    if (this.#entries.has(baseId)) return this.#entries.get(baseId);
    return this.#cleared ? undefined : this.#storage.read(baseId);
  }

  stage(changes: readonly Change[]): void {
    for (const change of changes) {
      this.changes.push(change);
      if (change.kind === "put") this.#entries.set(change.entry.baseId, change.entry);
      else if (change.kind === "remove") this.#entries.set(change.baseId, undefined);
      else if (change.kind === "epoch") this.#epoch = change.epoch;
      else if (change.kind === "clear") {
        this.#entries.clear();
        this.#cleared = true;
      }
    }
  }
}

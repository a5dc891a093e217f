import { type Change, IndexMetadata } from "./change.ts";
import { checkLogId } from "./entry-rules.ts";
import type { IndexStorage } from "./index-storage.ts";
import { SegmentDirectory } from "./segment-directory.ts";
import type { SegmentEntry } from "./segment-entry.ts";
import { StoredSegmentIndex } from "./stored-segment-index.ts";

/** An index that lives as long as the process: tests, and logs that rebuild at every open. */
export class MemorySegmentIndex extends StoredSegmentIndex {
  /** @param settings.logId stamps of another log are refused; without it any stamp is taken */
  constructor(settings: { readonly logId?: string } = {}) {
    if (settings.logId !== undefined) checkLogId(settings.logId);
    super(new MemoryStorage(settings.logId));
  }
}

/** Entries as objects. The file storage keeps its committed state in one, too. */
export class MemoryStorage implements IndexStorage {
  readonly kind = "memory";
  readonly logId: string | undefined;
  readonly directory: SegmentDirectory = new SegmentDirectory();
  readonly metadata: IndexMetadata = new IndexMetadata();
  readonly #entries: Map<number, SegmentEntry> = new Map();
  #revision = 0;

  constructor(logId: string | undefined) {
    this.logId = logId;
  }

  get revision(): number {
    return this.#revision;
  }

  read(baseId: number): SegmentEntry | undefined {
    return this.#entries.get(baseId);
  }

  async commit(changes: readonly Change[], revision: number): Promise<void> {
    this.apply(changes, revision);
  }

  apply(changes: readonly Change[], revision: number): void {
    for (const change of changes) {
      if (change.kind === "put") this.#entries.set(change.entry.baseId, change.entry);
      else if (change.kind === "remove") this.#entries.delete(change.baseId);
      else if (change.kind === "clear") this.#entries.clear();
      this.directory.apply(change);
      this.metadata.apply(change);
    }
    this.#revision = revision;
  }

  /** The changes that lead from nothing to this state, entries in id order. */
  changes(): Change[] {
    const puts = Array.from(this.directory.select({}), (baseId): Change => {
      return { kind: "put", entry: this.#entries.get(baseId) as SegmentEntry };
    });
    return [...puts, ...this.metadata.changes()];
  }

  async check(): Promise<string[]> {
    return [];
  }

  async close(): Promise<void> {}
}

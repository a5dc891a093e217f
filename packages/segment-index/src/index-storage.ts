import type { Change, IndexMetadata } from "./change.ts";
import type { SegmentDirectory } from "./segment-directory.ts";
import type { SegmentEntry } from "./segment-entry.ts";
import type { IndexKind } from "./segment-index.ts";

/**
 * Where an index keeps its state: the only part that differs between kinds. `StoredSegmentIndex` calls it one change
 * run at a time, so an implementation needs no locking of its own.
 */
export interface IndexStorage {
  readonly kind: IndexKind;
  /** The log it belongs to; undefined where nobody said. */
  readonly logId: string | undefined;
  /** The committed state, kept current by `commit`. Readers of the index see exactly this. */
  readonly directory: SegmentDirectory;
  readonly metadata: IndexMetadata;
  /** Of the last commit. */
  readonly revision: number;

  /** A committed entry. @throws IndexError `INDEX_DAMAGED` when its bytes are no longer what was written */
  read(baseId: number): SegmentEntry | undefined;
  /**
   * Makes the changes durable, all or none, and only then current. After a rejection it is never called again.
   * @param revision above {@link revision}
   */
  commit(changes: readonly Change[], revision: number): Promise<void>;
  /** Compares the bytes on disk with the committed state; one sentence for each difference. */
  check(): Promise<string[]>;
  /** Called once, after the last commit settled. @param failed whether a commit was rejected */
  close(failed: boolean): Promise<void>;
}

/** How an index came to be open. */
export interface OpenOutcome {
  /** `opened`: its state is what was last committed. `created`: there was none. `reset`: `reason` says why it is empty. */
  readonly outcome: "opened" | "created" | "reset";
  readonly reason?: string;
}

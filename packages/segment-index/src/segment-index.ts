import type { NewSegmentEntry, SegmentEntry, SegmentPatch } from "./segment-entry.ts";
import type { SegmentStatus } from "./segment-status.ts";

/**
 * Which segments of one log exist, and in which state. Every implementation promises:
 *  1. Durable on return: once a change resolves, it survives a crash (kind `memory`: until `close`).
 *  2. Atomic: a change happens whole or not at all, `replaceAll` with its stamp included.
 *  3. One order: changes take effect one after another, in the order they were called; each is checked against the
 *     state the ones before it left.
 *  4. Honest reads: a read shows only changes that are durable, and never bytes that failed a checksum.
 *  5. No surprise: a failed change leaves what readers see as it was. After a failed disk write every later change
 *     rejects with `INDEX_IO` and the first cause; reads go on.
 *  6. A cache: it never holds the only copy of a record, and its loss costs a rebuild (and the cursors in it).
 *
 * One writer: whoever opens an index holds the log's lock. Any method called after `close` rejects with `INDEX_CLOSED`.
 */
export interface SegmentIndex extends AsyncDisposable {
  readonly kind: IndexKind;

  /** @throws IndexError `INDEX_ALREADY_EXISTS`, `INDEX_INVALID_ARGUMENT` */
  add(entry: NewSegmentEntry): Promise<SegmentEntry>;
  /**
   * Changes fields, not the status.
   * @param options.ifVersion refuse with `INDEX_CONFLICT` unless the entry still has this version
   * @throws IndexError `INDEX_NOT_FOUND`, `INDEX_CONFLICT`, `INDEX_INVALID_ARGUMENT`
   */
  update(baseId: number, patch: SegmentPatch, options?: UpdateOptions): Promise<SegmentEntry>;
  /**
   * Moves an entry along its life cycle, and changes fields in the same step.
   * @throws IndexError `INDEX_NOT_FOUND`, `INDEX_CONFLICT` (the status is not `from`), `INDEX_BAD_TRANSITION`,
   * `INDEX_INVALID_ARGUMENT`
   */
  transition(baseId: number, from: SegmentStatus, to: SegmentStatus, patch?: SegmentPatch): Promise<SegmentEntry>;
  /** Idempotent: removing an absent entry resolves. */
  remove(baseId: number): Promise<void>;
  /**
   * The rebuild: exactly these entries, in one switch. Cursors and writer epoch stay.
   * @param options.stamp replaces the stamp in the same step
   * @throws IndexError `INDEX_INVALID_ARGUMENT`, also for two entries with one base id
   */
  replaceAll(entries: Iterable<NewSegmentEntry>, options?: ReplaceAllOptions): Promise<void>;

  get(baseId: number): Promise<SegmentEntry | undefined>;
  /** The active entry with the highest base id: while a full segment is being sealed, two may be active. */
  getActive(): Promise<SegmentEntry | undefined>;
  /** A hint: the log's tail may be ahead of what the index was told. Undefined when there is no entry. */
  getMaxLastId(): Promise<number | undefined>;
  /** The oldest `finalized` entries, in id order, without the newest `keepLocal` of them. */
  getForArchiving(options: ArchivingOptions): Promise<SegmentEntry[]>;
  /** The entry whose segment holds record `id`, or would if it exists: the active one answers for ids to come. */
  findForId(id: number): Promise<SegmentEntry | undefined>;
  /**
   * The first entry in id order whose segment may hold a record at or after the time; the active one always may.
   * Right for any order of timestamps, wall clocks that jumped back included.
   */
  findForTimestamp(timestampUs: number): Promise<SegmentEntry | undefined>;
  /**
   * Entries in id order. For a hundred thousand and more, page with `fromBaseId` and `limit`: one call builds one array
   * without a pause for other work.
   */
  list(options?: ListOptions): Promise<SegmentEntry[]>;

  getCursor(name: string): Promise<number | undefined>;
  /** @param name 1..200 bytes of UTF-8 @param id may go back: the caller knows whether that makes sense */
  setCursor(name: string, id: number): Promise<void>;
  /** Idempotent. */
  deleteCursor(name: string): Promise<void>;
  /** Sorted by name, by UTF-16 code units. */
  listCursors(): Promise<IndexCursor[]>;

  /** 0 until set. */
  writerEpoch(): Promise<number>;
  /** @throws IndexError `INDEX_STALE_EPOCH` when a higher epoch is recorded */
  setWriterEpoch(epoch: number): Promise<void>;

  /** What the log last said about itself: lets it recognise an index of another log or of an older state. */
  stamp(): Promise<IndexStamp | undefined>;
  /** @throws IndexError `INDEX_INVALID_ARGUMENT` when `logId` is not the one the index was opened for */
  setStamp(stamp: IndexStamp): Promise<void>;

  /** Reads everything back from disk and compares; an empty array means all is well. Waits for running changes. */
  verify(): Promise<IndexProblem[]>;
  /** Waits for running changes. Idempotent. @throws IndexError `INDEX_IO`; the index is closed all the same */
  close(): Promise<void>;
}

/** How an index is stored. */
export type IndexKind = "lmdb" | "file" | "memory";

/** Of {@link SegmentIndex.update}. */
export interface UpdateOptions {
  /** Refuse unless the entry still has this version. */
  readonly ifVersion?: number;
}

/** Of {@link SegmentIndex.replaceAll}. */
export interface ReplaceAllOptions {
  /** Replaces the stamp in the same step. */
  readonly stamp?: IndexStamp;
}

/** Of {@link SegmentIndex.getForArchiving}. */
export interface ArchivingOptions {
  /** At most so many entries, 0 or more. */
  readonly limit: number;
  /** Leave so many of the newest `finalized` segments local. 0 or more. Default 0. */
  readonly keepLocal?: number;
}

/** Of {@link SegmentIndex.list}. */
export interface ListOptions {
  /** Entries with this base id or a higher one. Default: from the first. */
  readonly fromBaseId?: number;
  /** Entries with a lower base id than this. Default: to the last. */
  readonly toBaseId?: number;
  /** Only these statuses. Default: all. */
  readonly status?: SegmentStatus | readonly SegmentStatus[];
  /** At most so many entries. Default: no limit. */
  readonly limit?: number;
  /** Highest base id first. Default false. */
  readonly reverse?: boolean;
}

/** A named position in the log. */
export interface IndexCursor {
  readonly name: string;
  readonly id: number;
}

/** The log's state when it last spoke to the index. */
export interface IndexStamp {
  /** Lower-case hex digits, 2 to 32 of them. */
  readonly logId: string;
  readonly epoch: number;
  readonly tailBaseId: number;
  /** Bytes of the tail segment that were durable. */
  readonly tailLength: number;
}

/** Something {@link SegmentIndex.verify} found. */
export interface IndexProblem {
  /**
   * - `storage`: the bytes on disk are not what the index holds: reset and rebuild
   * - `overlap`: two entries claim the same record ids
   * - `gap`: ids between two entries belong to no segment
   */
  readonly kind: "storage" | "overlap" | "gap";
  readonly message: string;
  /** The entry concerned, if it is one. */
  readonly baseId?: number;
}

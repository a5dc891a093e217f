import { ChangeQueue, type Plan } from "./change-queue.ts";
import { IndexError, invalid, ioError } from "./errors.ts";
import { checkCount, checkCursorName, makeEntry, makeStamp, patchEntry, withVersion } from "./entry-rules.ts";
import type { IndexStorage } from "./index-storage.ts";
import { findProblems } from "./find-problems.ts";
import type { NewSegmentEntry, SegmentEntry, SegmentPatch } from "./segment-entry.ts";
import type {
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
import { checkTransition, type SegmentStatus, segmentStatuses } from "./segment-status.ts";
import type { StagedState } from "./staged-state.ts";

/**
 * A {@link SegmentIndex} over a storage: every rule of the interface, none of the bytes. All kinds are this class, so
 * they cannot disagree.
 */
export class StoredSegmentIndex implements SegmentIndex {
  readonly #storage: IndexStorage;
  readonly #queue: ChangeQueue;
  #closing: Promise<void> | undefined;

  protected constructor(storage: IndexStorage) {
    this.#storage = storage;
    this.#queue = new ChangeQueue(storage);
  }

  get kind(): IndexKind {
    return this.#storage.kind;
  }

  async add(entry: NewSegmentEntry): Promise<SegmentEntry> {
    // A copy before anything waits: the caller may reuse its object.
    const copy = makeEntry(entry, 0);
    return this.#change((state) => {
      if (state.entry(copy.baseId) !== undefined) {
        throw new IndexError("INDEX_ALREADY_EXISTS", `segment ${copy.baseId} is in the index`);
      }
      return put(withVersion(copy, state.revision));
    });
  }

  async update(baseId: number, patch: SegmentPatch, options: UpdateOptions = {}): Promise<SegmentEntry> {
    checkCount("baseId", baseId);
    const copy = { ...patch };
    const { ifVersion } = options;
    return this.#change((state) => {
      const entry = existing(state, baseId);
      if (ifVersion !== undefined && entry.version !== ifVersion) {
        throw new IndexError("INDEX_CONFLICT", `segment ${baseId} is at version ${entry.version}, not ${ifVersion}`);
      }
      return put(patchEntry(entry, copy, state.revision));
    });
  }

  async transition(
    baseId: number,
    from: SegmentStatus,
    to: SegmentStatus,
    patch: SegmentPatch = {},
  ): Promise<SegmentEntry> {
    checkCount("baseId", baseId);
    checkTransition(from, to);
    const copy = { ...patch };
    return this.#change((state) => {
      const entry = existing(state, baseId);
      if (entry.status !== from) {
        throw new IndexError("INDEX_CONFLICT", `segment ${baseId} is ${entry.status}, not ${from}`);
      }
      const patched = patchEntry({ ...entry, status: to }, copy, state.revision);
      return put(patched);
    });
  }

  async remove(baseId: number): Promise<void> {
    checkCount("baseId", baseId);
    return this.#change((state) => ({
      changes: state.entry(baseId) === undefined ? [] : [{ kind: "remove", baseId }],
      result: undefined,
    }));
  }

  async replaceAll(entries: Iterable<NewSegmentEntry>, options: ReplaceAllOptions = {}): Promise<void> {
    const copies = Array.from(entries, (entry) => makeEntry(entry, 0)).sort((a, b) => a.baseId - b.baseId);
    for (const [index, entry] of copies.entries()) {
      if (copies[index - 1]?.baseId === entry.baseId) throw invalid(`segment ${entry.baseId} is there twice`);
    }
    const stamp = options.stamp && makeStamp(options.stamp, this.#open().logId);
    return this.#change((state) => ({
      changes: [
        { kind: "clear" },
        ...copies.map((entry) => ({ kind: "put", entry: withVersion(entry, state.revision) }) as const),
        ...(stamp === undefined ? [] : [{ kind: "stamp", stamp } as const]),
      ],
      result: undefined,
    }));
  }

  async get(baseId: number): Promise<SegmentEntry | undefined> {
    checkCount("baseId", baseId);
    return this.#read(baseId);
  }

  async getActive(): Promise<SegmentEntry | undefined> {
    const newestFirst = this.#open().directory.select({ statuses: ["active"], reverse: true });
    return this.#read(newestFirst.next().value ?? undefined);
  }

  async getMaxLastId(): Promise<number | undefined> {
    return this.#read(this.#open().directory.last())?.lastId;
  }

  async getForArchiving({ limit, keepLocal = 0 }: ArchivingOptions): Promise<SegmentEntry[]> {
    checkCount("limit", limit);
    checkCount("keepLocal", keepLocal);
    const finalized = [...this.#open().directory.select({ statuses: ["finalized"] })];
    return this.#readAll(finalized.slice(0, Math.min(limit, Math.max(0, finalized.length - keepLocal))));
  }

  async findForId(id: number): Promise<SegmentEntry | undefined> {
    checkCount("id", id);
    const entry = this.#read(this.#open().directory.floor(id));
    return entry !== undefined && (entry.status === "active" || id <= entry.lastId) ? entry : undefined;
  }

  async findForTimestamp(timestampUs: number): Promise<SegmentEntry | undefined> {
    checkCount("timestampUs", timestampUs);
    return this.#read(this.#open().directory.firstAtOrAfter(timestampUs));
  }

  async list(options: ListOptions = {}): Promise<SegmentEntry[]> {
    const { fromBaseId: from, toBaseId: to, limit = Number.MAX_SAFE_INTEGER, reverse } = options;
    if (from !== undefined) checkCount("fromBaseId", from);
    if (to !== undefined) checkCount("toBaseId", to);
    checkCount("limit", limit);
    const statuses = checkStatuses(options.status);
    const found: number[] = [];
    for (const baseId of this.#open().directory.select({ from, to, statuses, reverse })) {
      if (found.length === limit) break;
      found.push(baseId);
    }
    return this.#readAll(found);
  }

  async getCursor(name: string): Promise<number | undefined> {
    checkCursorName(name);
    return this.#open().metadata.cursors.get(name);
  }

  async setCursor(name: string, id: number): Promise<void> {
    checkCursorName(name);
    checkCount("id", id);
    return this.#change(() => ({ changes: [{ kind: "cursor", name, id }], result: undefined }));
  }

  async deleteCursor(name: string): Promise<void> {
    checkCursorName(name);
    return this.#change(() => ({ changes: [{ kind: "cursor", name, id: undefined }], result: undefined }));
  }

  async listCursors(): Promise<IndexCursor[]> {
    const cursors = Array.from(this.#open().metadata.cursors, ([name, id]) => ({ name, id }));
    return cursors.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async writerEpoch(): Promise<number> {
    return this.#open().metadata.writerEpoch;
  }

  async setWriterEpoch(epoch: number): Promise<void> {
    checkCount("epoch", epoch);
    return this.#change((state) => {
      if (epoch < state.epoch) {
        throw new IndexError("INDEX_STALE_EPOCH", `writer ${state.epoch} was here; ${epoch} is superseded`);
      }
      return { changes: epoch === state.epoch ? [] : [{ kind: "epoch", epoch }], result: undefined };
    });
  }

  async stamp(): Promise<IndexStamp | undefined> {
    return this.#open().metadata.stamp;
  }

  async setStamp(stamp: IndexStamp): Promise<void> {
    const copy = makeStamp(stamp, this.#open().logId);
    return this.#change(() => ({ changes: [{ kind: "stamp", stamp: copy }], result: undefined }));
  }

  async verify(): Promise<IndexProblem[]> {
    const storage = this.#open();
    return this.#queue.exclusive(async () => [
      ...(await storage.check()).map((message) => ({ kind: "storage", message }) as const),
      ...findProblems(storage),
    ]);
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeOnce();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #closeOnce(): Promise<void> {
    await this.#queue.idle();
    try {
      await this.#storage.close(this.#queue.failed);
    } catch (cause) {
      throw ioError("closing the index", cause);
    }
  }

  async #change<T>(plan: Plan<T>): Promise<T> {
    this.#open();
    return this.#queue.submit(plan);
  }

  #read(baseId: number | undefined): SegmentEntry | undefined {
    const storage = this.#open();
    return baseId === undefined ? undefined : storage.read(baseId);
  }

  #readAll(baseIds: readonly number[]): SegmentEntry[] {
    const storage = this.#open();
    return baseIds.map((baseId) => storage.read(baseId)).filter((entry) => entry !== undefined);
  }

  #open(): IndexStorage {
    if (this.#closing !== undefined) throw new IndexError("INDEX_CLOSED", "the index was closed");
    return this.#storage;
  }
}

function existing(state: StagedState, baseId: number): SegmentEntry {
  const entry = state.entry(baseId);
  if (entry === undefined) throw new IndexError("INDEX_NOT_FOUND", `segment ${baseId} is not in the index`);
  return entry;
}

function put(entry: SegmentEntry): ReturnType<Plan<SegmentEntry>> {
  return { changes: [{ kind: "put", entry }], result: entry };
}

function checkStatuses(status: ListOptions["status"]): readonly SegmentStatus[] | undefined {
  if (status === undefined) return undefined;
  const statuses: readonly SegmentStatus[] = typeof status === "string" ? [status] : [...status];
  const unknown = statuses.find((each) => !segmentStatuses.includes(each));
  if (unknown !== undefined) throw invalid(`not a segment status: ${String(unknown)}`);
  return statuses;
}

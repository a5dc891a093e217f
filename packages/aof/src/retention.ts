/**
 * How records leave the log: by a trim, by the settings' limits, by expiry.
 *
 * Always true:
 *  I1  a record is gone when MANIFEST's first id is durably above it; only then is a file touched
 *  I2  MANIFEST's promised id is at least the first id − 1: ids go on where they were even when no record remains
 *  I3  a file goes only when it is sealed, lies wholly below the first id, and no reader holds it; files go in any order
 *  I4  what is in `#leaving` is in no catalog: nobody opens it any more
 *
 * A file that cannot be unlinked stays for the next run, or for the next open, and is noted in `backgroundErrors`. A
 * MANIFEST that cannot be replaced, or a directory that cannot be synced, poisons the log: what is on disk is not known.
 */
import type { FileHandle, TimerHandle } from "@varve/fs-core";
import type { BackgroundTasks } from "./background-tasks.ts";
import type { CursorStore } from "./cursor-store.ts";
import { AofError, toAofError } from "./errors.ts";
import type { IndexKeeper } from "./index-keeper.ts";
import type { LogDirectory } from "./log-directory.ts";
import type { LogWriter } from "./log-writer.ts";
import type { ManifestFile } from "./manifest-file.ts";
import type { AofCounters } from "./metrics.ts";
import type { RetentionClock } from "./retention-clock.ts";
import { cutThatCursorsAllow, type GateCursor, holdOnFile, type RetentionHold } from "./retention-gate.ts";
import { type PlannedSegment, planRetention, type RetentionPlan } from "./retention-plan.ts";
import type { RetentionReport, TrimOptions, TrimReport } from "./retention-report.ts";
import type { SegmentCache } from "./segment-cache.ts";
import type { LogSegment, SegmentCatalog } from "./segment-catalog.ts";
import { expiringRecordsOf, knownExpiringRecordsOf } from "./segment-expiry.ts";
import type { ResolvedAofSettings } from "./settings.ts";

export interface RetentionParts {
  readonly directory: LogDirectory;
  readonly manifest: ManifestFile;
  readonly index: IndexKeeper;
  readonly tasks: BackgroundTasks;
  readonly catalog: SegmentCatalog;
  readonly cache: SegmentCache;
  readonly cursors: CursorStore;
  readonly counters: AofCounters;
  readonly clock: RetentionClock;
  readonly writer: LogWriter;
  readonly durableId: () => number;
  readonly isWritable: () => boolean;
  /** Why it is not. */
  readonly refusal: () => AofError;
  readonly poison: (error: AofError) => void;
}

/** Footers read at most before the plan is made again: it may need no more. */
const footersAtOnce = 64;

/** What went in one go. */
interface Removed {
  readonly segments: readonly number[];
  readonly bytes: number;
}

export class Retention {
  readonly #settings: ResolvedAofSettings;
  readonly #parts: RetentionParts;
  /** Out of the catalog, its file still there. Oldest first. */
  #leaving: LogSegment[] = [];
  #timer: TimerHandle | undefined;
  #isEnding = false;

  constructor(settings: ResolvedAofSettings, parts: RetentionParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#arm();
  }

  /** @throws AofError `INVALID_ARGUMENT`, `FENCED`, `IO`, … */
  async trim(beforeId: number, { dryRun = false, force = false }: TrimOptions): Promise<TrimReport> {
    const durableId = this.#parts.durableId();
    if (!Number.isSafeInteger(beforeId) || beforeId < 1 || beforeId > durableId + 1) {
      throw new AofError(
        "INVALID_ARGUMENT",
        `beforeId: got ${String(beforeId)}, want an id in 1..${durableId + 1}: only what is durable is trimmed`,
      );
    }
    return this.#cut(beforeId, dryRun, force);
  }

  /** What the settings ask for, now. @throws AofError `FENCED`, `IO`, … */
  async apply(dryRun: boolean): Promise<RetentionReport> {
    const plan = await this.#plan(true);
    if (!this.#parts.isWritable()) throw this.#parts.refusal();
    if (!dryRun) this.#leaveActive(plan);
    const trimmed = await this.#cut(this.#endOf(plan), dryRun, false);
    return { ...trimmed, due: plan.removals, isActiveDone: plan.isActiveDone };
  }

  /** A segment was sealed: it may lie below the first id already. */
  segmentSealed(): void {
    const oldest = this.#parts.catalog.segments[1];
    if (oldest !== undefined && oldest.baseId <= this.#parts.manifest.current.firstId) this.#reclaimSoon();
  }

  /** A reader let go of a segment that is no part of the log any more. */
  segmentReleased(): void {
    this.#reclaimSoon();
  }

  /** The log is being closed: what is not removed yet is left to the next open. */
  end(): void {
    this.#isEnding = true;
    this.#timer?.cancel();
  }

  /** Cuts the log in front of `wantedId`, as far as cursors let it, and removes what files may go. */
  async #cut(wantedId: number, dryRun: boolean, force: boolean): Promise<TrimReport> {
    const { manifest } = this.#parts;
    const before = manifest.current.firstId;
    const allowed = force
      ? { beforeId: wantedId, heldBackBy: [] }
      : cutThatCursorsAllow(wantedId, this.#gateCursors(), this.#settings.retention);
    const firstId = Math.max(before, allowed.beforeId);
    if (dryRun) return this.#dryReport(firstId, allowed.heldBackBy);
    if (firstId > before) this.#raiseFirstId(firstId);
    let removed: Removed = { segments: [], bytes: 0 };
    await this.#parts.tasks.run("retention", async () => {
      removed = await this.#reclaim();
    });
    const holds = [...allowed.heldBackBy, ...this.#fileHolds(firstId)];
    return {
      dryRun,
      firstId,
      removedRecords: firstId - before,
      removedSegments: removed.segments,
      removedBytes: removed.bytes,
      ...(holds.length === 0 ? {} : { heldBackBy: holds }),
    };
  }

  #dryReport(firstId: number, held: readonly RetentionHold[]): TrimReport {
    const { catalog, manifest } = this.#parts;
    const going = [...this.#leaving, ...catalog.below(firstId)];
    const free = going.filter((segment) => this.#holdOn(segment) === undefined);
    const holds = [...held, ...going.flatMap((segment) => this.#holdOn(segment) ?? [])];
    return {
      dryRun: true,
      firstId,
      removedRecords: firstId - manifest.current.firstId,
      removedSegments: free.map(({ baseId }) => baseId),
      removedBytes: free.reduce((sum, segment) => sum + (segment.sealed?.fileLength ?? 0), 0),
      ...(holds.length === 0 ? {} : { heldBackBy: holds }),
    };
  }

  /** The moment at which records are gone. Synchronous: no reader runs between MANIFEST and memory. */
  #raiseFirstId(firstId: number): void {
    const { manifest, counters, durableId, poison } = this.#parts;
    const { firstId: before, promisedId } = manifest.current;
    try {
      manifest.replaceSync({ firstId, promisedId: Math.max(promisedId, durableId()) });
    } catch (error) {
      const failure = toAofError(error, "trimming the log");
      poison(failure);
      throw failure;
    }
    counters.trimmedRecords += firstId - before;
  }

  /** Removes the files that may go. @throws AofError the first failure, after trying the others */
  async #reclaim(): Promise<Removed> {
    const { catalog, cache, manifest, index, tasks, directory, counters, isWritable } = this.#parts;
    if (!isWritable()) return { segments: [], bytes: 0 };
    for (const segment of catalog.takeBelow(manifest.current.firstId)) {
      this.#leaving.push(segment);
      cache.drop(segment);
    }
    const free = this.#leaving.filter((segment) => this.#holdOn(segment) === undefined);
    if (free.length === 0 || this.#isEnding) return { segments: [], bytes: 0 };
    await index.beginRemoval(
      tasks,
      free.map(({ baseId }) => baseId),
    );
    const gone: LogSegment[] = [];
    let failure: unknown;
    for (const segment of free) {
      if (this.#isEnding) break;
      if (!manifest.isStillOurs()) {
        this.#parts.poison(manifest.fenced());
        throw manifest.fenced();
      }
      try {
        await directory.delete(segment.name);
        gone.push(segment);
      } catch (error) {
        failure ??= error;
      }
    }
    this.#leaving = this.#leaving.filter((segment) => !gone.includes(segment));
    if (gone.length > 0) await this.#syncDirectory();
    for (const { baseId } of gone) index.noteRemoved(tasks, baseId);
    const bytes = gone.reduce((sum, segment) => sum + (segment.sealed?.fileLength ?? 0), 0);
    counters.trimmedSegments += gone.length;
    counters.trimmedBytes += bytes;
    if (failure !== undefined) tasks.note("retention", toAofError(failure, "removing trimmed segments"));
    return { segments: gone.map(({ baseId }) => baseId), bytes };
  }

  async #syncDirectory(): Promise<void> {
    try {
      await this.#parts.directory.sync();
    } catch (error) {
      const failure = toAofError(error, "syncing the log's directory after a trim");
      this.#parts.poison(failure);
      throw failure;
    }
  }

  #reclaimSoon(): void {
    if (this.#isEnding) return;
    void this.#parts.tasks.run("retention", async () => {
      await this.#reclaim();
    });
  }

  /** Timed, in the background. */
  #arm(): void {
    if (this.#isEnding) return;
    const run = (): void => {
      void this.#parts.tasks.run("retention", () => this.#runNow()).then(() => this.#arm());
    };
    // A log that nobody uses any more does not keep the process alive for its retention.
    this.#timer = this.#parts.directory.clock.after(this.#settings.retention.intervalMs, run, { background: true });
  }

  async #runNow(): Promise<void> {
    const plan = await this.#plan(this.#parts.clock.isSettled);
    if (!this.#parts.isWritable()) return;
    this.#leaveActive(plan);
    const cut = cutThatCursorsAllow(this.#endOf(plan), this.#gateCursors(), this.#settings.retention);
    if (cut.beforeId > this.#parts.manifest.current.firstId) this.#raiseFirstId(cut.beforeId);
    await this.#reclaim();
  }

  #leaveActive({ isActiveDone, activeId }: RetentionPlan): void {
    if (isActiveDone) this.#parts.writer.leaveSegment(activeId);
  }

  /** Made again as long as it stops at a segment of whose expiry only the footer knows. */
  async #plan(byTime: boolean): Promise<RetentionPlan> {
    const { catalog, manifest, clock } = this.#parts;
    const { retention, ttlMs } = this.#settings;
    for (let asked = 0; ; ) {
      const { segments } = catalog;
      const plan = planRetention({
        segments: segments.map(planned),
        firstId: manifest.current.firstId,
        nowUs: clock.nowUs(),
        ttlUs: (ttlMs ?? 0) * 1000,
        limits: retention,
        byTime,
      });
      const next = plan.removals.length;
      if (!byTime || next < asked || next >= segments.length - 1) return plan;
      if (knownExpiringRecordsOf(segments[next] as LogSegment) !== undefined) return plan;
      asked = next + footersAtOnce;
      for (const segment of segments.slice(next, asked)) await this.#readFooter(segment);
    }
  }

  async #readFooter(segment: LogSegment): Promise<void> {
    let handle: FileHandle | undefined;
    try {
      await expiringRecordsOf(segment, async () => {
        handle = await this.#parts.directory.open(segment.name);
        return handle;
      });
    } catch (error) {
      throw toAofError(error, `reading the footer of ${segment.name}`, { path: segment.name });
    } finally {
      await handle?.close();
    }
  }

  /** The first id that the plan keeps. */
  #endOf(plan: RetentionPlan): number {
    const last = plan.removals.at(-1);
    return last === undefined ? this.#parts.manifest.current.firstId : last.lastId + 1;
  }

  #gateCursors(): GateCursor[] {
    const { cursors, catalog, durableId } = this.#parts;
    return [...cursors.lowest].map(([name, position]) => ({
      name,
      nextId: position + 1,
      lagRecords: Math.max(0, durableId() - position),
      lagBytes: catalog.segments
        .filter(({ baseId }) => baseId > position + 1)
        .reduce((sum, { dataLength }) => sum + dataLength, 0),
    }));
  }

  #fileHolds(firstId: number): RetentionHold[] {
    return [...this.#leaving, ...this.#parts.catalog.below(firstId)].flatMap((segment) => this.#holdOn(segment) ?? []);
  }

  #holdOn(segment: LogSegment): RetentionHold | undefined {
    return holdOnFile({
      baseId: segment.baseId,
      isSealed: segment.live === undefined,
      isPinned: this.#parts.cache.isPinned(segment),
    });
  }
}

function planned(segment: LogSegment): PlannedSegment {
  return {
    baseId: segment.baseId,
    lastId: segment.lastId,
    bytes: segment.sealed?.fileLength ?? segment.dataLength,
    isSealed: segment.live === undefined,
    lastTimestampUs: (segment.live ?? segment.sealed)?.lastTimestampUs ?? 0,
    expiry: knownExpiringRecordsOf(segment),
  };
}

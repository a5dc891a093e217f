/**
 * What happens to segments besides being written: the next one is prepared ahead of time, one that was left behind is
 * sealed and indexed, the last one is settled when the log is closed.
 */
import type { ActiveSegment } from "./active-segment.ts";
import type { BackgroundTasks } from "./background-tasks.ts";
import type { IndexKeeper } from "./index-keeper.ts";
import type { LogDirectory } from "./log-directory.ts";
import type { ManifestFile } from "./manifest-file.ts";
import type { AofCounters } from "./metrics.ts";
import type { SegmentActivator } from "./segment-activator.ts";
import type { SegmentCatalog } from "./segment-catalog.ts";
import { type SealedSegment, sealable, sealSegment, sealSegmentSync, type SegmentIdentity } from "./sealed-segment.ts";
import type { ResolvedAofSettings } from "./settings.ts";

export interface SegmentLifeParts {
  readonly directory: LogDirectory;
  readonly manifest: ManifestFile;
  readonly index: IndexKeeper;
  readonly tasks: BackgroundTasks;
  readonly catalog: SegmentCatalog;
  readonly activator: SegmentActivator;
  readonly counters: AofCounters;
  /** A segment's footer is durable, and the catalog knows. */
  readonly onSealed: () => void;
}

/** Segments waiting to be sealed before the writer seals them itself. */
const maxUnsealed = 8;

/** However late preparations come: not earlier than at this fill, or every short-lived log would pay for two segments. */
const earliestPreparation = 0.1;

export class SegmentLife {
  readonly #settings: ResolvedAofSettings;
  readonly #epoch: number;
  readonly #parts: SegmentLifeParts;
  #begunUs: number;
  #prepareAt: number;
  #isEnding = false;
  /** The segment whose successor was asked for: once each, whether or not it worked. */
  #preparedFor: ActiveSegment | undefined;

  constructor(settings: ResolvedAofSettings, epoch: number, parts: SegmentLifeParts) {
    this.#settings = settings;
    this.#epoch = epoch;
    this.#parts = parts;
    this.#begunUs = parts.directory.clock.monotonicUs();
    this.#prepareAt = settings.preAllocateThreshold;
  }

  /** Since the active segment was begun. */
  get ageMs(): number {
    return (this.#parts.directory.clock.monotonicUs() - this.#begunUs) / 1000;
  }

  /** Prepares the next segment once the active one is full enough, earlier when the last one came too late. */
  written(segment: ActiveSegment): void {
    if (!this.#settings.preAllocateEnabled || this.#isEnding || this.#preparedFor === segment) return;
    if (segment.writtenEnd < this.#settings.segmentSizeBytes * this.#prepareAt) return;
    this.#preparedFor = segment;
    const { kind } = this.#settings.flushStrategy;
    // Zeroes pay off where syncs are many and small; elsewhere they are bytes written twice.
    const zeroFill = kind !== "async" && kind !== "periodic";
    void this.#parts.tasks.run("preallocate", () => this.#parts.activator.prepare(zeroFill));
  }

  /** The log is being closed: nothing more is prepared. */
  end(): void {
    this.#isEnding = true;
  }

  /** `segment` was left behind, all of it durable, and `next` begun: note that one, seal this one. */
  retire(segment: ActiveSegment, next: ActiveSegment): void {
    const { tasks, activator, counters, directory, index } = this.#parts;
    this.#begunUs = directory.clock.monotonicUs();
    counters.segmentsCreated++;
    if (this.#preparedFor === segment && !activator.foundPrepared) {
      this.#prepareAt = Math.max(earliestPreparation, this.#prepareAt / 2);
      counters.latePreparations++;
      counters.latePreparationAtUs = this.#begunUs;
    }
    index.noteActive(tasks, next);
    if (tasks.pending("finalize") < maxUnsealed) {
      void tasks.run("finalize", () => this.#seal(segment));
    } else {
      // A caller that never yields to the loop would pile up unsealed segments and their descriptors.
      this.#sealNow(segment);
    }
  }

  /** Seals the last segment, or removes it when it is empty, and says in MANIFEST that the log is closed. */
  async finish(active: ActiveSegment, durableId: number): Promise<void> {
    const { manifest, directory, index, tasks } = this.#parts;
    const { handle } = active;
    if (handle === undefined) return;
    if (active.count > 0) {
      await this.#seal(active);
      manifest.replaceSync({
        active: undefined,
        tail: { baseId: active.baseId, length: active.end, checksum: active.checksum },
        promisedId: durableId,
        closedCleanly: true,
      });
    } else {
      // MANIFEST first: a segment that it names must exist.
      manifest.replaceSync({ active: undefined, promisedId: durableId, closedCleanly: true });
      await handle.close();
      await directory.delete(active.name);
      await directory.sync();
      index.noteRemoved(tasks, active.baseId);
    }
    await tasks.settled();
  }

  async #seal(segment: ActiveSegment): Promise<void> {
    const { handle } = segment;
    if (handle === undefined) return;
    const sealed = await sealSegment(handle, this.#identityOf(segment), sealable(segment));
    await handle.close();
    this.#noteSealed(segment, sealed);
  }

  #sealNow(segment: ActiveSegment): void {
    const { handle } = segment;
    if (handle === undefined) return;
    const sealed = sealSegmentSync(handle, this.#identityOf(segment), sealable(segment));
    handle.closeSync();
    this.#noteSealed(segment, sealed);
  }

  #noteSealed(segment: ActiveSegment, sealed: SealedSegment): void {
    const { catalog, counters, index, tasks, directory } = this.#parts;
    const entry = catalog.find(segment.baseId);
    if (entry !== undefined) {
      entry.sealed = sealed;
      entry.live = undefined;
    }
    segment.handle = undefined;
    counters.segmentsFinalized++;
    index.noteSealed(tasks, sealed, Math.floor(directory.clock.wallUs() / 1000));
    this.#parts.onSealed();
  }

  #identityOf({ baseId, salt, createdAtUs }: ActiveSegment): SegmentIdentity {
    return { baseId, salt, createdAtUs, epoch: this.#epoch };
  }
}

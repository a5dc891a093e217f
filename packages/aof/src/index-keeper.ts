/**
 * Keeps the segment index in step with the log, and asks it at open. The index is a cache: no failure here ever
 * reaches an append, and nothing it says is believed against the files.
 */
import {
  canTransition,
  type NewSegmentEntry,
  openSegmentIndex,
  type SegmentEntry,
  type SegmentIndex,
} from "@varve/segment-index";
import type { ActiveSegment } from "./active-segment.ts";
import type { BackgroundTasks } from "./background-tasks.ts";
import type { LogDirectory } from "./log-directory.ts";
import type { SealedSegment } from "./sealed-segment.ts";
import { segmentName } from "./segment-name.ts";

export interface IndexSettings {
  readonly indexPath: string;
  readonly indexKind: "auto" | "lmdb" | "file" | "memory";
}

/** What opening the index found. */
export interface IndexOpening {
  readonly kind: "lmdb" | "file" | "memory";
  readonly outcome: "opened" | "created" | "reset";
  readonly reason: string | undefined;
}

export class IndexKeeper {
  readonly opening: IndexOpening;
  readonly #index: SegmentIndex;
  readonly #logId: string;
  readonly #epoch: number;

  private constructor(index: SegmentIndex, opening: IndexOpening, logId: string, epoch: number) {
    this.#index = index;
    this.opening = opening;
    this.#logId = logId;
    this.#epoch = epoch;
  }

  /** @throws IndexError only when not even an empty index can be made */
  static async open(
    directory: LogDirectory,
    settings: IndexSettings,
    logId: string,
    epoch: number,
  ): Promise<IndexKeeper> {
    const { index, outcome, reason } = await openSegmentIndex(
      { kind: settings.indexKind, path: directory.at(settings.indexPath), logId },
      { fileSystem: directory.fileSystem },
    );
    return new IndexKeeper(index, { kind: index.kind, outcome, reason }, logId, epoch);
  }

  get index(): SegmentIndex {
    return this.#index;
  }

  /** Complete segments as the index remembers them. */
  async sealedSegments(): Promise<Map<number, SealedSegment>> {
    const entries = await this.#index.list({ status: "finalized" });
    return new Map(entries.map((entry) => [entry.baseId, toSealed(entry)]));
  }

  /** Makes the index say exactly this, where it does not yet. */
  async refresh(sealed: readonly SealedSegment[]): Promise<void> {
    const known = new Map((await this.#index.list()).map((entry) => [entry.baseId, entry]));
    const agrees =
      known.size === sealed.length &&
      sealed.every((segment) => {
        const entry = known.get(segment.baseId);
        return (
          entry?.status === "finalized" &&
          entry.originalSize === segment.fileLength &&
          entry.uncompressedChecksum === segment.checksum
        );
      });
    if (!agrees) await this.#index.replaceAll(sealed.map(toEntry));
    await this.#index.setStamp(this.#stamp(sealed.at(-1)));
  }

  /** Books: a segment was begun. */
  noteActive(tasks: BackgroundTasks, segment: ActiveSegment): void {
    const entry = this.#activeEntry(segment);
    void tasks.run("index", async () => {
      await this.#index.add(entry);
    });
  }

  /** Books: a segment is complete. */
  noteSealed(tasks: BackgroundTasks, segment: SealedSegment, finalizedAtMs: number): void {
    void tasks.run("index", async () => {
      const { baseId, createdAt, status, ...patch } = toEntry(segment);
      void baseId;
      void createdAt;
      await this.#index.transition(segment.baseId, "active", status, { ...patch, finalizedAt: finalizedAtMs });
      await this.#index.setStamp(this.#stamp(segment));
    });
  }

  /** Books: a segment's file is gone. */
  noteRemoved(tasks: BackgroundTasks, baseId: number): void {
    void tasks.run("index", () => this.#index.remove(baseId));
  }

  /** Says that these segments' files are about to go. Never rejects: nothing the index says keeps a file. */
  beginRemoval(tasks: BackgroundTasks, baseIds: readonly number[]): Promise<void> {
    return tasks.run("index", async () => {
      for (const baseId of baseIds) {
        const status = (await this.#index.get(baseId))?.status;
        if (status !== undefined && canTransition(status, "deleting")) {
          await this.#index.transition(baseId, status, "deleting");
        }
      }
    });
  }

  close(): Promise<void> {
    return this.#index.close();
  }

  #stamp(tail: SealedSegment | undefined): { logId: string; epoch: number; tailBaseId: number; tailLength: number } {
    return { logId: this.#logId, epoch: this.#epoch, tailBaseId: tail?.baseId ?? 0, tailLength: tail?.dataLength ?? 0 };
  }

  #activeEntry(segment: ActiveSegment): NewSegmentEntry {
    return {
      baseId: segment.baseId,
      lastId: segment.baseId - 1,
      recordCount: 0,
      createdAt: Math.floor(segment.createdAtUs / 1000),
      firstTimestampUs: 0,
      lastTimestampUs: 0,
      dataLength: 64,
      originalSize: 64,
      uncompressedChecksum: 0n,
      epoch: this.#epoch,
      status: "active",
      localPath: segment.name,
    };
  }
}

function toEntry(segment: SealedSegment): NewSegmentEntry {
  return {
    baseId: segment.baseId,
    lastId: segment.lastId,
    recordCount: segment.recordCount,
    createdAt: Math.floor(segment.createdAtUs / 1000),
    firstTimestampUs: segment.firstTimestampUs,
    lastTimestampUs: segment.lastTimestampUs,
    dataLength: segment.dataLength,
    originalSize: segment.fileLength,
    uncompressedChecksum: segment.checksum,
    epoch: segment.epoch,
    status: "finalized",
    localPath: segmentName(segment.baseId),
  };
}

function toSealed(entry: SegmentEntry): SealedSegment {
  return {
    baseId: entry.baseId,
    lastId: entry.lastId,
    recordCount: entry.recordCount,
    epoch: entry.epoch,
    createdAtUs: entry.createdAt * 1000,
    firstTimestampUs: entry.firstTimestampUs,
    lastTimestampUs: entry.lastTimestampUs,
    dataLength: entry.dataLength,
    fileLength: entry.originalSize,
    checksum: entry.uncompressedChecksum,
    expiry: undefined,
  };
}

/**
 * Makes a log's directory what the plan says it is. Every step may be the last one before a crash; the next open then
 * plans again and comes to the same records.
 *
 * Order:
 *  1. the cut bytes are kept aside and synced, before anything is cut
 *  2. the kept records behind the last promise are written and synced again: the writer that died may have had a
 *     failed sync, after which the kernel calls pages clean that never reached the disk, and a second sync does nothing
 *  3. segments are sealed (offset table, footer, length, sync)
 *  4. only then are they named by MANIFEST, when the caller begins the next segment
 */
import { type FileHandle, temporaryName } from "@varve/fs-core";
import { toAofError } from "./errors.ts";
import type { Manifest, SegmentTail } from "./format/manifest-codec.ts";
import type { LogDirectory } from "./log-directory.ts";
import type { RecoveryPlan, ScannedSegment, TailFinding } from "./recovery-plan.ts";
import type { TornTail } from "./recovery-report.ts";
import { type SealedSegment, sealSegment } from "./sealed-segment.ts";
import { brokenName, segmentName } from "./segment-name.ts";

/** The log after its files were put in order. */
export interface RecoveredFiles {
  readonly sealed: readonly SealedSegment[];
  readonly tornTail: TornTail | undefined;
  readonly resealed: readonly number[];
  readonly removedFiles: readonly string[];
}

const copyStepBytes = 1024 * 1024;

/**
 * @param options.isTakeOver another process may still have the segments open for writing: they are sealed as copies
 * under their names, so that whatever it writes goes to files that no longer have one
 * @throws AofError `IO`, `NO_SPACE`, …
 */
export async function applyRecovery(
  directory: LogDirectory,
  plan: RecoveryPlan,
  options: { readonly isTakeOver: boolean },
): Promise<RecoveredFiles> {
  try {
    return await new Recovery(directory, plan, options.isTakeOver).run();
  } catch (error) {
    throw toAofError(error, "recovering the log");
  }
}

class Recovery {
  readonly #directory: LogDirectory;
  readonly #plan: RecoveryPlan;
  readonly #isTakeOver: boolean;
  readonly #sealed: Map<number, SealedSegment>;
  readonly #resealed: number[] = [];
  readonly #removed: string[] = [];
  #tornTail: TornTail | undefined;

  constructor(directory: LogDirectory, plan: RecoveryPlan, isTakeOver: boolean) {
    this.#directory = directory;
    this.#plan = plan;
    this.#isTakeOver = isTakeOver;
    this.#sealed = new Map(plan.sealed.map((segment) => [segment.baseId, segment]));
  }

  async run(): Promise<RecoveredFiles> {
    for (const segment of this.#plan.unsealed) await this.#seal(segment);
    if (this.#plan.active !== undefined) await this.#settleTail(this.#plan.active);
    for (const baseId of this.#plan.unreadable) {
      const keptAs = await this.#freeBrokenName(baseId, (this.#plan.manifest as Manifest).epoch, 0);
      await this.#directory.rename(segmentName(baseId), keptAs);
    }
    const trimmed = this.#plan.trimmed.map(segmentName);
    for (const name of [...trimmed, ...this.#plan.debris, ...this.#plan.temporary]) {
      await this.#directory.delete(name);
      this.#removed.push(name);
    }
    // A segment sealed by the writer that died may not have its name synced, nor may the removals above.
    await this.#directory.sync();
    return {
      sealed: [...this.#sealed.values()].sort((a, b) => a.baseId - b.baseId),
      tornTail: this.#tornTail,
      resealed: this.#resealed,
      removedFiles: this.#removed,
    };
  }

  async #settleTail(tail: TailFinding): Promise<void> {
    if (tail.tornEnd > tail.scan.end) await this.#keepAside(tail);
    // An empty segment is replaced by the one that the caller begins next, under the same name.
    if (tail.scan.count > 0) await this.#seal(tail, tail.scan.promise);
  }

  /** @param durableEnd everything before it is known to be on disk */
  async #seal({ header, scan }: ScannedSegment, durableEnd: number = scan.end): Promise<void> {
    const path = segmentName(header.baseId);
    if (this.#isTakeOver) await this.#replaceByCopy(path, scan.end);
    const handle = await this.#directory.openMut(path);
    try {
      await copyBytes(handle, durableEnd, handle, durableEnd, scan.end - durableEnd);
      await handle.sync();
      const sealed = await sealSegment(handle, header, scan);
      this.#sealed.set(header.baseId, sealed);
      this.#resealed.push(header.baseId);
    } finally {
      await handle.close();
    }
  }

  async #replaceByCopy(path: string, length: number): Promise<void> {
    const name = temporaryName("segment", this.#directory.random.u64());
    const source = await this.#directory.open(path);
    try {
      const copy = await this.#directory.create(name);
      try {
        await copyBytes(source, 0, copy, 0, length);
        await copy.sync();
      } finally {
        await copy.close();
      }
    } finally {
      await source.close();
    }
    await this.#directory.rename(name, path);
    await this.#directory.sync();
  }

  async #keepAside(tail: TailFinding): Promise<void> {
    const { baseId } = tail.header;
    const epoch = (this.#plan.manifest as Manifest).epoch;
    const path = segmentName(baseId);
    const from = tail.scan.end;
    const bytes = tail.tornEnd - from;
    const source = await this.#directory.open(path);
    try {
      const keptAs = await this.#copyOut(source, baseId, epoch, from, bytes);
      await this.#directory.sync();
      this.#tornTail = {
        segmentId: baseId,
        path,
        offset: from,
        bytes,
        firstCutId: baseId + tail.scan.count,
        cutRecords: tail.cutRecords,
        keptAs,
      };
    } finally {
      await source.close();
    }
  }

  async #copyOut(source: FileHandle, baseId: number, epoch: number, from: number, bytes: number): Promise<string> {
    const name = await this.#freeBrokenName(baseId, epoch, from);
    const copy = await this.#directory.create(name);
    try {
      await copyBytes(source, from, copy, 0, bytes);
      await copy.sync();
    } finally {
      await copy.close();
    }
    return name;
  }

  /** A recovery that died after keeping the bytes leaves the name taken: what it kept is not overwritten. */
  async #freeBrokenName(baseId: number, epoch: number, offset: number): Promise<string> {
    for (let attempt = 0; ; attempt++) {
      const name = brokenName(baseId, epoch, offset, attempt);
      if (!(await this.#directory.fileSystem.fileExists(this.#directory.at(name)))) return name;
    }
  }
}

/** Copies `length` bytes from `from` in `source` to `to` in `target`, which may be the same file and place. */
async function copyBytes(
  source: FileHandle,
  from: number,
  target: FileHandle,
  to: number,
  length: number,
): Promise<void> {
  const buffer = new Uint8Array(Math.min(copyStepBytes, length));
  for (let done = 0; done < length; ) {
    const got = await source.readAt(from + done, buffer.subarray(0, Math.min(buffer.length, length - done)));
    if (got === 0) return;
    await target.writeAt(to + done, buffer.subarray(0, got));
    done += got;
  }
}

/** What the next segment's header and MANIFEST say of the newest complete segment. */
export function tailOf(sealed: readonly SealedSegment[]): SegmentTail | undefined {
  const last = sealed.at(-1);
  return last === undefined ? undefined : { baseId: last.baseId, length: last.dataLength, checksum: last.checksum };
}

/** Reads every byte of a log and compares everything that is said twice. Changes nothing, takes no lock. */
import type { FileHandle } from "@varve/fs-core";
import { AofError, type AofErrorCode, isAofError, toAofError } from "./errors.ts";
import { type SegmentHeader, segmentHeaderBytes } from "./format/segment-header.ts";
import { readKeysOf } from "./keys/keys-file.ts";
import { LogDirectory } from "./log-directory.ts";
import { checkCursorFile } from "./cursor-file.ts";
import { listLog } from "./log-listing.ts";
import { readManifest } from "./manifest-file.ts";
import { type AofParts, resolveParts } from "./parts.ts";
import { planRecovery, type RecoveryPlan } from "./recovery-plan.ts";
import { hasSoundTable, inspectSegment } from "./segment-inspect.ts";
import { readFooter, type SealedSegment } from "./sealed-segment.ts";
import { scanBeyond, type ScanResult, scanSegment } from "./segment-scan.ts";
import { segmentName } from "./segment-name.ts";
import { splitTrimmed } from "./trimmed-segments.ts";
import { abortedError } from "./watermark.ts";

/** Which log to verify. */
export interface VerifySettings {
  readonly dir: string;
  /** Default `index`. */
  readonly indexPath?: string;
}

/** How to follow and stop a verification. */
export interface VerifyOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: VerifyProgress) => void;
}

/** How far a verification is. */
export interface VerifyProgress {
  /** File name of the segment being read. */
  readonly segment: string;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

/** One thing that is wrong. */
export interface VerifyProblem {
  readonly code: AofErrorCode;
  readonly message: string;
  readonly path?: string;
  readonly segmentId?: number;
  readonly offset?: number;
  readonly recordId?: number;
  /** With a run of records that cannot be read: the last of them. */
  readonly lastRecordId?: number;
  /** The record was lost before; a repair left a mark in its place. Nothing can mend it. */
  readonly isLostMark?: boolean;
}

/** What a verification found. Plain JSON. */
export interface VerifyReport {
  /** No problems. */
  readonly ok: boolean;
  readonly segments: number;
  /** Sound records. */
  readonly records: number;
  /** Bytes of segment files read. */
  readonly bytes: number;
  /** 0 when the log is empty. */
  readonly firstId: number;
  readonly lastId: number;
  readonly problems: readonly VerifyProblem[];
  /** Harmless findings: what the next open for writing will tidy up. */
  readonly notes: readonly string[];
}

/**
 * @throws AofError `NOT_FOUND` when there is no log, `ABORTED`, `IO` when the directory itself cannot be read.
 * What is wrong with the log is in the report, not thrown.
 */
export async function verifyLog(
  settings: VerifySettings,
  options: VerifyOptions = {},
  parts: AofParts = {},
): Promise<VerifyReport> {
  const directory = new LogDirectory(resolveParts(settings.dir, parts));
  return new Verification(directory, settings.indexPath ?? "index", options).run();
}

/** Listed at most: a log can have more damage than anybody reads. */
const problemsMax = 1000;

class Verification {
  readonly #directory: LogDirectory;
  readonly #indexPath: string;
  readonly #options: VerifyOptions;
  readonly #problems: VerifyProblem[] = [];
  readonly #notes: string[] = [];
  #unlisted = 0;
  #sound = 0;
  #bytesDone = 0;
  #bytesTotal = 0;
  #lastId = 0;
  /** Sound records below it are none of the log's any more. */
  #firstId = 1;

  constructor(directory: LogDirectory, indexPath: string, options: VerifyOptions) {
    this.#directory = directory;
    this.#indexPath = indexPath;
    this.#options = options;
  }

  async run(): Promise<VerifyReport> {
    const listing = await listLog(this.#directory, this.#indexPath);
    if (listing.segments.length === 0 && !listing.hasManifest)
      throw new AofError("NOT_FOUND", "there is no log in this directory");
    const segments = await this.#liveOf(listing.segments);
    for (const baseId of segments) {
      this.#bytesTotal += await this.#directory.metadata(segmentName(baseId)).then((found) => found.size);
    }
    await this.#structure();
    for (const baseId of segments) await this.#segment(baseId);
    if (this.#unlisted > 0) this.#notes.push(`${this.#unlisted} further problems are not listed`);
    return {
      ok: this.#problems.length === 0,
      segments: segments.length,
      records: this.#sound,
      bytes: this.#bytesDone,
      firstId: segments[0] !== undefined && this.#sound > 0 ? Math.max(segments[0], this.#firstId) : 0,
      lastId: this.#lastId,
      problems: this.#problems,
      notes: this.#notes,
    };
  }

  /** Without what a trim left behind. A MANIFEST that cannot be read is the plan's to report. */
  async #liveOf(segments: readonly number[]): Promise<readonly number[]> {
    try {
      const manifest = await readManifest(this.#directory);
      if (manifest === undefined) return segments;
      this.#firstId = manifest.firstId;
      try {
        await checkCursorFile(this.#directory, manifest);
      } catch (error) {
        this.#note(error);
      }
      return splitTrimmed(segments, manifest).live;
    } catch (error) {
      if (isAofError(error)) return segments;
      throw error;
    }
  }

  /** What an open for writing would say. */
  async #structure(): Promise<void> {
    let plan: RecoveryPlan;
    try {
      plan = await planRecovery(this.#directory, { indexPath: this.#indexPath, signal: this.#options.signal });
    } catch (error) {
      this.#throwIfAborted();
      this.#note(error);
      return;
    }
    await this.#keys(plan);
    const { active } = plan;
    if (active !== undefined && active.tornEnd > active.scan.end) {
      this.#notes.push(
        `${segmentName(active.header.baseId)} ends with ${active.tornEnd - active.scan.end} torn bytes at offset ${active.scan.end}, never acknowledged as durable: the next open for writing cuts them and keeps a copy`,
      );
    }
    for (const { header } of plan.unsealed)
      this.#notes.push(`${segmentName(header.baseId)} has no whole footer: the next open for writing writes it again`);
    for (const baseId of plan.unreadable) {
      this.#notes.push(
        `${segmentName(baseId)} is unknown to MANIFEST and cannot be read: the next open for writing sets it aside`,
      );
    }
    for (const name of [...plan.trimmed.map(segmentName), ...plan.debris, ...plan.temporary])
      this.#notes.push(`${name} is left over: the next open for writing removes it`);
    for (const name of plan.foreign) this.#notes.push(`${name} is not part of the log and is left alone`);
  }

  /** No key is needed: a record's checksum covers it as it is stored. */
  async #keys({ manifest }: RecoveryPlan): Promise<void> {
    if (manifest?.hasKeys !== true) return;
    try {
      await readKeysOf(this.#directory, manifest.logId);
    } catch (error) {
      this.#note(error);
    }
  }

  async #segment(baseId: number): Promise<void> {
    const path = segmentName(baseId);
    try {
      const { header, sealed, fileLength } = await inspectSegment(this.#directory, baseId);
      const handle = await this.#directory.open(path);
      try {
        const before = this.#bytesDone;
        const limit = sealed?.dataLength ?? fileLength;
        const scan = await this.#records(handle, path, header, limit, sealed, before);
        this.#bytesDone = before + fileLength;
        if (sealed === undefined) return;
        if (scan.end >= sealed.dataLength && (scan.checksum !== sealed.checksum || scan.count !== sealed.recordCount)) {
          this.#note(
            new AofError("CORRUPTED_SEGMENT", `${path} is not what its footer says it was`, {
              path,
              segmentId: baseId,
            }),
          );
        }
        await this.#table(handle, path, sealed);
      } finally {
        await handle.close();
      }
    } catch (error) {
      this.#throwIfAborted();
      this.#note(toAofError(error, `reading ${path}`, { path, segmentId: baseId }));
    }
  }

  /** Reads every record, going on behind damage with the next sound one. @returns the scan up to the first damage */
  async #records(
    handle: FileHandle,
    path: string,
    header: SegmentHeader,
    limit: number,
    sealed: SealedSegment | undefined,
    before: number,
  ): Promise<ScanResult> {
    const { baseId, salt } = header;
    const { signal } = this.#options;
    const onProgress = (offset: number): void => this.#progress(path, before + offset);
    let first: ScanResult | undefined;
    let nextId = baseId;
    for (let from = segmentHeaderBytes; ; ) {
      const scan = await scanSegment(handle, { baseId: nextId, salt, from, limit, signal, onProgress });
      first ??= scan;
      this.#count(scan, path, baseId, nextId);
      nextId += scan.count;
      if (scan.stop === "newer") {
        this.#problem("FORMAT_TOO_NEW", path, baseId, nextId, scan.end, "was written by a newer version");
      }
      // Behind the end of an unsealed segment lie zeroes or a torn tail: the plan has judged them.
      if (sealed === undefined || scan.stop === "newer" || scan.end >= limit) return first;
      const beyond = await scanBeyond(handle, { baseId, salt, from: scan.end, limit, minId: nextId, signal });
      const next = beyond.firstRecordId ?? sealed.lastId + 1;
      const what = next - nextId > 1 ? `to ${next - 1} cannot be read` : "is damaged";
      this.#problem("CORRUPTED_RECORD", path, baseId, nextId, scan.end, what, { lastRecordId: next - 1 });
      if (beyond.firstRecordAt === undefined) return first;
      from = beyond.firstRecordAt;
      nextId = next;
    }
  }

  #count(scan: ScanResult, path: string, segmentId: number, firstId: number): void {
    const trimmed = Math.min(scan.count, Math.max(0, this.#firstId - firstId));
    const lostIndexes = scan.lostIndexes.filter((index) => index >= trimmed);
    this.#sound += scan.count - trimmed - lostIndexes.length;
    if (scan.count > trimmed) this.#lastId = firstId + scan.count - 1;
    for (const index of lostIndexes) {
      const offset = (scan.units[index] as number) * 8;
      this.#problem(
        "CORRUPTED_RECORD",
        path,
        segmentId,
        firstId + index,
        offset,
        "was lost; a repair left a mark in its place",
        { isLostMark: true },
      );
    }
  }

  async #table(handle: FileHandle, path: string, sealed: SealedSegment): Promise<void> {
    const footer = await readFooter(handle, sealed.fileLength);
    if (footer !== undefined && (await hasSoundTable(handle, footer, sealed.fileLength))) return;
    this.#note(
      new AofError("CORRUPTED_SEGMENT", `the offset table of ${path} is damaged; its records are not affected`, {
        path,
        segmentId: sealed.baseId,
        offset: sealed.dataLength,
      }),
    );
  }

  #progress(segment: string, bytesDone: number): void {
    this.#options.onProgress?.({ segment, bytesDone, bytesTotal: this.#bytesTotal });
  }

  #problem(
    code: AofErrorCode,
    path: string,
    segmentId: number,
    recordId: number,
    offset: number,
    what: string,
    more: Pick<VerifyProblem, "lastRecordId" | "isLostMark"> = {},
  ): void {
    const message = `record ${recordId} at offset ${offset} of ${path} ${what}`;
    this.#add({ code, message, path, segmentId, offset, recordId, ...more });
  }

  #note(error: unknown): void {
    if (!isAofError(error)) throw error;
    const { code, message, path, segmentId, offset, recordId } = error;
    this.#add({
      code,
      message,
      ...(path === undefined ? {} : { path }),
      ...(segmentId === undefined ? {} : { segmentId }),
      ...(offset === undefined ? {} : { offset }),
      ...(recordId === undefined ? {} : { recordId }),
    });
  }

  /** The same finding from two sides is one problem. */
  #add(problem: VerifyProblem): void {
    const { code, path, offset } = problem;
    if (this.#problems.some((known) => known.code === code && known.path === path && known.offset === offset)) return;
    if (this.#problems.length < problemsMax) this.#problems.push(problem);
    else this.#unlisted++;
  }

  #throwIfAborted(): void {
    const { signal } = this.#options;
    if (signal?.aborted) throw abortedError(signal);
  }
}

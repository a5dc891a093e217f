/**
 * Reads a log's directory and decides what it holds and what an open for writing would have to do. Changes nothing.
 *
 * What must exist comes from MANIFEST and the chain of headers, never from what happens to be there; see FORMAT.md
 * "What a recovery concludes".
 */
import { isStorageError } from "@varve/fs-core";
import { AofError, toAofError } from "./errors.ts";
import type { Manifest } from "./format/manifest-codec.ts";
import { type SegmentHeader, segmentHeaderBytes } from "./format/segment-header.ts";
import type { LogDirectory } from "./log-directory.ts";
import { listLog } from "./log-listing.ts";
import { readManifest } from "./manifest-file.ts";
import { inspectSegment } from "./segment-inspect.ts";
import type { SealedSegment } from "./sealed-segment.ts";
import { type BeyondResult, type ScanResult, scanBeyond, scanSegment } from "./segment-scan.ts";
import { segmentName } from "./segment-name.ts";
import { isTailTrimmed, splitTrimmed } from "./trimmed-segments.ts";

/** A segment without a footer whose records were found by a scan. */
export interface ScannedSegment {
  readonly header: SegmentHeader;
  readonly scan: ScanResult;
}

/** The active segment's end, judged. */
export interface TailFinding extends ScannedSegment {
  /** Bytes `[scan.end, tornEnd)` are not zero and will be cut; equal when the log ended cleanly. */
  readonly tornEnd: number;
  /** Sound records that had to be cut with their torn neighbours: a batch's, or ones behind a torn spot. */
  readonly cutRecords: boolean;
  readonly fileLength: number;
}

export interface RecoveryPlan {
  /** undefined: there is no log yet. */
  readonly manifest: Manifest | undefined;
  /** Complete segments in order, each with a footer or known to the index. */
  readonly sealed: readonly SealedSegment[];
  /** Complete segments whose footer never got written; they fit into `sealed` by base id. */
  readonly unsealed: readonly ScannedSegment[];
  readonly active: TailFinding | undefined;
  /** Files of an interrupted start of a segment: no record of theirs was ever acknowledged. */
  readonly debris: readonly string[];
  /** The same, but with bytes in them that nobody can read: kept aside rather than removed. Base ids. */
  readonly unreadable: readonly number[];
  /** What a trim that died left behind: no part of the log, not looked into. Base ids. */
  readonly trimmed: readonly number[];
  readonly temporary: readonly string[];
  readonly foreign: readonly string[];
  readonly scannedBytes: number;
}

export interface PlanOptions {
  /** What the index knows, by base id; believed when the file's length agrees. */
  readonly indexed?: ReadonlyMap<number, SealedSegment> | undefined;
  readonly indexPath?: string;
  readonly signal?: AbortSignal | undefined;
}

/** @throws AofError `CORRUPTED_…`, `FORMAT_TOO_NEW`, `NOT_A_LOG`, `IO`: the first problem in log order */
export async function planRecovery(directory: LogDirectory, options: PlanOptions = {}): Promise<RecoveryPlan> {
  return new Planner(directory, options).plan();
}

class Planner {
  readonly #directory: LogDirectory;
  readonly #options: PlanOptions;
  readonly #sealed: SealedSegment[] = [];
  readonly #unsealed: ScannedSegment[] = [];
  readonly #debris: string[] = [];
  readonly #unreadable: number[] = [];
  #scannedBytes = 0;

  constructor(directory: LogDirectory, options: PlanOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  async plan(): Promise<RecoveryPlan> {
    const listing = await listLog(this.#directory, this.#options.indexPath);
    const manifest = await readManifest(this.#directory);
    const rest = { temporary: listing.temporary, foreign: listing.foreign };
    if (manifest === undefined) {
      if (listing.segments.length > 0) {
        throw new AofError(
          "CORRUPTED_MANIFEST",
          `MANIFEST is missing although ${listing.segments.length} segments are there; restore it, or repair with mode "salvage"`,
          { path: "MANIFEST" },
        );
      }
      return {
        manifest,
        sealed: [],
        unsealed: [],
        active: undefined,
        debris: [],
        unreadable: [],
        trimmed: [],
        ...rest,
        scannedBytes: 0,
      };
    }
    const { trimmed, live } = splitTrimmed(listing.segments, manifest);
    const complete = live.filter((baseId) => baseId <= (manifest.tail?.baseId ?? 0));
    const beyond = live.filter((baseId) => baseId > (manifest.tail?.baseId ?? 0));
    await this.#completeSegments(manifest, complete);
    const active = await this.#activeSegment(manifest, beyond);
    for (const baseId of beyond) {
      if (baseId !== manifest.active?.baseId) await this.#beyondManifest(baseId);
    }
    return {
      manifest,
      sealed: this.#sealed,
      unsealed: this.#unsealed,
      active,
      debris: this.#debris,
      unreadable: this.#unreadable,
      trimmed,
      ...rest,
      scannedBytes: this.#scannedBytes,
    };
  }

  /** Everything before the active segment: present, linked, and of the length its successor says. */
  async #completeSegments(manifest: Manifest, baseIds: readonly number[]): Promise<void> {
    const { tail, firstId } = manifest;
    if (tail === undefined || isTailTrimmed(manifest)) return;
    let nextId: number | undefined;
    for (const [index, baseId] of baseIds.entries()) {
      if (nextId === undefined && baseId > firstId) throw missingSegment(firstId, baseId);
      if (nextId !== undefined && baseId !== nextId) throw missingSegment(nextId, baseId);
      const successor = baseIds[index + 1];
      const found = await this.#completeSegment(manifest, baseId, successor);
      if (found.lastId >= firstId) this.#sealed.push(found);
      nextId = found.lastId + 1;
    }
    const last = this.#sealed.at(-1);
    if (last?.baseId !== tail.baseId) throw missingSegment(tail.baseId, undefined);
    if (last.dataLength !== tail.length || last.checksum !== tail.checksum) throw brokenChain(last, "MANIFEST");
  }

  async #completeSegment(manifest: Manifest, baseId: number, successor: number | undefined): Promise<SealedSegment> {
    const indexed = this.#options.indexed?.get(baseId);
    if (indexed !== undefined && this.#lengthOf(baseId) === indexed.fileLength) return indexed;
    const inspected = await inspectSegment(this.#directory, baseId, { checkTable: !manifest.closedCleanly });
    await this.#checkLink(inspected.header);
    if (inspected.sealed !== undefined) return inspected.sealed;
    // Its footer never got written, or was damaged: the successor tells what its records must be.
    const expected =
      successor === undefined
        ? { length: manifest.tail?.length, checksum: manifest.tail?.checksum }
        : await this.#expectationOf(successor);
    const scan = await this.#scan(baseId, inspected.header, expected.length ?? inspected.fileLength);
    const length = expected.length ?? scan.end;
    if (scan.stop === "newer") throw tooNew(baseId, scan.end);
    if (scan.end < length) throw damagedRecord(baseId, scan, "its successor was begun after it was durable");
    if (scan.checksum !== expected.checksum) throw brokenChain({ baseId }, "the segment after it");
    this.#unsealed.push({ header: inspected.header, scan });
    return {
      baseId,
      lastId: baseId + scan.count - 1,
      recordCount: scan.count,
      epoch: inspected.header.epoch,
      createdAtUs: inspected.header.createdAtUs,
      firstTimestampUs: scan.firstTimestampUs,
      lastTimestampUs: scan.lastTimestampUs,
      dataLength: scan.end,
      fileLength: inspected.fileLength,
      checksum: scan.checksum,
      expiry: { expiringCount: scan.expiringCount, maxExpiresAtUs: scan.maxExpiresAtUs },
    };
  }

  async #expectationOf(successor: number): Promise<{ length: number; checksum: bigint }> {
    const { header } = await inspectSegment(this.#directory, successor);
    return { length: header.previousLength, checksum: header.previousChecksum };
  }

  /** Whether the segment before this one is what this one's header says. */
  async #checkLink(header: SegmentHeader): Promise<void> {
    const previous = this.#sealed.at(-1);
    if (previous === undefined) return;
    if (header.previousLength === previous.dataLength && header.previousChecksum === previous.checksum) return;
    const before = await inspectSegment(this.#directory, previous.baseId);
    if (!before.header.salvaged) throw brokenChain(previous, segmentName(header.baseId));
  }

  async #activeSegment(manifest: Manifest, beyond: readonly number[]): Promise<TailFinding | undefined> {
    const { active } = manifest;
    if (active === undefined) return undefined;
    const { baseId } = active;
    if (!beyond.includes(baseId)) throw missingSegment(baseId, undefined);
    const inspected = await inspectSegment(this.#directory, baseId, { checkTable: true });
    await this.#checkLink(inspected.header);
    if (inspected.sealed !== undefined) {
      // A close or a recovery sealed it and died before MANIFEST could say so.
      this.#sealed.push(inspected.sealed);
      this.#checkPromise(manifest, baseId, inspected.sealed.lastId, inspected.sealed.dataLength);
      return undefined;
    }
    const scan = await this.#scan(baseId, inspected.header, inspected.fileLength);
    if (scan.stop === "newer") throw tooNew(baseId, scan.end);
    if (inspected.header.salt !== active.salt && scan.count > 0) {
      throw new AofError(
        "CORRUPTED_SEGMENT",
        `${segmentName(baseId)} is not the segment that MANIFEST names: it was replaced by another with records in it`,
        { path: segmentName(baseId), segmentId: baseId },
      );
    }
    return this.#judgeTail(manifest, inspected.header, scan, inspected.fileLength);
  }

  /** Torn or damaged: FORMAT.md, "What a recovery concludes". */
  async #judgeTail(
    manifest: Manifest,
    header: SegmentHeader,
    scan: ScanResult,
    fileLength: number,
  ): Promise<TailFinding> {
    const { baseId } = header;
    const beyond = await this.#scanBeyond(header, scan, fileLength);
    const promise = Math.max(scan.promise, beyond.promise);
    if (beyond.newer) throw tooNew(baseId, beyond.firstRecordAt ?? scan.end);
    if (scan.end < promise) throw damagedRecord(baseId, scan, "a later record says that it was durable");
    let kept = scan;
    if (scan.openBatchIndex !== undefined) {
      const cutAt = (scan.units[scan.openBatchIndex] as number) * 8;
      kept = await this.#scan(baseId, header, cutAt);
      if (cutAt < promise) throw damagedRecord(baseId, kept, "a later record says that it was durable");
    }
    this.#checkPromise(manifest, baseId, baseId + kept.count - 1, kept.end);
    return {
      header,
      scan: kept,
      tornEnd: Math.max(beyond.nonZeroEnd, kept.end < scan.end ? scan.end : kept.end),
      cutRecords: kept !== scan || beyond.firstRecordAt !== undefined,
      fileLength,
    };
  }

  #checkPromise(manifest: Manifest, baseId: number, lastId: number, offset: number): void {
    if (lastId >= manifest.promisedId) return;
    throw new AofError(
      "CORRUPTED_RECORD",
      `record ${lastId + 1} is missing at offset ${offset} of ${segmentName(baseId)}: MANIFEST says that everything up to ${manifest.promisedId} was durable`,
      { path: segmentName(baseId), segmentId: baseId, offset, recordId: lastId + 1 },
    );
  }

  /** A segment that MANIFEST does not know: nothing in it was acknowledged, unless MANIFEST is an old copy. */
  async #beyondManifest(baseId: number): Promise<void> {
    const path = segmentName(baseId);
    let header: SegmentHeader;
    try {
      ({ header } = await inspectSegment(this.#directory, baseId));
    } catch (error) {
      if (!(error instanceof AofError) || error.code !== "CORRUPTED_SEGMENT") throw error;
      this.#unreadable.push(baseId);
      return;
    }
    const scan = await this.#scan(baseId, header, this.#lengthOf(baseId));
    if (scan.count > 0 || scan.stop === "newer") {
      throw new AofError(
        "CORRUPTED_MANIFEST",
        `${path} holds records but MANIFEST does not know it: MANIFEST is an older copy, or the segment is another log's`,
        { path, segmentId: baseId },
      );
    }
    this.#debris.push(path);
  }

  /** Synchronous: 5 µs for each of what may be thousands of segments, against a trip through the thread pool. */
  #lengthOf(baseId: number): number {
    const path = segmentName(baseId);
    try {
      const found = this.#directory.metadataSync(path);
      return found.kind === "file" ? found.size : -1;
    } catch (error) {
      throw toAofError(error, `looking at ${path}`, { path, segmentId: baseId });
    }
  }

  async #scan(baseId: number, header: SegmentHeader, limit: number): Promise<ScanResult> {
    const path = segmentName(baseId);
    try {
      const handle = await this.#directory.open(path);
      try {
        const scan = await scanSegment(handle, {
          baseId,
          salt: header.salt,
          limit: Math.max(limit, segmentHeaderBytes),
          signal: this.#options.signal,
        });
        this.#scannedBytes += scan.end;
        return scan;
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (isStorageError(error) || error instanceof AofError)
        throw toAofError(error, `scanning ${path}`, { path, segmentId: baseId });
      throw error;
    }
  }

  async #scanBeyond(header: SegmentHeader, scan: ScanResult, fileLength: number): Promise<BeyondResult> {
    const path = segmentName(header.baseId);
    try {
      const handle = await this.#directory.open(path);
      try {
        this.#scannedBytes += fileLength - scan.end;
        return await scanBeyond(handle, {
          baseId: header.baseId,
          salt: header.salt,
          from: scan.end,
          limit: fileLength,
          minId: header.baseId + scan.count,
          signal: this.#options.signal,
        });
      } finally {
        await handle.close();
      }
    } catch (error) {
      throw toAofError(error, `scanning ${path}`, { path, segmentId: header.baseId });
    }
  }
}

function missingSegment(baseId: number, next: number | undefined): AofError {
  const after = next === undefined ? "" : `; the next one there is ${segmentName(next)}`;
  return new AofError("CORRUPTED_SEGMENT", `${segmentName(baseId)} is missing${after}`, {
    path: segmentName(baseId),
    segmentId: baseId,
    recordId: baseId,
  });
}

function brokenChain(segment: { readonly baseId: number }, witness: string): AofError {
  return new AofError(
    "CORRUPTED_SEGMENT",
    `${segmentName(segment.baseId)} is not as long, or not the same, as ${witness} says it was when it was complete`,
    { path: segmentName(segment.baseId), segmentId: segment.baseId },
  );
}

function damagedRecord(baseId: number, scan: ScanResult, reason: string): AofError {
  const recordId = baseId + scan.count;
  return new AofError(
    "CORRUPTED_RECORD",
    `record ${recordId} at offset ${scan.end} of ${segmentName(baseId)} is damaged, not torn: ${reason}. Nothing was changed.`,
    { path: segmentName(baseId), segmentId: baseId, offset: scan.end, recordId },
  );
}

function tooNew(baseId: number, offset: number): AofError {
  return new AofError(
    "FORMAT_TOO_NEW",
    `the record at offset ${offset} of ${segmentName(baseId)} was written by a newer version; upgrade this program. Nothing was touched.`,
    { path: segmentName(baseId), segmentId: baseId, offset },
  );
}

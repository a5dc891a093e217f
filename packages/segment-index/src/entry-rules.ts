import { fromUtf8, isAscii, toUtf8 } from "./bytes.ts";
import { invalid } from "./errors.ts";
import {
  type NewSegmentEntry,
  optionalNumbers,
  type SegmentEntry,
  type SegmentPatch,
  textFields,
} from "./segment-entry.ts";
import type { IndexStamp } from "./segment-index.ts";
import { segmentStatuses } from "./segment-status.ts";

/** Bytes of UTF-8 in a cursor's name. Fits every key limit of LMDB with room for a prefix. */
const cursorNameBytesMax = 200;

const requiredNumbers = [
  "baseId",
  "lastId",
  "recordCount",
  "createdAt",
  "firstTimestampUs",
  "lastTimestampUs",
  "dataLength",
  "originalSize",
  "epoch",
] as const;

const knownFields: ReadonlySet<string> = new Set([
  ...requiredNumbers,
  ...optionalNumbers,
  ...textFields.map(([name]) => name),
  "uncompressedChecksum",
  "compressedChecksum",
  "status",
  "version",
]);

/**
 * A frozen copy of `entry` with this version, once every rule holds.
 * @throws IndexError `INDEX_INVALID_ARGUMENT` naming all broken rules
 */
export function makeEntry(entry: NewSegmentEntry, version: number): SegmentEntry {
  if (typeof entry !== "object" || entry === null) throw invalid("an entry is an object");
  const made = withoutUndefined({ ...entry, version });
  const problems = entryProblems(made);
  if (problems.length > 0) throw invalid(`entry ${String(entry.baseId)}: ${problems.join("; ")}`);
  return Object.freeze(made);
}

/** The same entry, already made, at another version. */
export function withVersion(entry: SegmentEntry, version: number): SegmentEntry {
  return Object.freeze({ ...entry, version });
}

/** `entry` with the patch applied and a new version; see {@link makeEntry}. */
export function patchEntry(entry: SegmentEntry, patch: SegmentPatch, version: number): SegmentEntry {
  for (const fixed of ["baseId", "status", "version"]) {
    if (fixed in patch) throw invalid(`a patch cannot change ${fixed}`);
  }
  return makeEntry({ ...entry, ...patch } as NewSegmentEntry, version);
}

/** The rules every stored entry keeps. Empty when all hold. */
export function entryProblems(entry: SegmentEntry): string[] {
  const problems: string[] = [];
  for (const name in entry) if (!knownFields.has(name)) problems.push(`unknown field ${name}`);
  for (const name of [...requiredNumbers, "version"] as const) {
    if (!isCount(entry[name])) problems.push(`${name}: want a whole number in 0..2^53-1`);
  }
  for (const name of optionalNumbers) {
    if (entry[name] !== undefined && !isCount(entry[name])) problems.push(`${name}: want a whole number in 0..2^53-1`);
  }
  for (const [name, limit] of textFields) {
    const value = entry[name];
    if (value !== undefined && !isText(value, limit)) problems.push(`${name}: want 1..${limit} bytes of UTF-8`);
  }
  if (!isU64(entry.uncompressedChecksum)) problems.push("uncompressedChecksum: want a bigint in 0..2^64-1");
  if (entry.compressedChecksum !== undefined && !isU64(entry.compressedChecksum)) {
    problems.push("compressedChecksum: want a bigint in 0..2^64-1");
  }
  if (!segmentStatuses.includes(entry.status)) problems.push(`status: ${String(entry.status)} is none`);
  return problems.length > 0 ? problems : relationProblems(entry);
}

/** What must hold between fields that are each in range. */
function relationProblems(entry: SegmentEntry): string[] {
  const problems: string[] = [];
  if (entry.baseId < 1) problems.push("baseId: ids begin at 1");
  if (entry.lastId < entry.baseId - 1) problems.push("lastId: want baseId - 1 or more");
  if (entry.recordCount > entry.lastId - entry.baseId + 1) problems.push("recordCount: more records than ids");
  if (entry.lastTimestampUs < entry.firstTimestampUs) problems.push("lastTimestampUs: before firstTimestampUs");
  // Without it the only remaining copy of the records could not be found again.
  if (entry.status === "archived" && entry.archiveKey === undefined)
    problems.push("archiveKey: missing on an archived entry");
  return problems;
}

/** @throws IndexError `INDEX_INVALID_ARGUMENT` */
export function checkCount(name: string, value: unknown): asserts value is number {
  if (!isCount(value)) throw invalid(`${name}: want a whole number in 0..2^53-1`);
}

/** @throws IndexError `INDEX_INVALID_ARGUMENT` */
export function checkCursorName(name: unknown): asserts name is string {
  if (!isText(name, cursorNameBytesMax)) throw invalid(`cursor name: want 1..${cursorNameBytesMax} bytes of UTF-8`);
}

/** @throws IndexError `INDEX_INVALID_ARGUMENT` */
export function checkLogId(logId: unknown): asserts logId is string {
  if (typeof logId !== "string" || !/^[0-9a-f]{2,32}$/.test(logId)) {
    throw invalid("logId: want 2 to 32 lower-case hex digits");
  }
}

/** A frozen copy. @throws IndexError `INDEX_INVALID_ARGUMENT` */
export function makeStamp(stamp: IndexStamp, logId: string | undefined): IndexStamp {
  if (typeof stamp !== "object" || stamp === null) throw invalid("a stamp is an object");
  checkLogId(stamp.logId);
  if (logId !== undefined && stamp.logId !== logId) throw invalid("stamp: the index was opened for another log");
  checkCount("stamp.epoch", stamp.epoch);
  checkCount("stamp.tailBaseId", stamp.tailBaseId);
  checkCount("stamp.tailLength", stamp.tailLength);
  return Object.freeze({
    logId: stamp.logId,
    epoch: stamp.epoch,
    tailBaseId: stamp.tailBaseId,
    tailLength: stamp.tailLength,
  });
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0);
}

function isU64(value: unknown): value is bigint {
  return typeof value === "bigint" && value >= 0n && value < 2n ** 64n;
}

/** Whether the text is 1..limit bytes of UTF-8 and comes back the same: a lone surrogate would not. */
function isText(value: unknown, limit: number): value is string {
  if (typeof value !== "string" || value === "" || value.length > limit) return false;
  if (isAscii(value)) return true;
  const bytes = toUtf8(value);
  return bytes.length <= limit && fromUtf8(bytes) === value;
}

/** @param copy a fresh object; changed and returned */
function withoutUndefined<T extends object>(copy: T): T {
  for (const name of Object.keys(copy) as (keyof T)[]) if (copy[name] === undefined) delete copy[name];
  return copy;
}

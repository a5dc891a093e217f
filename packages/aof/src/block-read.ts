/**
 * Reads runs of whole, checked records from one segment: one asynchronous read of a block, one pass of checksums.
 */
import { readContent } from "./content/read-content.ts";
import type { RecordContent } from "./content/record-body.ts";
import { toAofError } from "./errors.ts";
import { hasExpired } from "./expiry.ts";
import { bodyFlags, recordFlag, recordHeaderBytes } from "./format/record-layout.ts";
import { corruptedRecord, judged, readRecordSync } from "./point-read.ts";
import type { LogView } from "./log-view.ts";
import { RecordBatch } from "./record-batch.ts";
import { notARecord, type RecordChecker, sharedRecordChecker } from "./record-check.ts";
import type { OpenSegment } from "./segment-cache.ts";

/** Large enough that a read costs little per record, small enough to stay in a cache between check and use. */
export const blockBytes: number = 256 * 1024;

/** Decoded bytes in a batch before it ends: a block of compressed records may hold a thousand times its size. */
const decodedBytesMax = 4 * 1024 * 1024;

/** Records read, and where to go on. */
export interface Block {
  /** undefined when every record in the block was lost or has expired. */
  readonly batch: RecordBatch | undefined;
  readonly nextId: number;
  readonly nextOffset: number;
}

/**
 * Reads records `[id, lastId]` of `open`, beginning at `offset`, as many as a block holds, at least one.
 * A run ends in front of a record that a repair marked as lost or that has expired, so that ids in a batch have no gap;
 * those in front of a run are skipped.
 * @throws AofError `CORRUPTED_RECORD`, `FORMAT_TOO_NEW`, `KEY_REQUIRED`, `TAMPERED_RECORD`, `IO`
 */
export async function readBlock(
  view: LogView,
  open: OpenSegment,
  id: number,
  offset: number,
  lastId: number,
  limitBytes: number,
): Promise<Block> {
  const end = endOf(open, lastId);
  const length = Math.min(limitBytes, end - offset);
  // Not zeroed: as much of it as is shown is read.
  const block = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  const got = await readBytes(open, id, offset, block);
  const checker = sharedRecordChecker();
  checker.bytes.set(got < length ? block.subarray(0, got) : block, checker.base);
  const isLast = got < length || offset + got >= end;
  return takeRecords(view, open, checker, { id, offset, lastId, length: got, isLast }, () => block);
}

/** Where the records up to `lastId` end. */
export function endOf(open: OpenSegment, lastId: number): number {
  return lastId >= open.segment.lastId ? open.segment.dataLength : open.offsetOf(lastId + 1);
}

/** @throws AofError `IO`, with the place */
export async function readBytes(open: OpenSegment, id: number, offset: number, into: Uint8Array): Promise<number> {
  try {
    return await open.handle.readAt(offset, into);
  } catch (error) {
    throw toAofError(error, `reading ${open.segment.name}`, {
      path: open.segment.name,
      segmentId: open.segment.baseId,
      offset,
      recordId: id,
    });
  }
}

/** Bytes of a segment in a checker's memory, from its base on. */
export interface ReadRun {
  /** The first record. */
  readonly id: number;
  /** Where it stands in the segment. */
  readonly offset: number;
  /** The last record that may be taken. */
  readonly lastId: number;
  readonly length: number;
  /** No more bytes follow that could complete the last record. */
  readonly isLast: boolean;
}

/**
 * The whole, checked records of a run.
 * @param keep gives the memory, filled like the run's first `length` bytes, that the batch will show
 */
export function takeRecords(
  view: LogView,
  open: OpenSegment,
  checker: RecordChecker,
  { id: firstId, offset, lastId, length, isLast }: ReadRun,
  keep: (length: number) => Uint8Array,
): Block {
  const { base } = checker;
  const { saltLow, saltHigh } = open;
  // All checksums in one call; what it does not vouch for is judged one by one.
  const sound = checker.memory.engine.soundFrames(base, length, recordHeaderBytes, saltLow, saltHigh);
  let id = firstId;
  // Room for all of them, should none be skipped.
  const starts = new Uint32Array(Math.min(lastId - id + 1, Math.ceil(length / 32)));
  let contents: (RecordContent | undefined)[] | undefined;
  let decodedBytes = 0;
  let count = 0;
  let at = 0;
  while (id + count <= lastId) {
    const found =
      at < sound
        ? checker.judgeSound(base + at, id + count)
        : checker.check(base + at, length - at, id + count, saltLow, saltHigh);
    if (found <= 0) {
      if (found === notARecord.incomplete && !isLast) break;
      if (count > 0 || at > 0) break;
      throw judged(open, offset + at, id + count, found);
    }
    const flags = checker.flagsAt(base + at);
    if ((flags & recordFlag.lost) !== 0 || hasExpired(checker, base + at, flags, view.expiry)) {
      if (count > 0) break;
      id++;
      at += found;
      continue;
    }
    if ((flags & bodyFlags) !== 0) {
      const content = contentAt(view, open, checker, at, offset, count === 0);
      if (content === undefined) break;
      decodedBytes += content.payload.length;
      if (decodedBytes > decodedBytesMax && count > 0) break;
      contents ??= [];
      contents[count] = content;
    }
    starts[count++] = at;
    at += found;
  }
  if (count === 0 && at > 0) return { batch: undefined, nextId: id, nextOffset: offset + at };
  if (count === 0) return largeRecord(view, open, id, offset);
  const batch = new RecordBatch(id, count, keep(at), starts, contents);
  return { batch, nextId: id + count, nextOffset: offset + at };
}

/** Decodes the record at `at`. @returns undefined when it cannot be and is not the first: that read is the next one's */
function contentAt(
  view: LogView,
  open: OpenSegment,
  checker: RecordChecker,
  at: number,
  offset: number,
  isFirst: boolean,
): RecordContent | undefined {
  const bodyAt = checker.base + at + recordHeaderBytes;
  const body = checker.bytes.subarray(bodyAt, bodyAt + checker.sizeAt(checker.base + at));
  try {
    return readContent(view.keys, open, checker, checker.base + at, body, offset + at);
  } catch (error) {
    if (isFirst) throw error;
    return undefined;
  }
}

/** A record larger than the block: read by itself. */
function largeRecord(view: LogView, open: OpenSegment, id: number, offset: number): Block {
  const end = open.offsetOf(id + 1);
  if (end <= offset) throw corruptedRecord(open, offset, id, "the offset table gives it no room");
  const record = readRecordSync(view, id);
  const batch = record === undefined ? undefined : RecordBatch.ofOne(record);
  return { batch, nextId: id + 1, nextOffset: end };
}

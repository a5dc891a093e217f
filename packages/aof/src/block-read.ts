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
  const end = lastId >= open.segment.lastId ? open.segment.dataLength : open.offsetOf(lastId + 1);
  const block = new Uint8Array(Math.min(limitBytes, end - offset));
  let got: number;
  try {
    got = await open.handle.readAt(offset, block);
  } catch (error) {
    throw toAofError(error, `reading ${open.segment.name}`, {
      path: open.segment.name,
      segmentId: open.segment.baseId,
      offset,
      recordId: id,
    });
  }
  return checkBlock(view, open, block.subarray(0, got), id, offset, lastId, got < block.length || offset + got >= end);
}

function checkBlock(
  view: LogView,
  open: OpenSegment,
  block: Uint8Array,
  id: number,
  offset: number,
  lastId: number,
  isLast: boolean,
): Block {
  const checker = sharedRecordChecker();
  const { base } = checker;
  checker.bytes.set(block, base);
  // Room for all of them, should none be skipped.
  const starts = new Uint32Array(Math.min(lastId - id + 1, Math.ceil(block.length / 32)));
  let contents: (RecordContent | undefined)[] | undefined;
  let decodedBytes = 0;
  let count = 0;
  let at = 0;
  while (id + count <= lastId) {
    const found = checker.check(base + at, block.length - at, id + count, open.saltLow, open.saltHigh);
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
  return { batch: new RecordBatch(id, count, block, starts, contents), nextId: id + count, nextOffset: offset + at };
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

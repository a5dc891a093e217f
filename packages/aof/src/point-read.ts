/**
 * One record by its id: one look-up in an offset table, then one copy from the block cache, or one `pread`, one checksum
 * and one copy. Synchronous, because a read from the page cache takes 0.7 µs and a trip through the thread pool 40.
 */
import { readContent, recordOf } from "./content/read-content.ts";
import { AofError, toAofError } from "./errors.ts";
import { hasExpired } from "./expiry.ts";
import { bodyFlags, expiryBytes, recordFlag, recordHeaderBytes } from "./format/record-layout.ts";
import type { LogView } from "./log-view.ts";
import { copyPayload } from "./payload-memory.ts";
import type { AofRecord } from "./record.ts";
import { checkBytes, notARecord, type RecordChecker, sharedRecordChecker } from "./record-check.ts";
import type { OpenSegment } from "./segment-cache.ts";

/**
 * @param id a visible record's id
 * @param allowLost answer for a repair's placeholder and an expired record too: they still have a time. Only the time is
 * wanted then: the payload is the body as stored, and no key is asked for
 * @returns undefined when the record has expired
 * @throws AofError `CORRUPTED_RECORD`, `CORRUPTED_SEGMENT`, `FORMAT_TOO_NEW`, `KEY_REQUIRED`, `TAMPERED_RECORD`, `IO`
 */
export function readRecordSync(view: LogView, id: number, allowLost = false): AofRecord | undefined {
  const segment = view.catalog.segmentOf(id);
  if (segment === undefined) throw new AofError("CORRUPTED_SEGMENT", `no segment holds record ${id}`, { recordId: id });
  const open = view.cache.get(segment);
  const start = open.offsetOf(id);
  const length = open.offsetOf(id + 1) - start;
  if (length < recordHeaderBytes) throw corruptedRecord(open, start, id, "the offset table gives it no room");
  const { blocks } = view.cache;
  const at = blocks === undefined ? -1 : blocks.find(open, start, length, id);
  if (blocks !== undefined && at >= 0) return recordAt(view, blocks.checker, at, open, start, id, allowLost);
  const checker = sharedRecordChecker();
  return length <= checkBytes
    ? readSmall(view, checker, open, start, length, id, allowLost)
    : readLarge(view, checker, open, start, length, id, allowLost);
}

function readSmall(
  view: LogView,
  checker: RecordChecker,
  open: OpenSegment,
  start: number,
  length: number,
  id: number,
  allowLost: boolean,
): AofRecord | undefined {
  const { base } = checker;
  const got = readAt(open, start, checker.view(length), id);
  const found = checker.check(base, got, id, open.saltLow, open.saltHigh);
  if (found !== length) throw judged(open, start, id, found);
  return recordAt(view, checker, base, open, start, id, allowLost);
}

/** A checked record in a checker's memory as the caller gets it. */
function recordAt(
  view: LogView,
  checker: RecordChecker,
  at: number,
  open: OpenSegment,
  start: number,
  id: number,
  allowLost: boolean,
): AofRecord | undefined {
  const flags = checker.flagsAt(at);
  if (!allowLost) {
    refuseLost(flags, open, start, id);
    if (hasExpired(checker, at, flags, view.expiry)) return undefined;
  }
  const size = checker.sizeAt(at);
  const timestampUs = checker.timestampAt(at);
  const bodyAt = at + recordHeaderBytes;
  if ((flags & bodyFlags) !== 0 && !allowLost) {
    const body = checker.bytes.subarray(bodyAt, bodyAt + size);
    return recordOf(id, timestampUs, readContent(view.keys, open, checker, at, body, start));
  }
  return { id, timestampUs, payload: copyPayload(checker, bodyAt, size) };
}

/** Larger than the checker's memory: read into its own, checked piece by piece. */
function readLarge(
  view: LogView,
  checker: RecordChecker,
  open: OpenSegment,
  start: number,
  length: number,
  id: number,
  allowLost: boolean,
): AofRecord | undefined {
  const record = new Uint8Array(length);
  const got = readAt(open, start, record, id);
  const header = new DataView(record.buffer);
  const size = header.getUint32(4, true);
  if (got < length || Math.ceil((recordHeaderBytes + size) / 8) * 8 !== length) {
    throw corruptedRecord(open, start, id, "its size is wrong");
  }
  const { base, bytes, memory } = checker;
  memory.engine.setSlot(0, (BigInt(open.saltHigh) << 32n) | BigInt.asUintN(32, BigInt(open.saltLow)));
  for (let done = 4; done < recordHeaderBytes + size; done += checkBytes) {
    const piece = record.subarray(done, Math.min(done + checkBytes, recordHeaderBytes + size));
    bytes.set(piece, base);
    memory.engine.updateSlot(0, base, piece.length);
  }
  const crc = memory.engine.slot(0);
  // With the expiry, should it have one.
  bytes.set(record.subarray(0, recordHeaderBytes + expiryBytes), base);
  if (Number((crc ^ (crc >> 32n)) & 0xffffffffn) !== header.getUint32(0, true) || checker.idAt(base) !== id) {
    throw corruptedRecord(open, start, id, "its checksum does not match");
  }
  if (!checker.isKnownAt(base)) throw judged(open, start, id, notARecord.newer);
  const flags = checker.flagsAt(base);
  if (!allowLost) {
    refuseLost(flags, open, start, id);
    if (hasExpired(checker, base, flags, view.expiry)) return undefined;
  }
  const payload = record.subarray(recordHeaderBytes, recordHeaderBytes + size);
  if ((flags & bodyFlags) !== 0 && !allowLost) {
    const content = readContent(view.keys, open, checker, base, payload, start);
    return recordOf(id, checker.timestampAt(base), content);
  }
  return { id, timestampUs: checker.timestampAt(base), payload };
}

function readAt(open: OpenSegment, start: number, buffer: Uint8Array, id: number): number {
  try {
    return open.handle.readAtSync(start, buffer);
  } catch (error) {
    throw toAofError(error, `reading record ${id} of ${open.segment.name}`, {
      path: open.segment.name,
      segmentId: open.segment.baseId,
      offset: start,
      recordId: id,
    });
  }
}

function refuseLost(flags: number, open: OpenSegment, start: number, id: number): void {
  if ((flags & recordFlag.lost) !== 0) throw corruptedRecord(open, start, id, "it was lost; a repair left this mark");
}

/** What a checker's negative answer means for a record that must be there. */
export function judged(open: OpenSegment, offset: number, id: number, found: number): AofError {
  if (found !== notARecord.newer) return corruptedRecord(open, offset, id, "its checksum, size or id does not match");
  return new AofError(
    "FORMAT_TOO_NEW",
    `record ${id} at offset ${offset} of ${open.segment.name} was written by a newer version; upgrade this program`,
    { path: open.segment.name, segmentId: open.segment.baseId, offset, recordId: id },
  );
}

export function corruptedRecord(open: OpenSegment, offset: number, id: number, reason: string): AofError {
  return new AofError(
    "CORRUPTED_RECORD",
    `record ${id} at offset ${offset} of ${open.segment.name} is damaged: ${reason}`,
    { path: open.segment.name, segmentId: open.segment.baseId, offset, recordId: id },
  );
}

/**
 * What a torture record says about itself, and the id it goes by in the contract of the fault tools.
 *
 * A payload begins with a line of ASCII, the rest is noise:
 *
 *   v1 <run> <serial> <index>/<size>[ c<cursor> t<first id>]\n<noise>
 *
 * `run` is random per writer process and `serial` counts within it, so no two appends ever carry the same bytes, also
 * when a record is lost and its log id is used again. `index/size` is the place in an atomic batch, 0/1 outside of one.
 * The last two say what was acknowledged before the record was appended: a cursor's position, and how far the log was
 * trimmed. Where the record is, neither may be behind that.
 * The contract's id is `<log id>:<hash of the payload>`: wrong bytes, and right bytes at the wrong place, are both ids
 * that nobody ever appended.
 */
import { hash } from "node:crypto";
import type { Random } from "@varve/fs-core";

export interface RecordTag {
  readonly run: string;
  readonly serial: number;
  /** Place in its atomic batch, from 0. */
  readonly index: number;
  /** Records in that batch, 1 outside of one. */
  readonly size: number;
  readonly floors?: Floors;
}

/** What was acknowledged when a record was appended. */
export interface Floors {
  /** Position of the cursor {@link cursorName}. */
  readonly cursor: number;
  /** Records below this id were trimmed. */
  readonly firstId: number;
}

/** The cursor that writers commit to. */
export const cursorName = "torture";

/** Bytes that the longest tag takes; a payload is never shorter than its tag. */
const tagBytesMax = 120;

/** The payload for `tag`, filled up with noise to `bytes` where that is more than the tag takes. */
export function buildPayload(tag: RecordTag, bytes: number, random: Random): Uint8Array {
  const floors = tag.floors === undefined ? "" : ` c${tag.floors.cursor} t${tag.floors.firstId}`;
  const text = Buffer.from(`v1 ${tag.run} ${tag.serial} ${tag.index}/${tag.size}${floors}\n`, "latin1");
  if (text.length >= bytes) return Uint8Array.from(text);
  const payload = random.fill(new Uint8Array(bytes));
  payload.set(text);
  return payload;
}

/** The tag of a payload, undefined when no writer of ours made it. */
export function parsePayload(payload: Uint8Array): RecordTag | undefined {
  const text = Buffer.from(payload.buffer, payload.byteOffset, Math.min(payload.length, tagBytesMax)).toString(
    "latin1",
  );
  const match = /^v1 ([0-9a-f]{16}) (\d{1,15}) (\d{1,6})\/(\d{1,6})(?: c(\d{1,15}) t(\d{1,15}))?\n/.exec(text);
  if (match === null) return undefined;
  const floors = match[5] === undefined ? {} : { floors: { cursor: Number(match[5]), firstId: Number(match[6]) } };
  return {
    run: match[1] as string,
    serial: Number(match[2]),
    index: Number(match[3]),
    size: Number(match[4]),
    ...floors,
  };
}

/** The id under which the oracle knows the record. */
export function contractId(logId: number, payload: Uint8Array): string {
  return `${logId}:${hash("sha256", payload, "hex").slice(0, 16)}`;
}

/** A recovered record as {@link tornBatches} looks at it. */
export interface RecoveredRecord {
  readonly logId: number;
  readonly tag: RecordTag | undefined;
}

/**
 * Atomic batches of which a part is missing, one sentence each. A batch is whole when its records stand side by side,
 * all of them, in order. Records in front of the first or behind the last recovered one count as missing.
 * @param records everything recovered, in log order
 * @param isTrimmed whether the log begins later than it once did: a batch may have lost its head to a trim
 */
export function tornBatches(records: readonly RecoveredRecord[], isTrimmed = false): string[] {
  const torn: string[] = [];
  let expected: RecordTag | undefined;
  let batchAt = 0;
  const close = (): void => {
    if (expected === undefined) return;
    torn.push(`batch-at-${batchAt}-has-${expected.index}-of-${expected.size}`);
    expected = undefined;
  };
  for (const { logId, tag } of records) {
    const isNext =
      expected !== undefined &&
      tag?.run === expected.run &&
      tag.serial === expected.serial &&
      tag.index === expected.index &&
      tag.size === expected.size;
    if (!isNext) {
      close();
      const isHead = isTrimmed && logId === records[0]?.logId;
      if (tag !== undefined && tag.index !== 0 && !isHead)
        torn.push(`batch-lacks-${tag.index}-of-${tag.size}-before-${logId}`);
      batchAt = logId;
    }
    expected =
      tag === undefined || tag.index + 1 >= tag.size
        ? undefined
        : { run: tag.run, serial: tag.serial + 1, index: tag.index + 1, size: tag.size };
  }
  close();
  return torn;
}

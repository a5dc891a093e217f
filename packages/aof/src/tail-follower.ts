/**
 * Finds the records of a segment that somebody else may still be writing: each call goes on where the last one ended.
 */
import type { FileHandle } from "@varve/fs-core";
import type { ActiveSegment } from "./active-segment.ts";
import { blockBytes } from "./block-read.ts";
import { AofError } from "./errors.ts";
import { recordFlag } from "./format/record-layout.ts";
import { checkBytes, notARecord, sharedRecordChecker } from "./record-check.ts";
import { scanSegment } from "./segment-scan.ts";

/** How far a follower came. */
export type FollowStop =
  /** Zeroes or the end of the file: nothing more has been written. */
  | "end"
  /** Bytes that are no record: one that is being written just now, a torn one, or damage. */
  | "not-yet";

export class TailFollower {
  readonly segment: ActiveSegment;
  /** The newest record that may be shown: an atomic batch is shown when its last record is there. */
  visibleId: number;
  /** Everything before this offset was synced, says the log. */
  promise = 64;

  constructor(segment: ActiveSegment) {
    this.segment = segment;
    this.visibleId = segment.baseId - 1;
  }

  /** The newest record that the log itself promises to be durable. */
  get durableId(): number {
    let low = this.segment.baseId;
    let high = this.visibleId + 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.segment.offsetOf(middle + 1) <= this.promise) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Takes every whole record behind the last one taken. @throws AofError `FORMAT_TOO_NEW`; StorageError */
  async advance(handle: FileHandle): Promise<FollowStop> {
    let readBytes = blockBytes;
    for (;;) {
      const block = new Uint8Array(readBytes);
      const got = await handle.readAt(this.segment.end, block);
      const found = this.#take(block.subarray(0, got));
      if (found === "more") continue;
      if (found !== notARecord.incomplete) return found === notARecord.zeroes || got === 0 ? "end" : "not-yet";
      if (got < readBytes) return got === 0 ? "end" : "not-yet";
      if (readBytes >= checkBytes) {
        if (!(await this.#takeLarge(handle))) return "not-yet";
        readBytes = blockBytes;
      } else {
        readBytes = checkBytes;
      }
    }
  }

  #take(block: Uint8Array): number | "more" {
    const checker = sharedRecordChecker();
    const { base } = checker;
    checker.bytes.set(block, base);
    const { segment } = this;
    let at = 0;
    for (;;) {
      const found = checker.check(base + at, block.length - at, segment.lastId + 1, segment.saltLow, segment.saltHigh);
      if (found <= 0) {
        if (found === notARecord.newer) throw tooNew(segment);
        return at > 0 && found === notARecord.incomplete ? "more" : found;
      }
      const flags = checker.flagsAt(base + at);
      this.#note(found, checker.timestampAt(base + at), flags, checker.durableDistanceAt(base + at));
      const expiresAtUs = checker.expiresAt(base + at);
      if (expiresAtUs > 0) segment.pushExpiry(expiresAtUs);
      at += found;
    }
  }

  async #takeLarge(handle: FileHandle): Promise<boolean> {
    const { segment } = this;
    const size = await handle.size();
    const scan = await scanSegment(handle, {
      baseId: segment.lastId + 1,
      salt: segment.salt,
      from: segment.end,
      limit: size,
    });
    if (scan.count === 0) {
      if (scan.stop === "newer") throw tooNew(segment);
      return false;
    }
    // Only the large record: the others are found as usual, with their times and flags.
    const end = scan.count > 1 ? (scan.units[1] as number) * 8 : scan.end;
    const isOpen = scan.count === 1 ? scan.openBatchIndex === 0 : false;
    this.#note(end - segment.end, scan.firstTimestampUs, isOpen ? recordFlag.batchContinues : 0, segment.end);
    // Whose of the scanned records the expiry is does not matter: the segment as a whole is then not known to expire.
    if (scan.expiringCount > 0) segment.pushExpiry(Number.MAX_SAFE_INTEGER);
    return true;
  }

  #note(bytes: number, timestampUs: number, flags: number, durableDistance: number): void {
    this.promise = Math.max(this.promise, this.segment.end - durableDistance);
    this.segment.push(bytes, timestampUs);
    this.segment.writtenEnd = this.segment.end;
    if ((flags & recordFlag.batchContinues) === 0) this.visibleId = this.segment.lastId;
  }
}

function tooNew(segment: ActiveSegment): AofError {
  return new AofError(
    "FORMAT_TOO_NEW",
    `the record at offset ${segment.end} of ${segment.name} was written by a newer version; upgrade this program`,
    { path: segment.name, segmentId: segment.baseId, offset: segment.end },
  );
}

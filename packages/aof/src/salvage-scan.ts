import { AofError, toAofError } from "./errors.ts";
import { readFooter } from "./sealed-segment.ts";
import { decodeSegmentHeader, segmentHeaderBytes } from "./format/segment-header.ts";
import type { LogDirectory } from "./log-directory.ts";
import { scanBeyond, scanSegment } from "./segment-scan.ts";
import { hasSoundTable } from "./segment-inspect.ts";
import { segmentName } from "./segment-name.ts";

/** Sound records that stand one behind the other. */
export interface SalvageRun {
  readonly firstId: number;
  readonly count: number;
  /** Byte range in the damaged file. */
  readonly start: number;
  readonly end: number;
  /** Offsets / 8 in the damaged file; the first `count` are set. */
  readonly units: Uint32Array;
  readonly firstTimestampUs: number;
  readonly lastTimestampUs: number;
  readonly expiringCount: number;
  readonly maxExpiresAtUs: number;
}

/** What can still be read of a segment. */
export interface SalvageableSegment {
  readonly baseId: number;
  /** The newest record found, `baseId - 1` when there is none. */
  readonly lastId: number;
  /** Nothing is wrong with it: sealed, every record sound. */
  readonly isWhole: boolean;
  readonly dataLength: number;
  readonly checksum: bigint;
  readonly salt: bigint;
  /** Of the writer that began it: what its records were encrypted for. */
  readonly epoch: number;
  readonly createdAtUs: number;
  readonly runs: readonly SalvageRun[];
  /** Why it is not whole, in words. */
  readonly reason: string;
}

/**
 * Reads every byte of a segment. The salt, without which no record can be told, stands in three places: header,
 * footer, and MANIFEST for the active segment.
 * @param active what MANIFEST says of the active segment
 * @param successor base id of the next segment: no record here has its id
 */
export async function readSalvageable(
  directory: LogDirectory,
  baseId: number,
  active: { readonly baseId: number; readonly salt: bigint; readonly epoch: number } | undefined,
  successor: number | undefined,
): Promise<SalvageableSegment> {
  const path = segmentName(baseId);
  const nothing = { baseId, lastId: baseId - 1, isWhole: false, dataLength: segmentHeaderBytes, checksum: 0n };
  try {
    if ((await directory.metadata(path)).kind !== "file") {
      throw new AofError("CORRUPTED_SEGMENT", `${path} is not a file: move it away by hand, then salvage again`, {
        path,
      });
    }
    const handle = await directory.open(path);
    try {
      const fileLength = await handle.size();
      const bytes = new Uint8Array(segmentHeaderBytes);
      await handle.readAt(0, bytes);
      const header = decodeSegmentHeader(bytes);
      if (header.kind === "newer") {
        throw new AofError("FORMAT_TOO_NEW", `${path} was written by a newer version; nothing in it was touched`, {
          path,
        });
      }
      const footer = await readFooter(handle, fileLength);
      const isHeaderSound = header.kind === "ok" && header.value.baseId === baseId;
      const salt = isHeaderSound
        ? header.value.salt
        : (footer?.salt ?? (active?.baseId === baseId ? active.salt : undefined));
      const epoch = isHeaderSound ? header.value.epoch : (footer?.epoch ?? active?.epoch ?? 0);
      const createdAtUs = isHeaderSound ? header.value.createdAtUs : (footer?.firstTimestampUs ?? 0);
      if (salt === undefined) {
        return {
          ...nothing,
          salt: directory.random.u64(),
          epoch,
          createdAtUs,
          runs: [],
          reason: `the header of ${path} is damaged`,
        };
      }
      const limit = footer !== undefined && footer.dataLength <= fileLength ? footer.dataLength : fileLength;
      const runs: SalvageRun[] = [];
      let nextId = baseId;
      let checksum = 0n;
      for (let from = segmentHeaderBytes; from < limit; ) {
        const scan = await scanSegment(handle, { baseId: nextId, salt, from, limit });
        if (from === segmentHeaderBytes) checksum = scan.checksum;
        if (scan.count > 0) {
          const { count, end, units, firstTimestampUs, lastTimestampUs, expiringCount, maxExpiresAtUs } = scan;
          const times = { firstTimestampUs, lastTimestampUs, expiringCount, maxExpiresAtUs };
          runs.push({ firstId: nextId, count, start: from, end, units, ...times });
        }
        nextId += scan.count;
        if (scan.stop === "newer") {
          throw new AofError("FORMAT_TOO_NEW", `${path} holds records of a newer version; nothing in it was touched`, {
            path,
          });
        }
        if (scan.stop === "end") break;
        const beyond = await scanBeyond(handle, { baseId, salt, from: scan.end, limit, minId: nextId });
        if (beyond.firstRecordAt === undefined || beyond.firstRecordId === undefined) break;
        if (successor !== undefined && beyond.firstRecordId >= successor) break;
        from = beyond.firstRecordAt;
        nextId = beyond.firstRecordId;
      }
      const isWhole =
        isHeaderSound &&
        footer !== undefined &&
        runs.length === 1 &&
        runs[0]?.firstId === baseId &&
        runs[0].count === footer.recordCount &&
        runs[0].end === footer.dataLength &&
        checksum === footer.segmentChecksum &&
        (await hasSoundTable(handle, footer, fileLength));
      const dataLength = footer?.dataLength ?? nothing.dataLength;
      const reason = `${path} is damaged there`;
      return { baseId, lastId: nextId - 1, isWhole, dataLength, checksum, salt, epoch, createdAtUs, runs, reason };
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw toAofError(error, `reading ${path}`, { path, segmentId: baseId });
  }
}

import { type FileHandle, isStorageError } from "@varve/fs-core";
import { AofError, toAofError } from "./errors.ts";
import { decodeSegmentHeader, type SegmentHeader, segmentHeaderBytes } from "./format/segment-header.ts";
import { offsetTableBytes } from "./format/offset-table.ts";
import { type SegmentFooter, segmentFooterBytes, tableMatchesFooter } from "./format/segment-footer.ts";
import type { LogDirectory } from "./log-directory.ts";
import { readFooter, type SealedSegment } from "./sealed-segment.ts";
import { segmentName } from "./segment-name.ts";

/** A segment file as its own header and footer describe it. */
export interface InspectedSegment {
  readonly header: SegmentHeader;
  readonly fileLength: number;
  /** Present when a whole, consistent footer ends the file. */
  readonly sealed: SealedSegment | undefined;
}

export interface InspectOptions {
  /**
   * Read the offset table too, and take a footer with a damaged one for none. For segments whose seal may not have
   * been synced: power loss can keep the footer's block and take the table's.
   */
  readonly checkTable?: boolean;
}

/** @throws AofError `CORRUPTED_SEGMENT`, `FORMAT_TOO_NEW`, `IO` */
export async function inspectSegment(
  directory: LogDirectory,
  baseId: number,
  options: InspectOptions = {},
): Promise<InspectedSegment> {
  const path = segmentName(baseId);
  let handle: FileHandle | undefined;
  try {
    handle = await directory.open(path);
    const fileLength = await handle.size();
    const header = await readSegmentHeader(handle, baseId);
    const footer = await readFooter(handle, fileLength);
    const consistent =
      footer !== undefined &&
      footer.salt === header.salt &&
      footer.lastId === baseId + footer.recordCount - 1 &&
      footer.dataLength + segmentFooterBytes <= fileLength &&
      (options.checkTable !== true || (await hasSoundTable(handle, footer, fileLength)));
    return {
      header,
      fileLength,
      sealed: consistent
        ? {
            baseId,
            lastId: footer.lastId,
            recordCount: footer.recordCount,
            epoch: header.epoch,
            createdAtUs: header.createdAtUs,
            firstTimestampUs: footer.firstTimestampUs,
            lastTimestampUs: footer.lastTimestampUs,
            dataLength: footer.dataLength,
            fileLength,
            checksum: footer.segmentChecksum,
            expiry: { expiringCount: footer.expiringCount, maxExpiresAtUs: footer.maxExpiresAtUs },
          }
        : undefined,
    };
  } catch (error) {
    if (isStorageError(error) && ["NOT_FOUND", "NOT_A_DIRECTORY", "INVALID_PATH"].includes(error.code)) {
      throw new AofError("CORRUPTED_SEGMENT", `${path} is missing or not a regular file`, {
        path,
        segmentId: baseId,
        cause: error,
      });
    }
    throw toAofError(error, `inspecting ${path}`, { path, segmentId: baseId });
  } finally {
    await handle?.close();
  }
}

/** Whether the bytes between the records and the footer are the table that the footer was written for. */
export async function hasSoundTable(handle: FileHandle, footer: SegmentFooter, fileLength: number): Promise<boolean> {
  const tableLength = fileLength - segmentFooterBytes - footer.dataLength;
  if (tableLength !== offsetTableBytes(footer.recordCount, footer.entryBytes)) return false;
  const bytes = new Uint8Array(tableLength + segmentFooterBytes);
  await handle.readAt(footer.dataLength, bytes);
  return tableMatchesFooter(bytes.subarray(0, tableLength), bytes.subarray(tableLength));
}

/** @throws AofError `CORRUPTED_SEGMENT`, `FORMAT_TOO_NEW` */
async function readSegmentHeader(handle: FileHandle, baseId: number): Promise<SegmentHeader> {
  const bytes = new Uint8Array(segmentHeaderBytes);
  const got = await handle.readAt(0, bytes);
  return judgeHeader(bytes.subarray(0, got), baseId);
}

/** The synchronous form, for point reads. */
export function readSegmentHeaderSync(handle: FileHandle, baseId: number): SegmentHeader {
  const bytes = new Uint8Array(segmentHeaderBytes);
  const got = handle.readAtSync(0, bytes);
  return judgeHeader(bytes.subarray(0, got), baseId);
}

function judgeHeader(bytes: Uint8Array, baseId: number): SegmentHeader {
  const path = segmentName(baseId);
  const decoded = decodeSegmentHeader(bytes);
  if (decoded.kind === "ok") {
    if (decoded.value.baseId === baseId) return decoded.value;
    throw new AofError(
      "CORRUPTED_SEGMENT",
      `${path} says that its first id is ${decoded.value.baseId}: it was renamed`,
      {
        path,
        segmentId: baseId,
      },
    );
  }
  if (decoded.kind === "newer") {
    throw new AofError(
      "FORMAT_TOO_NEW",
      `${path} has version ${decoded.version}, newer than this program; upgrade it. Nothing was touched.`,
      { path, segmentId: baseId },
    );
  }
  const reason =
    decoded.kind === "damaged" ? `its header is damaged: ${decoded.reason}` : "it does not begin as a segment";
  throw new AofError("CORRUPTED_SEGMENT", `${path}: ${reason}`, { path, segmentId: baseId, offset: 0 });
}

import type { FileHandle } from "@varve/fs-core";
import type { ActiveSegment } from "./active-segment.ts";
import { encodeOffsetTable } from "./format/offset-table.ts";
import {
  decodeSegmentFooter,
  encodeSegmentFooter,
  type SegmentFooter,
  segmentFooterBytes,
} from "./format/segment-footer.ts";

/** What is known of a complete segment without opening it. */
export interface SealedSegment {
  readonly baseId: number;
  readonly lastId: number;
  readonly recordCount: number;
  readonly epoch: number;
  readonly createdAtUs: number;
  readonly firstTimestampUs: number;
  readonly lastTimestampUs: number;
  /** Bytes of header and records; the offset table begins there. */
  readonly dataLength: number;
  /** The whole file. */
  readonly fileLength: number;
  readonly checksum: bigint;
  /** undefined when it is known from the index only: the footer has it. */
  readonly expiry: SegmentExpiry | undefined;
}

/** Records with an expiry of their own. */
export interface SegmentExpiry {
  readonly expiringCount: number;
  /** The latest of their expiries, µs since 1970; 0 when there are none. */
  readonly maxExpiresAtUs: number;
}

/** What a scan or the writer knows of a segment about to be sealed. */
export interface SealableSegment extends SegmentExpiry {
  readonly count: number;
  readonly units: Uint32Array;
  readonly end: number;
  readonly checksum: bigint;
  readonly firstTimestampUs: number;
  readonly lastTimestampUs: number;
}

/** Which segment, and whose. */
export interface SegmentIdentity {
  readonly baseId: number;
  readonly salt: bigint;
  readonly epoch: number;
  readonly createdAtUs: number;
}

/**
 * Writes offset table and footer behind the records, cuts the file there and syncs it. The records must be durable
 * already: a footer says so. Repeatable after a crash at any point: without a whole footer at the file's end the
 * segment is scanned again.
 */
export async function sealSegment(
  handle: FileHandle,
  identity: SegmentIdentity,
  segment: SealableSegment,
): Promise<SealedSegment> {
  const { bytes, sealed } = sealOf(identity, segment);
  await handle.writeAt(segment.end, bytes);
  await handle.setSize(sealed.fileLength);
  await handle.sync();
  return sealed;
}

/** {@link sealSegment} without a turn of the loop. */
export function sealSegmentSync(
  handle: FileHandle,
  identity: SegmentIdentity,
  segment: SealableSegment,
): SealedSegment {
  const { bytes, sealed } = sealOf(identity, segment);
  handle.writeAtSync(segment.end, bytes);
  handle.setSizeSync(sealed.fileLength);
  handle.syncSync();
  return sealed;
}

/** The bytes behind the records of a sealed segment, and what is then known of it. */
function sealOf(identity: SegmentIdentity, segment: SealableSegment): { bytes: Uint8Array; sealed: SealedSegment } {
  const table = encodeOffsetTable(segment.units, segment.count);
  const lastId = identity.baseId + segment.count - 1;
  const footer = encodeSegmentFooter(
    {
      recordCount: segment.count,
      entryBytes: table.entryBytes,
      lastId,
      firstTimestampUs: segment.firstTimestampUs,
      lastTimestampUs: segment.lastTimestampUs,
      dataLength: segment.end,
      segmentChecksum: segment.checksum,
      salt: identity.salt,
      epoch: identity.epoch,
      expiringCount: segment.expiringCount,
      maxExpiresAtUs: segment.maxExpiresAtUs,
    },
    table.bytes,
  );
  const bytes = new Uint8Array(table.bytes.length + footer.length);
  bytes.set(table.bytes);
  bytes.set(footer, table.bytes.length);
  const sealed: SealedSegment = {
    baseId: identity.baseId,
    lastId,
    recordCount: segment.count,
    epoch: identity.epoch,
    createdAtUs: identity.createdAtUs,
    firstTimestampUs: segment.firstTimestampUs,
    lastTimestampUs: segment.lastTimestampUs,
    dataLength: segment.end,
    fileLength: segment.end + bytes.length,
    checksum: segment.checksum,
    expiry: { expiringCount: segment.expiringCount, maxExpiresAtUs: segment.maxExpiresAtUs },
  };
  return { bytes, sealed };
}

/** The active segment as {@link sealSegment} wants it. */
export function sealable(segment: ActiveSegment): SealableSegment {
  return {
    count: segment.count,
    units: segment.units,
    end: segment.end,
    checksum: segment.checksum,
    firstTimestampUs: segment.firstTimestampUs,
    lastTimestampUs: segment.lastTimestampUs,
    expiringCount: segment.expiringCount,
    maxExpiresAtUs: segment.maxExpiresAtUs,
  };
}

/** The footer at the end of a file of `fileLength` bytes, undefined when no whole and consistent one is there. */
export async function readFooter(handle: FileHandle, fileLength: number): Promise<SegmentFooter | undefined> {
  if (fileLength < segmentFooterBytes) return undefined;
  const bytes = new Uint8Array(segmentFooterBytes);
  await handle.readAt(fileLength - segmentFooterBytes, bytes);
  const decoded = decodeSegmentFooter(bytes);
  return decoded.kind === "ok" ? decoded.value : undefined;
}

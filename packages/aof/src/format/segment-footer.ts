import { crc64Nvme, foldTo32 } from "@varve/fs-core";
import { hasAscii, readSafeU64, viewOf, writeAscii, writeU64 } from "./bytes.ts";
import { type Decoded, damaged } from "./decoded.ts";

/** The last 80 bytes of a sealed segment; see FORMAT.md "Offset table and footer". */
export interface SegmentFooter {
  readonly recordCount: number;
  readonly entryBytes: 2 | 4;
  readonly lastId: number;
  readonly firstTimestampUs: number;
  readonly lastTimestampUs: number;
  readonly dataLength: number;
  /** CRC-64/NVME of header and records. */
  readonly segmentChecksum: bigint;
  readonly salt: bigint;
  readonly epoch: number;
  /** Records that carry an expiry of their own. */
  readonly expiringCount: number;
  /** The latest of those expiries, 0 when there are none. */
  readonly maxExpiresAtUs: number;
}

export const segmentFooterBytes = 96;
const magic = "VARVEFTR";

/** @param table the bytes between the records and the footer */
export function encodeSegmentFooter(footer: SegmentFooter, table: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(segmentFooterBytes);
  const view = viewOf(bytes);
  writeAscii(bytes, 0, magic);
  view.setUint32(8, footer.recordCount, true);
  bytes[12] = footer.entryBytes;
  writeU64(view, 16, footer.lastId);
  writeU64(view, 24, footer.firstTimestampUs);
  writeU64(view, 32, footer.lastTimestampUs);
  writeU64(view, 40, footer.dataLength);
  writeU64(view, 48, footer.segmentChecksum);
  writeU64(view, 56, footer.salt);
  view.setUint32(64, footer.epoch, true);
  view.setUint32(68, foldTo32(crc64Nvme(table, footer.salt)), true);
  writeU64(view, 72, footer.maxExpiresAtUs);
  view.setUint32(80, footer.expiringCount, true);
  writeU64(view, 88, crc64Nvme(bytes.subarray(0, 88), footer.salt));
  return bytes;
}

/** The table has a checksum of its own ({@link tableMatchesFooter}): an open must not read every table. */
export function decodeSegmentFooter(bytes: Uint8Array): Decoded<SegmentFooter> {
  if (bytes.length !== segmentFooterBytes || !hasAscii(bytes, 0, magic)) return { kind: "foreign" };
  const view = viewOf(bytes);
  const salt = view.getBigUint64(56, true);
  if (view.getBigUint64(88, true) !== crc64Nvme(bytes.subarray(0, 88), salt)) {
    return damaged("the footer's checksum does not match");
  }
  const entryBytes = bytes[12];
  const lastId = readSafeU64(view, 16);
  const firstTimestampUs = readSafeU64(view, 24);
  const lastTimestampUs = readSafeU64(view, 32);
  const dataLength = readSafeU64(view, 40);
  const maxExpiresAtUs = readSafeU64(view, 72);
  if (
    (entryBytes !== 2 && entryBytes !== 4) ||
    lastId === undefined ||
    firstTimestampUs === undefined ||
    lastTimestampUs === undefined ||
    dataLength === undefined ||
    maxExpiresAtUs === undefined
  ) {
    return damaged("a field of the footer is out of range");
  }
  return {
    kind: "ok",
    value: {
      recordCount: view.getUint32(8, true),
      entryBytes,
      lastId,
      firstTimestampUs,
      lastTimestampUs,
      dataLength,
      segmentChecksum: view.getBigUint64(48, true),
      salt,
      epoch: view.getUint32(64, true),
      expiringCount: view.getUint32(80, true),
      maxExpiresAtUs,
    },
  };
}

export function tableMatchesFooter(table: Uint8Array, footer: Uint8Array): boolean {
  const view = viewOf(footer);
  return view.getUint32(68, true) === foldTo32(crc64Nvme(table, view.getBigUint64(56, true)));
}

import { crc64Nvme } from "@varve/fs-core";
import { hasAscii, readSafeU64, viewOf, writeAscii, writeU64 } from "./bytes.ts";
import { type Decoded, damaged } from "./decoded.ts";

/** The first 64 bytes of a segment; see FORMAT.md "Header". */
export interface SegmentHeader {
  readonly baseId: number;
  readonly epoch: number;
  readonly createdAtUs: number;
  /** Random; every record's checksum starts from it. */
  readonly salt: bigint;
  /** Data length of the segment before, 0 for a log's first. */
  readonly previousLength: number;
  readonly previousChecksum: bigint;
  /** A repair rewrote this segment: its successor's chain fields describe the file before that. */
  readonly salvaged: boolean;
}

export const segmentHeaderBytes = 64;
const segmentVersion = 1;
const magic = "VARVESEG";
const flagSalvaged = 1;

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(segmentHeaderBytes);
  const view = viewOf(bytes);
  writeAscii(bytes, 0, magic);
  view.setUint16(8, segmentVersion, true);
  view.setUint16(10, header.salvaged ? flagSalvaged : 0, true);
  view.setUint32(12, header.epoch, true);
  writeU64(view, 16, header.baseId);
  writeU64(view, 24, header.createdAtUs);
  writeU64(view, 32, header.salt);
  writeU64(view, 40, header.previousLength);
  writeU64(view, 48, header.previousChecksum);
  writeU64(view, 56, crc64Nvme(bytes.subarray(0, 56)));
  return bytes;
}

export function decodeSegmentHeader(bytes: Uint8Array): Decoded<SegmentHeader> {
  if (bytes.length < segmentHeaderBytes || !hasAscii(bytes, 0, magic)) return { kind: "foreign" };
  const view = viewOf(bytes);
  const version = view.getUint16(8, true);
  if (view.getBigUint64(56, true) !== crc64Nvme(bytes.subarray(0, 56))) return damaged("its checksum does not match");
  const flags = view.getUint16(10, true);
  if (version > segmentVersion || (flags & ~flagSalvaged) !== 0) return { kind: "newer", version };
  const baseId = readSafeU64(view, 16);
  const createdAtUs = readSafeU64(view, 24);
  const previousLength = readSafeU64(view, 40);
  if (version !== segmentVersion || baseId === undefined || createdAtUs === undefined || previousLength === undefined) {
    return damaged("a field is out of range");
  }
  return {
    kind: "ok",
    value: {
      baseId,
      epoch: view.getUint32(12, true),
      createdAtUs,
      salt: view.getBigUint64(32, true),
      previousLength,
      previousChecksum: view.getBigUint64(48, true),
      salvaged: (flags & flagSalvaged) !== 0,
    },
  };
}

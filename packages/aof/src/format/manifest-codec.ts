import { crc64Nvme } from "@varve/fs-core";
import { hasAscii, readSafeU64, viewOf, writeAscii, writeU64 } from "./bytes.ts";
import { type Decoded, damaged } from "./decoded.ts";

/** MANIFEST's bytes; see FORMAT.md "MANIFEST". */
export interface Manifest {
  /** u32, at least 1. */
  readonly epoch: number;
  /** 32 lower-case hexadecimal digits. */
  readonly logId: string;
  readonly firstId: number;
  readonly closedCleanly: boolean;
  /** Records may be encrypted: `KEYS` must be there. */
  readonly hasKeys: boolean;
  /** Cursors were made: `CURSORS` must be there. */
  readonly hasCursors: boolean;
  /** The segment being written, undefined when there is none. */
  readonly active: { readonly baseId: number; readonly salt: bigint } | undefined;
  /** Every id up to here was durable when this was written. */
  readonly promisedId: number;
  /** The newest complete segment before the active one. */
  readonly tail: SegmentTail | undefined;
  readonly updatedAtUs: number;
}

/** What identifies a complete segment to its successor. */
export interface SegmentTail {
  readonly baseId: number;
  /** Bytes of header and records. */
  readonly length: number;
  /** CRC-64/NVME of those bytes. */
  readonly checksum: bigint;
}

export const manifestBytes = 128;
const magic = "VARVEMAN";
const version = 1;
const flagClean = 1;
const flagKeys = 2;
const flagCursors = 4;
const knownFlags = flagClean | flagKeys | flagCursors;

export function encodeManifest(manifest: Manifest): Uint8Array {
  const bytes = new Uint8Array(manifestBytes);
  const view = viewOf(bytes);
  writeAscii(bytes, 0, magic);
  view.setUint16(8, version, true);
  view.setUint16(10, flagsOf(manifest), true);
  view.setUint32(12, manifest.epoch, true);
  for (let index = 0; index < 16; index++) {
    bytes[16 + index] = Number.parseInt(manifest.logId.slice(index * 2, index * 2 + 2), 16);
  }
  writeU64(view, 32, manifest.firstId);
  writeU64(view, 40, manifest.active?.baseId ?? 0);
  writeU64(view, 48, manifest.promisedId);
  writeU64(view, 56, manifest.tail?.baseId ?? 0);
  writeU64(view, 64, manifest.tail?.length ?? 0);
  writeU64(view, 72, manifest.tail?.checksum ?? 0n);
  writeU64(view, 80, manifest.active?.salt ?? 0n);
  writeU64(view, 88, manifest.updatedAtUs);
  writeU64(view, 120, crc64Nvme(bytes.subarray(0, 120)));
  return bytes;
}

function flagsOf({ closedCleanly, hasKeys, hasCursors }: Manifest): number {
  return (closedCleanly ? flagClean : 0) | (hasKeys ? flagKeys : 0) | (hasCursors ? flagCursors : 0);
}

export function decodeManifest(bytes: Uint8Array): Decoded<Manifest> {
  if (bytes.length < 16 || !hasAscii(bytes, 0, magic)) return { kind: "foreign" };
  const view = viewOf(bytes);
  const foundVersion = view.getUint16(8, true);
  const whole = bytes.length === manifestBytes;
  const sound = whole && view.getBigUint64(120, true) === crc64Nvme(bytes.subarray(0, 120));
  // A flipped bit in the version field must not pass for a newer version: only a sound structure can claim one.
  if (sound && foundVersion > version) return { kind: "newer", version: foundVersion };
  if (!whole) return damaged(`${bytes.length} bytes long instead of ${manifestBytes}`);
  if (!sound) return damaged("its checksum does not match");
  const flags = view.getUint16(10, true);
  if ((flags & ~knownFlags) !== 0) return { kind: "newer", version: foundVersion };
  const firstId = readSafeU64(view, 32);
  const activeBaseId = readSafeU64(view, 40);
  const promisedId = readSafeU64(view, 48);
  const tailBaseId = readSafeU64(view, 56);
  const tailLength = readSafeU64(view, 64);
  const updatedAtUs = readSafeU64(view, 88);
  if (
    foundVersion !== version ||
    firstId === undefined ||
    activeBaseId === undefined ||
    promisedId === undefined ||
    tailBaseId === undefined ||
    tailLength === undefined ||
    updatedAtUs === undefined
  ) {
    return damaged("a field is out of range");
  }
  return {
    kind: "ok",
    value: {
      epoch: view.getUint32(12, true),
      logId: Array.from(bytes.subarray(16, 32), (byte) => byte.toString(16).padStart(2, "0")).join(""),
      firstId,
      closedCleanly: (flags & flagClean) !== 0,
      hasKeys: (flags & flagKeys) !== 0,
      hasCursors: (flags & flagCursors) !== 0,
      active: activeBaseId === 0 ? undefined : { baseId: activeBaseId, salt: view.getBigUint64(80, true) },
      promisedId,
      tail:
        tailBaseId === 0
          ? undefined
          : { baseId: tailBaseId, length: tailLength, checksum: view.getBigUint64(72, true) },
      updatedAtUs,
    },
  };
}

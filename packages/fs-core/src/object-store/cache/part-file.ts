/**
 * A cached part as a file: the object's bytes, then what tells whose they are and whether they are whole. Nothing is synced,
 * so after a crash a file may hold anything: it is believed only when both checksums are right.
 *
 * | field | bytes | |
 * |---|---|---|
 * | bytes | n | |
 * | description | m | JSON, UTF-8 |
 * | sizes | 4 + 4 | n and m |
 * | check | 8 | CRC-64/NVME of description and sizes; the description holds that of the bytes |
 * | magic | 8 | `VarvePrt` |
 *
 * Numbers are unsigned and little-endian.
 */
import { crc64Nvme } from "../../checksum/crc64-nvme.ts";
import type { DriverInfo } from "../object-driver.ts";
import type { CachedObject } from "./part-name.ts";

/** A part and whose it is. */
export interface CachedPart {
  readonly object: CachedObject;
  /** Counted from 0. */
  readonly number: number;
  /** What the store said of the object when the part was fetched. */
  readonly info: DriverInfo;
  readonly bytes: Uint8Array;
  /** CRC-64/NVME of `bytes`. */
  readonly checksum: bigint;
}

const magic = new TextEncoder().encode("VarvePrt");
const tailBytes = 24;
const sizesBytes = 8;
/** Of description and tail: a key and metadata have limits of their own, far below. */
export const partOverheadBytesMax: number = 64 * 1024;

export function encodePart(part: CachedPart): Uint8Array {
  const { bytes } = part;
  const description = new TextEncoder().encode(describe(part));
  const file = new Uint8Array(bytes.byteLength + description.byteLength + tailBytes);
  const view = new DataView(file.buffer);
  file.set(bytes);
  file.set(description, bytes.byteLength);
  const tail = file.byteLength - tailBytes;
  view.setUint32(tail, bytes.byteLength, true);
  view.setUint32(tail + 4, description.byteLength, true);
  const checked = file.subarray(bytes.byteLength, tail + sizesBytes);
  view.setBigUint64(tail + sizesBytes, crc64Nvme(checked), true);
  file.set(magic, tail + sizesBytes + 8);
  return file;
}

/** @returns undefined for what is not the whole file of a part. `bytes` are a view of `file`. */
export function decodePart(file: Uint8Array): CachedPart | undefined {
  const tail = file.byteLength - tailBytes;
  if (tail < 0 || Buffer.compare(file.subarray(tail + 16), magic) !== 0) return undefined;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const size = view.getUint32(tail, true);
  if (size + view.getUint32(tail + 4, true) !== tail) return undefined;
  if (crc64Nvme(file.subarray(size, tail + sizesBytes)) !== view.getBigUint64(tail + sizesBytes, true))
    return undefined;
  const bytes = file.subarray(0, size);
  const described = parse(new TextDecoder().decode(file.subarray(size, tail)));
  if (described === undefined || crc64Nvme(bytes) !== described.checksum) return undefined;
  return { ...described, bytes };
}

function describe({ object, number, info, checksum }: CachedPart): string {
  return JSON.stringify({
    object,
    number,
    info: { ...info, checksum: hexOf(info.checksum) },
    checksum: hexOf(checksum),
  });
}

/** The check says that we wrote it: what it holds is what `describe` made. */
function parse(text: string): Omit<CachedPart, "bytes"> | undefined {
  try {
    const { object, number, info, checksum } = JSON.parse(text) as {
      object: CachedObject;
      number: number;
      info: Omit<DriverInfo, "checksum"> & { checksum?: string };
      checksum: string;
    };
    return {
      object,
      number,
      info: { ...info, contentType: info.contentType ?? undefined, checksum: bigintOf(info.checksum) },
      checksum: BigInt(`0x${checksum}`),
    };
  } catch {
    return undefined;
  }
}

function hexOf(checksum: bigint | undefined): string | undefined {
  return checksum?.toString(16).padStart(16, "0");
}

function bigintOf(hex: string | undefined): bigint | undefined {
  return hex === undefined ? undefined : BigInt(`0x${hex}`);
}

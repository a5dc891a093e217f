/**
 * What a local store keeps of an object, at the end of its file: bytes, footer.
 *
 * | field | bytes | |
 * |---|---|---|
 * | frame magic | 4 | 5E 2A 4D 18: the header of a frame that zstd skips, so a `.zst` object stays a `.zst` file |
 * | frame size | 4 | of what follows |
 * | description | n | JSON, UTF-8 |
 * | description size | 4 | n |
 * | check | 4 | CRC-64/NVME of the description, folded to 32 bits |
 * | magic | 8 | `VarveObj` |
 *
 * Numbers are unsigned and little-endian. The description is found from the end of the file. It says how long the bytes
 * are: a file that was cut or grew is damaged, never another object.
 */
import { crc64Nvme, foldTo32 } from "../../checksum/crc64-nvme.ts";

/** What the footer says. */
export interface ObjectFooter {
  /** 32 hexadecimal digits, new with each write. */
  readonly version: string;
  readonly size: number;
  /** CRC-64/NVME of the bytes. */
  readonly checksum: bigint;
  readonly modifiedMs: number;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

const frameMagic = 0x184d2a5e;
const magic = new TextEncoder().encode("VarveObj");
const frameHeaderBytes = 8;
/** Of the fixed fields at the end. */
const footerTailBytes = 16;
/** Of a footer at most: metadata are limited to 2 KiB. */
export const footerBytesMax = 8192;

export function encodeFooter(footer: ObjectFooter): Uint8Array {
  const description = new TextEncoder().encode(
    JSON.stringify({ ...footer, checksum: footer.checksum.toString(16).padStart(16, "0") }),
  );
  const bytes = new Uint8Array(frameHeaderBytes + description.byteLength + footerTailBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, frameMagic, true);
  view.setUint32(4, bytes.byteLength - frameHeaderBytes, true);
  bytes.set(description, frameHeaderBytes);
  const tail = frameHeaderBytes + description.byteLength;
  view.setUint32(tail, description.byteLength, true);
  view.setUint32(tail + 4, foldTo32(crc64Nvme(description)), true);
  bytes.set(magic, tail + 8);
  return bytes;
}

/**
 * @param end the file's last bytes, as many as it has up to {@link footerBytesMax}
 * @returns undefined for what is not the end of an object's file of `fileBytes` bytes
 */
export function decodeFooter(end: Uint8Array, fileBytes: number): ObjectFooter | undefined {
  if (end.byteLength < frameHeaderBytes + footerTailBytes) return undefined;
  const view = new DataView(end.buffer, end.byteOffset, end.byteLength);
  const tail = end.byteLength - footerTailBytes;
  if (Buffer.compare(end.subarray(tail + 8), magic) !== 0) return undefined;
  const length = view.getUint32(tail, true);
  const start = tail - length;
  if (start < frameHeaderBytes) return undefined;
  const description = end.subarray(start, tail);
  if (foldTo32(crc64Nvme(description)) !== view.getUint32(tail + 4, true)) return undefined;
  if (view.getUint32(start - frameHeaderBytes, true) !== frameMagic) return undefined;
  if (view.getUint32(start - 4, true) !== length + footerTailBytes) return undefined;
  const footer = parseDescription(new TextDecoder().decode(description));
  const footerBytes = frameHeaderBytes + length + footerTailBytes;
  return footer !== undefined && footer.size + footerBytes === fileBytes ? footer : undefined;
}

function parseDescription(text: string): ObjectFooter | undefined {
  let parsed: Record<string, unknown>;
  try {
    parsed = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const { version, size, checksum, modifiedMs, contentType, metadata } = parsed ?? {};
  if (typeof version !== "string" || typeof contentType !== "string" || !isCount(size) || !isCount(modifiedMs)) {
    return undefined;
  }
  if (typeof checksum !== "string" || !/^[0-9a-f]{16}$/.test(checksum)) return undefined;
  if (typeof metadata !== "object" || metadata === null) return undefined;
  return {
    version,
    size,
    checksum: BigInt(`0x${checksum}`),
    modifiedMs,
    contentType,
    metadata: metadata as Record<string, string>,
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

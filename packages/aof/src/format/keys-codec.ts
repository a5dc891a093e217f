import { crc64Nvme } from "@varve/fs-core";
import { hasAscii, readSafeU64, viewOf, writeAscii, writeU64 } from "./bytes.ts";
import { type Decoded, damaged } from "./decoded.ts";

/** KEYS' bytes; see FORMAT.md "KEYS". */
export interface KeysContent {
  /** 32 lower-case hexadecimal digits, as in MANIFEST. */
  readonly logId: string;
  readonly updatedAtUs: number;
  /** At least one; generations rise. The last one encrypts. */
  readonly entries: readonly KeyEntry[];
}

/** One of the log's keys, as the provider wrapped it. */
export interface KeyEntry {
  /** 1..255. */
  readonly generation: number;
  /** The provider's name of the key that wrapped this one. */
  readonly keyId: string;
  readonly wrapped: Uint8Array;
  /** 16 bytes derived from the key: tells a wrong key from a right one. */
  readonly checkValue: Uint8Array;
}

export const maxKeyIdBytes = 1024;
export const maxWrappedBytes = 8192;
export const checkValueBytes = 16;
/** More than 255 entries of the largest kind. */
export const maxKeysBytes: number = 4 * 1024 * 1024;

const magic = "VARVEKEY";
const version = 1;
const headBytes = 48;
const entryHeadBytes = 24;

export function encodeKeys({ logId, updatedAtUs, entries }: KeysContent): Uint8Array {
  const ids = entries.map(({ keyId }) => new TextEncoder().encode(keyId));
  const size = entries.reduce(
    (sum, { wrapped }, index) => sum + entryHeadBytes + (ids[index] as Uint8Array).length + wrapped.length,
    headBytes + 8,
  );
  const bytes = new Uint8Array(size);
  const view = viewOf(bytes);
  writeAscii(bytes, 0, magic);
  view.setUint16(8, version, true);
  view.setUint32(12, entries.length, true);
  for (let index = 0; index < 16; index++) {
    bytes[16 + index] = Number.parseInt(logId.slice(index * 2, index * 2 + 2), 16);
  }
  writeU64(view, 32, updatedAtUs);
  view.setUint32(40, size, true);
  let at = headBytes;
  for (const [index, { generation, wrapped, checkValue }] of entries.entries()) {
    const id = ids[index] as Uint8Array;
    bytes[at] = generation;
    view.setUint16(at + 2, id.length, true);
    view.setUint16(at + 4, wrapped.length, true);
    bytes.set(checkValue, at + 8);
    bytes.set(id, at + entryHeadBytes);
    bytes.set(wrapped, at + entryHeadBytes + id.length);
    at += entryHeadBytes + id.length + wrapped.length;
  }
  writeU64(view, size - 8, crc64Nvme(bytes.subarray(0, size - 8)));
  return bytes;
}

export function decodeKeys(bytes: Uint8Array): Decoded<KeysContent> {
  if (bytes.length < 16 || !hasAscii(bytes, 0, magic)) return { kind: "foreign" };
  if (bytes.length < headBytes + 8) return damaged(`${bytes.length} bytes are too few`);
  const view = viewOf(bytes);
  const end = bytes.length - 8;
  if (view.getBigUint64(end, true) !== crc64Nvme(bytes.subarray(0, end))) return damaged("its checksum does not match");
  const foundVersion = view.getUint16(8, true);
  // Only a sound structure can claim to be newer.
  if (foundVersion > version || view.getUint16(10, true) !== 0) return { kind: "newer", version: foundVersion };
  const updatedAtUs = readSafeU64(view, 32);
  const count = view.getUint32(12, true);
  if (foundVersion !== version || updatedAtUs === undefined || view.getUint32(40, true) !== bytes.length) {
    return damaged("a field is out of range");
  }
  const entries: KeyEntry[] = [];
  let at = headBytes;
  for (let index = 0; index < count; index++) {
    const entry = at + entryHeadBytes <= end ? entryAt(bytes, view, at, end) : undefined;
    if (entry === undefined || entry.generation <= (entries.at(-1)?.generation ?? 0)) {
      return damaged("an entry is out of range");
    }
    entries.push(entry);
    at += entryHeadBytes + view.getUint16(at + 2, true) + entry.wrapped.length;
  }
  if (at !== end || entries.length === 0) return damaged("its entries do not fill it");
  const logId = Array.from(bytes.subarray(16, 32), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { kind: "ok", value: { logId, updatedAtUs, entries } };
}

function entryAt(bytes: Uint8Array, view: DataView, at: number, end: number): KeyEntry | undefined {
  const idLength = view.getUint16(at + 2, true);
  const wrappedLength = view.getUint16(at + 4, true);
  const idAt = at + entryHeadBytes;
  const isSound = idLength >= 1 && idLength <= maxKeyIdBytes && wrappedLength >= 1 && wrappedLength <= maxWrappedBytes;
  if (!isSound || idAt + idLength + wrappedLength > end) return undefined;
  let keyId: string;
  try {
    keyId = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(idAt, idAt + idLength));
  } catch {
    return undefined;
  }
  return {
    generation: bytes[at] as number,
    keyId,
    wrapped: new Uint8Array(bytes.subarray(idAt + idLength, idAt + idLength + wrappedLength)),
    checkValue: new Uint8Array(bytes.subarray(at + 8, at + 8 + checkValueBytes)),
  };
}

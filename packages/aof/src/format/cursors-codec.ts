import { crc64Nvme } from "@varve/fs-core";
import { cursorNameBytesMax, cursorNameProblem, cursorsMax } from "../cursor-name.ts";
import { hasAscii, readSafeU64, viewOf, writeAscii, writeU64 } from "./bytes.ts";
import { type Decoded, damaged } from "./decoded.ts";

/** The bytes of CURSORS; see FORMAT.md "CURSORS". */
export interface CursorsFile {
  /** 32 lower-case hexadecimal digits. */
  readonly logId: string;
  /** By name: the last id that was committed, 0 when none was. */
  readonly positions: ReadonlyMap<string, number>;
}

const magic = "VARVECUR";
const version = 1;
const headerBytes = 32;
const checksumBytes = 8;

/** No sound file is larger. */
export const cursorsBytesMax: number = headerBytes + cursorsMax * (9 + cursorNameBytesMax) + checksumBytes;

export function encodeCursors({ logId, positions }: CursorsFile): Uint8Array {
  const entries = [...positions]
    .map(([name, position]) => ({ name: Buffer.from(name), position }))
    .sort((a, b) => Buffer.compare(a.name, b.name));
  const length = entries.reduce((sum, { name }) => sum + 9 + name.length, headerBytes + checksumBytes);
  const bytes = new Uint8Array(length);
  const view = viewOf(bytes);
  writeAscii(bytes, 0, magic);
  view.setUint16(8, version, true);
  view.setUint32(12, entries.length, true);
  for (let index = 0; index < 16; index++) {
    bytes[16 + index] = Number.parseInt(logId.slice(index * 2, index * 2 + 2), 16);
  }
  let at = headerBytes;
  for (const { name, position } of entries) {
    writeU64(view, at, position);
    bytes[at + 8] = name.length;
    bytes.set(name, at + 9);
    at += 9 + name.length;
  }
  writeU64(view, at, crc64Nvme(bytes.subarray(0, at)));
  return bytes;
}

export function decodeCursors(bytes: Uint8Array): Decoded<CursorsFile> {
  if (bytes.length < headerBytes + checksumBytes || !hasAscii(bytes, 0, magic)) return { kind: "foreign" };
  const view = viewOf(bytes);
  const end = bytes.length - checksumBytes;
  if (view.getBigUint64(end, true) !== crc64Nvme(bytes.subarray(0, end))) return damaged("its checksum does not match");
  const foundVersion = view.getUint16(8, true);
  if (foundVersion > version || view.getUint16(10, true) !== 0) return { kind: "newer", version: foundVersion };
  const count = view.getUint32(12, true);
  const positions = new Map<string, number>();
  let at = headerBytes;
  for (let previous: Uint8Array | undefined; positions.size < count; ) {
    // What follows has a good checksum: a broken rule means that whoever wrote it was not us.
    const nameEnd = at + 9 <= end ? at + 9 + (bytes[at + 8] as number) : Number.POSITIVE_INFINITY;
    if (nameEnd > end) return damaged("it ends in the middle of an entry");
    const position = readSafeU64(view, at);
    const raw = bytes.subarray(at + 9, nameEnd);
    const name = decodeName(raw);
    if (position === undefined || name === undefined || (previous !== undefined && Buffer.compare(previous, raw) >= 0))
      return damaged("an entry breaks the rules");
    positions.set(name, position);
    previous = raw;
    at = nameEnd;
  }
  if (at !== end || foundVersion !== version || count > cursorsMax) return damaged("a field is out of range");
  const logId = Array.from(bytes.subarray(16, 32), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { kind: "ok", value: { logId, positions } };
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeName(bytes: Uint8Array): string | undefined {
  try {
    const name = decoder.decode(bytes);
    return cursorNameProblem(name) === undefined ? name : undefined;
  } catch {
    return undefined;
  }
}

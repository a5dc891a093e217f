/**
 * One entry as bytes: FORMAT.md section 1, line for line.
 */
import { crc64Nvme } from "@varve/fs-core";
import { ByteReader, ByteWriter, fromUtf8, toUtf8, viewOf } from "./bytes.ts";
import { damaged, IndexError } from "./errors.ts";
import { entryProblems } from "./entry-rules.ts";
import { type SegmentEntry, textFields } from "./segment-entry.ts";
import { segmentStatuses } from "./segment-status.ts";

/** Version of the encoding. */
const entryVersion = 1;

/** Bytes of an entry without optional fields: a shorter length field is damage. */
const shortest = 96 + 8;
/** Longer than any entry can be: 4 numbers and 2208 bytes of text. A longer length field is damage. */
const longest = 4096;

const firstTextBit = 4;
const knownBits = 2 ** (firstTextBit + textFields.length) - 1;

export function encodeEntry(entry: SegmentEntry): Uint8Array {
  const out = new ByteWriter(256);
  out.u8(entryVersion);
  out.u8(segmentStatuses.indexOf(entry.status));
  out.u16(presentBits(entry));
  out.u32(0);
  out.u53(entry.baseId);
  out.u53(entry.lastId);
  out.u53(entry.recordCount);
  out.u53(entry.createdAt);
  out.u53(entry.firstTimestampUs);
  out.u53(entry.lastTimestampUs);
  out.u53(entry.dataLength);
  out.u53(entry.originalSize);
  out.u64(entry.uncompressedChecksum);
  out.u53(entry.epoch);
  out.u53(entry.version);
  if (entry.finalizedAt !== undefined) out.u53(entry.finalizedAt);
  if (entry.archivedAt !== undefined) out.u53(entry.archivedAt);
  if (entry.compressedSize !== undefined) out.u53(entry.compressedSize);
  if (entry.compressedChecksum !== undefined) out.u64(entry.compressedChecksum);
  for (const [name] of textFields) {
    const text = entry[name];
    if (text === undefined) continue;
    const bytes = toUtf8(text);
    out.u16(bytes.length);
    out.raw(bytes);
  }
  out.patchU32(4, out.length + 8);
  out.u64(crc64Nvme(out.soFar()));
  return out.soFar();
}

/**
 * The entry in exactly these bytes, frozen.
 * @throws IndexError `INDEX_DAMAGED`, `INDEX_FORMAT_TOO_NEW`
 */
export function decodeEntry(bytes: Uint8Array): SegmentEntry {
  if (entryLength(bytes) !== bytes.length) throw damaged("an entry of the wrong length");
  const end = bytes.length - 8;
  if (viewOf(bytes).getBigUint64(end, true) !== crc64Nvme(bytes.subarray(0, end))) {
    throw damaged("an entry whose checksum is wrong");
  }
  // After the checksum, whose place is the same in every version: a flipped version byte is damage, not news.
  if (bytes[0] !== entryVersion) throw new IndexError("INDEX_FORMAT_TOO_NEW", `an entry of version ${bytes[0]}`);
  const entry = readFields(new ByteReader(bytes.subarray(0, end)));
  const problems = entryProblems(entry);
  if (problems.length > 0) throw damaged(`an entry that breaks rules: ${problems.join("; ")}`);
  return Object.freeze(entry);
}

/**
 * How long the entry at the start of `bytes` says it is; not yet verified, but within the bytes.
 * @throws IndexError `INDEX_DAMAGED`
 */
export function entryLength(bytes: Uint8Array): number {
  if (bytes.length < shortest) throw damaged("an entry that ends early");
  const length = viewOf(bytes).getUint32(4, true);
  if (length < shortest || length > longest || length > bytes.length) throw damaged("an entry of an impossible length");
  return length;
}

type Writable<T> = { -readonly [Field in keyof T]: T[Field] };

function readFields(input: ByteReader): SegmentEntry {
  input.u8();
  const status = segmentStatuses[input.u8()];
  const bits = input.u16();
  if (status === undefined || bits > knownBits) throw damaged("an entry with an unknown status or field");
  input.u32();
  const entry: Writable<SegmentEntry> = {
    baseId: input.u53(),
    lastId: input.u53(),
    recordCount: input.u53(),
    createdAt: input.u53(),
    firstTimestampUs: input.u53(),
    lastTimestampUs: input.u53(),
    dataLength: input.u53(),
    originalSize: input.u53(),
    uncompressedChecksum: input.u64(),
    epoch: input.u53(),
    status,
    version: input.u53(),
  };
  if (bits & 1) entry.finalizedAt = input.u53();
  if (bits & 2) entry.archivedAt = input.u53();
  if (bits & 4) entry.compressedSize = input.u53();
  if (bits & 8) entry.compressedChecksum = input.u64();
  textFields.forEach(([name], index) => {
    if (bits & (1 << (firstTextBit + index))) entry[name] = fromUtf8(input.raw(input.u16()));
  });
  if (input.remaining !== 0) throw damaged("an entry with bytes after its fields");
  return entry;
}

function presentBits(entry: SegmentEntry): number {
  const numbers = [entry.finalizedAt, entry.archivedAt, entry.compressedSize, entry.compressedChecksum];
  const present = [...numbers, ...textFields.map(([name]) => entry[name])];
  return present.reduce((bits: number, value, index) => (value === undefined ? bits : bits | (1 << index)), 0);
}

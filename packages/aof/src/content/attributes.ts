/**
 * The attributes of a record: its headers and its dedupe key, as the bytes that FORMAT.md "Attributes" describes. Pure.
 */
import { describe } from "../describe.ts";
import { viewOf } from "../format/bytes.ts";
import { BodyProblem } from "./body-problem.ts";

/** Headers of a record: names and values are text. Made without a prototype, so that every name is safe to look up. */
export type RecordHeaders = Readonly<Record<string, string>>;

export interface RecordAttributes {
  /** Absent when there are none. */
  readonly headers?: RecordHeaders;
  /** 1..255 bytes of UTF-8. */
  readonly dedupeKey?: string;
  /** Records of the batch that the key names, from this one on; absent for one. */
  readonly dedupeCount?: number;
}

/** Headers a record may have. */
const maxHeaders = 64;
/** Bytes of a header's name, and of a dedupe key. */
const maxNameBytes = 255;
/** Bytes of the whole block. */
const maxAttributesBytes: number = 64 * 1024;

const version = 1;
const tag = { header: 1, dedupeKey: 2, dedupeCount: 3 } as const;
const entryHeadBytes = 3;

const utf8Decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf8Encoder = new TextEncoder();

/**
 * The block for `headers` and `dedupeKey`, undefined when both are absent or empty.
 * @param dedupeCount records that the key names
 * @param problems gets everything that is wrong, one text each, without a value; the result then means nothing
 */
export function encodeAttributes(
  headers: RecordHeaders | undefined,
  dedupeKey: string | undefined,
  problems: string[],
  dedupeCount = 1,
): Uint8Array | undefined {
  const entries = headers === undefined ? [] : headerEntries(headers, problems);
  if (dedupeKey !== undefined) {
    const problem = textProblem(dedupeKey, 1, maxNameBytes);
    if (problem === undefined) entries.push({ tag: tag.dedupeKey, content: utf8Encoder.encode(dedupeKey) });
    else problems.push(`dedupeKey: ${problem}`);
    if (dedupeCount > 1) entries.push({ tag: tag.dedupeCount, content: countBytes(dedupeCount) });
  }
  // Which also keeps each entry's length inside its 16 bits.
  const size = entries.reduce((sum, { content }) => sum + entryHeadBytes + content.length, 1);
  if (size > maxAttributesBytes) {
    problems.push(`headers: together ${size} bytes as stored, want at most ${maxAttributesBytes}`);
  }
  if (entries.length === 0 || problems.length > 0) return undefined;
  const block = new Uint8Array(size);
  block[0] = version;
  let at = 1;
  for (const entry of entries) {
    block[at] = entry.tag;
    block[at + 1] = entry.content.length & 0xff;
    block[at + 2] = entry.content.length >>> 8;
    block.set(entry.content, at + entryHeadBytes);
    at += entryHeadBytes + entry.content.length;
  }
  return block;
}

interface Entry {
  readonly tag: number;
  readonly content: Uint8Array;
}

function headerEntries(headers: unknown, problems: string[]): Entry[] {
  if (typeof headers !== "object" || headers === null || Array.isArray(headers)) {
    problems.push(`headers: got ${describe(headers)}, want an object of strings`);
    return [];
  }
  const pairs = Object.entries(headers);
  if (pairs.length > maxHeaders) {
    problems.push(`headers: got ${pairs.length}, want at most ${maxHeaders}`);
    return [];
  }
  const entries: Entry[] = [];
  for (const [name, value] of pairs) {
    const nameProblem = textProblem(name, 1, maxNameBytes);
    const valueProblem = textProblem(value, 0, maxAttributesBytes);
    if (nameProblem !== undefined) problems.push(`headers: a name is wrong: ${nameProblem}`);
    if (valueProblem !== undefined) problems.push(`headers: the value of ${describe(name)} is wrong: ${valueProblem}`);
    if (nameProblem !== undefined || valueProblem !== undefined) continue;
    const nameBytes = utf8Encoder.encode(name);
    const valueBytes = utf8Encoder.encode(value as string);
    const content = new Uint8Array(1 + nameBytes.length + valueBytes.length);
    content[0] = nameBytes.length;
    content.set(nameBytes, 1);
    content.set(valueBytes, 1 + nameBytes.length);
    entries.push({ tag: tag.header, content });
  }
  return entries;
}

function textProblem(text: unknown, minBytes: number, maxBytes: number): string | undefined {
  if (typeof text !== "string") return `got ${typeof text}, want a string`;
  if (!text.isWellFormed()) return "it holds half of a surrogate pair, which UTF-8 cannot store";
  const length = Buffer.byteLength(text);
  return length >= minBytes && length <= maxBytes
    ? undefined
    : `${length} bytes as UTF-8, want ${minBytes} to ${maxBytes}`;
}

/** @throws BodyProblem `CORRUPTED_RECORD`, `FORMAT_TOO_NEW` */
export function decodeAttributes(block: Uint8Array): RecordAttributes {
  if (block.length === 0 || block.length > maxAttributesBytes) throw damaged("the attributes' length is out of range");
  if ((block[0] as number) > version) throw new BodyProblem("FORMAT_TOO_NEW", "has attributes of a newer version");
  if (block[0] !== version) throw damaged("the attributes' version is 0");
  let headers: Record<string, string> | undefined;
  let headerCount = 0;
  let dedupeKey: string | undefined;
  let dedupeCount: number | undefined;
  for (let at = 1; at < block.length; ) {
    if (at + entryHeadBytes > block.length) throw damaged("the attributes end in the middle of one");
    const end = at + entryHeadBytes + (block[at + 1] as number) + (block[at + 2] as number) * 256;
    if (end > block.length) throw damaged("the attributes end in the middle of one");
    const content = block.subarray(at + entryHeadBytes, end);
    if (block[at] === tag.header) {
      const nameEnd = 1 + (content[0] ?? 0);
      if (nameEnd === 1 || nameEnd > content.length) throw damaged("a header has no name");
      if (++headerCount > maxHeaders) throw damaged("it has too many headers");
      const name = text(content.subarray(1, nameEnd));
      headers ??= Object.create(null) as Record<string, string>;
      if (name in headers) throw damaged("a header is there twice");
      headers[name] = text(content.subarray(nameEnd));
    } else if (block[at] === tag.dedupeKey) {
      if (dedupeKey !== undefined || content.length === 0 || content.length > maxNameBytes) {
        throw damaged("its dedupe key is there twice, empty or too long");
      }
      dedupeKey = text(content);
    } else if (block[at] === tag.dedupeCount) {
      const count = content.length === 4 ? viewOf(content).getUint32(0, true) : 0;
      if (dedupeCount !== undefined || dedupeKey === undefined || count < 2) throw damaged("its batch's size is wrong");
      dedupeCount = count;
    } else {
      throw new BodyProblem("FORMAT_TOO_NEW", "has an attribute that this version does not know");
    }
    at = end;
  }
  return {
    ...(headers === undefined ? {} : { headers }),
    ...(dedupeKey === undefined ? {} : { dedupeKey }),
    ...(dedupeCount === undefined ? {} : { dedupeCount }),
  };
}

function countBytes(count: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, count, true);
  return bytes;
}

function text(bytes: Uint8Array): string {
  try {
    return utf8Decoder.decode(bytes);
  } catch (error) {
    throw new BodyProblem("CORRUPTED_RECORD", "is damaged: an attribute is not UTF-8", { cause: error });
  }
}

function damaged(reason: string): BodyProblem {
  return new BodyProblem("CORRUPTED_RECORD", `is damaged: ${reason}`);
}

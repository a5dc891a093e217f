/**
 * What a record's body holds, from the outside in: expiry, cipher, compression, attributes, payload; see FORMAT.md
 * "What a record's body holds". Pure.
 */
import type { KeyObject } from "node:crypto";
import { viewOf, writeU64 } from "../format/bytes.ts";
import { codecBits, expiryBytes, recordCipher, recordCodec, recordFlag } from "../format/record-layout.ts";
import { decodeAttributes, type RecordAttributes } from "./attributes.ts";
import { BodyProblem } from "./body-problem.ts";
import { compress, type Compression, decompress } from "./compression.ts";
import { decrypt, encrypt, type KeyedSegment, type RecordFacts, tagBytes } from "./record-cipher.ts";

/** What a reader gets out of a body. */
export interface RecordContent extends RecordAttributes {
  /** Never a view of the body that was decoded. */
  readonly payload: Uint8Array;
  /** µs since 1970; absent when the record carries no expiry. */
  readonly expiresAtUs?: number;
}

/** A body before it has a place: everything but its encryption, which needs the record's id. */
export interface PlannedBody {
  /** Compressed or not, with attributes or not. May be the caller's payload itself: borrowed. */
  readonly content: Uint8Array;
  readonly flags: number;
  readonly codecBits: number;
  /** 0: none. */
  readonly expiresAtUs: number;
  /** Bytes of the body as stored. */
  readonly size: number;
}

/**
 * @param attributes what `encodeAttributes` gave
 * @param expiresAtUs 0: none
 * @param keyGeneration 0: not encrypted
 * @throws BodyProblem `COMPRESSION`
 */
export function planBody(
  payload: Uint8Array,
  attributes: Uint8Array | undefined,
  expiresAtUs: number,
  compression: Compression | undefined,
  keyGeneration: number,
): PlannedBody {
  const isEncrypted = keyGeneration > 0;
  const raw = attributes === undefined ? payload : withAttributes(attributes, payload);
  const compressed = compression === undefined ? undefined : compress(raw, compression);
  const content = compressed ?? raw;
  return {
    content,
    expiresAtUs,
    flags:
      (compressed === undefined ? 0 : recordFlag.compressed) |
      (isEncrypted ? recordFlag.encrypted : 0) |
      (expiresAtUs === 0 ? 0 : recordFlag.expires) |
      (attributes === undefined ? 0 : recordFlag.attributes),
    codecBits: codecBits(
      compressed === undefined ? recordCodec.none : recordCodec.zstd,
      isEncrypted ? recordCipher.aes256Gcm : recordCipher.none,
      keyGeneration,
    ),
    size: (expiresAtUs === 0 ? 0 : expiryBytes) + content.length + (isEncrypted ? tagBytes : 0),
  };
}

/**
 * The body's bytes.
 * @param key of a planned encryption; each (key, id) may be used for one body only
 * @param flags the record's, batch mark included
 */
export function encodeBody(
  plan: PlannedBody,
  key: KeyObject | undefined,
  segment: KeyedSegment,
  id: number,
  timestampUs: number,
  flags: number,
): Uint8Array {
  if (key === undefined && plan.expiresAtUs === 0) return plan.content;
  const body = new Uint8Array(plan.size);
  if (plan.expiresAtUs > 0) writeU64(viewOf(body), 0, plan.expiresAtUs);
  const inner = plan.expiresAtUs > 0 ? body.subarray(expiryBytes) : body;
  if (key === undefined) inner.set(plan.content);
  else {
    const { codecBits: bits, expiresAtUs } = plan;
    encrypt(key, segment, { id, timestampUs, flags, codecBits: bits, expiresAtUs }, plan.content, inner);
  }
  return body;
}

/**
 * @param body borrowed; may be memory that is used again
 * @param dataKey gives the key of the record's generation; asked only for an encrypted body
 * @throws BodyProblem `CORRUPTED_RECORD`, `TAMPERED_RECORD`, `FORMAT_TOO_NEW`, and what `dataKey` throws
 */
export function decodeBody(
  body: Uint8Array,
  record: Omit<RecordFacts, "expiresAtUs">,
  segment: KeyedSegment,
  dataKey: (generation: number) => KeyObject,
): RecordContent {
  const { flags } = record;
  let rest = body;
  let expiresAtUs = 0;
  if ((flags & recordFlag.expires) !== 0) {
    expiresAtUs = expiryOf(body);
    rest = rest.subarray(expiryBytes);
  }
  const isEncrypted = (flags & recordFlag.encrypted) !== 0;
  if (isEncrypted) rest = decrypt(dataKey(record.codecBits >>> 8), segment, { ...record, expiresAtUs }, rest);
  const isCompressed = (flags & recordFlag.compressed) !== 0;
  if (isCompressed) rest = decompress(rest);
  let attributes: RecordAttributes | undefined;
  if ((flags & recordFlag.attributes) !== 0) {
    const payloadAt = attributesEnd(rest);
    attributes = decodeAttributes(rest.subarray(4, payloadAt));
    rest = rest.subarray(payloadAt);
  }
  // A decoder's output is fresh; anything else is still a view of the caller's memory.
  const payload =
    isEncrypted || isCompressed ? new Uint8Array(rest.buffer, rest.byteOffset, rest.length) : new Uint8Array(rest);
  return { payload, ...attributes, ...(expiresAtUs === 0 ? {} : { expiresAtUs }) };
}

function expiryOf(body: Uint8Array): number {
  const value = body.length < expiryBytes ? 0n : viewOf(body).getBigUint64(0, true);
  if (value === 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new BodyProblem("CORRUPTED_RECORD", "is damaged: its expiry is out of range");
  }
  return Number(value);
}

function attributesEnd(content: Uint8Array): number {
  const end = content.length < 4 ? 0 : 4 + viewOf(content).getUint32(0, true);
  if (end <= 4 || end > content.length) {
    throw new BodyProblem("CORRUPTED_RECORD", "is damaged: its attributes are longer than it is");
  }
  return end;
}

function withAttributes(attributes: Uint8Array, payload: Uint8Array): Uint8Array {
  const content = new Uint8Array(4 + attributes.length + payload.length);
  viewOf(content).setUint32(0, attributes.length, true);
  content.set(attributes, 4);
  content.set(payload, 4 + attributes.length);
  return content;
}

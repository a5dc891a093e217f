/**
 * AES-256-GCM over one record's content. Pure but for the scratch memory below, which no call leaves anything secret in.
 *
 * The nonce is the record's id: a data key belongs to one segment of one writer, and an id is encoded once there, so no
 * nonce is used twice. The tag also covers where the record stands and everything its header says of the content, so a
 * record that was copied elsewhere, or whose time, flags or expiry were changed, does not authenticate.
 */
import { createCipheriv, createDecipheriv, type KeyObject } from "node:crypto";
import { BodyProblem } from "./body-problem.ts";

/** The segment that a record was encrypted for. A repair keeps all of it. */
export interface KeyedSegment {
  readonly baseId: number;
  /** Of the writer that began it. */
  readonly epoch: number;
  /** The salt's halves as int32. */
  readonly saltLow: number;
  readonly saltHigh: number;
}

/** What the tag covers besides the content. */
export interface RecordFacts {
  readonly id: number;
  readonly timestampUs: number;
  readonly flags: number;
  readonly codecBits: number;
  /** 0: none. */
  readonly expiresAtUs: number;
}

export const tagBytes = 16;

const algorithm = "aes-256-gcm";
const formatVersion = 1;
const boundBytes = new Uint8Array(56);
const bound = new DataView(boundBytes.buffer);
const nonceBytes = new Uint8Array(12);
const nonce = new DataView(nonceBytes.buffer);

/** Writes the cipher text and its tag to `target`, which is `content.length + tagBytes` long. */
export function encrypt(
  key: KeyObject,
  segment: KeyedSegment,
  record: RecordFacts,
  content: Uint8Array,
  target: Uint8Array,
): void {
  bind(segment, record);
  const cipher = createCipheriv(algorithm, key, nonceBytes, { authTagLength: tagBytes });
  cipher.setAAD(boundBytes);
  target.set(cipher.update(content), 0);
  cipher.final();
  target.set(cipher.getAuthTag(), content.length);
}

/** @throws BodyProblem `TAMPERED_RECORD`, `CORRUPTED_RECORD` */
export function decrypt(key: KeyObject, segment: KeyedSegment, record: RecordFacts, sealed: Uint8Array): Uint8Array {
  if (sealed.length < tagBytes) {
    throw new BodyProblem("CORRUPTED_RECORD", "is damaged: it is too short to be encrypted");
  }
  bind(segment, record);
  const decipher = createDecipheriv(algorithm, key, nonceBytes, { authTagLength: tagBytes });
  decipher.setAAD(boundBytes);
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  const content = decipher.update(sealed.subarray(0, sealed.length - tagBytes));
  try {
    decipher.final();
  } catch (error) {
    // Never shown: nobody vouches for it.
    content.fill(0);
    throw new BodyProblem(
      "TAMPERED_RECORD",
      "does not authenticate: its bytes were changed by somebody without the key",
      {
        cause: error,
      },
    );
  }
  return content;
}

function bind(segment: KeyedSegment, record: RecordFacts): void {
  bound.setUint16(0, formatVersion, true);
  bound.setUint16(2, record.codecBits, true);
  bound.setUint32(4, segment.epoch, true);
  setU64(bound, 8, segment.baseId);
  bound.setInt32(16, segment.saltLow, true);
  bound.setInt32(20, segment.saltHigh, true);
  setU64(bound, 24, record.id);
  setU64(bound, 32, record.timestampUs);
  setU64(bound, 40, record.flags);
  setU64(bound, 48, record.expiresAtUs);
  setU64(nonce, 0, record.id);
}

/** No bigint: once per record. */
function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 0x100000000), true);
}

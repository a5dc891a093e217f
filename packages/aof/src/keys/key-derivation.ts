/** What is derived from a log's key; see FORMAT.md "KEYS". Pure. */
import { createSecretKey, hkdfSync, type KeyObject } from "node:crypto";
import type { KeyedSegment } from "../content/record-cipher.ts";
import { checkValueBytes } from "../format/keys-codec.ts";
import { viewOf, writeU64 } from "../format/bytes.ts";
import type { KeyContext } from "./key-provider.ts";

export const keyBytes = 32;

const noSalt = new Uint8Array(0);
const utf8 = new TextEncoder();

/**
 * The key of one segment of one writer, 32 bytes. As an object: a cipher made from bytes first makes one, which costs ten
 * times what the cipher does. Node clears its memory when it is collected.
 */
export function deriveDataKey(generationKey: Uint8Array, segment: KeyedSegment): KeyObject {
  const label = utf8.encode("varve data key 1");
  const info = new Uint8Array(label.length + 20);
  info.set(label);
  const view = viewOf(info);
  writeU64(view, label.length, segment.baseId);
  view.setUint32(label.length + 8, segment.epoch, true);
  view.setInt32(label.length + 12, segment.saltLow, true);
  view.setInt32(label.length + 16, segment.saltHigh, true);
  const bytes = new Uint8Array(hkdfSync("sha256", generationKey, noSalt, info, keyBytes));
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}

/** Tells whether an unwrapped key is the one that was wrapped, and says nothing else about it. */
export function keyCheckValue(generationKey: Uint8Array, { logId, generation }: KeyContext): Uint8Array {
  const info = utf8.encode(`varve check value 1 ${logId} ${generation}`);
  return new Uint8Array(hkdfSync("sha256", generationKey, noSalt, info, checkValueBytes));
}

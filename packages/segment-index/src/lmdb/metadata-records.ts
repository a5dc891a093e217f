/**
 * The records of the `metadata` database and the keys of `segments`: FORMAT.md section 4, line for line.
 */
import { crc64Nvme } from "@varve/fs-core";
import { ByteReader, ByteWriter, fromUtf8, toUtf8, viewOf } from "../bytes.ts";
import type { Change } from "../change.ts";
import { asStored, readShortText, readStamp, writeShortText, writeStamp } from "../change-codec.ts";
import { checkCursorName } from "../entry-rules.ts";
import { damaged, IndexError } from "../errors.ts";

export const stateKey = "state";
const stateVersion = 1;
const epochKey = "epoch";
const stampKey = "stamp";
const cursorPrefix = "cursor/";

/** What the environment says about itself as a whole. */
export interface EnvironmentState {
  readonly logId: string;
  readonly revision: number;
  /** Records of both databases, without this one. */
  readonly records: number;
  /** Exclusive or of their checksums. */
  readonly digest: bigint;
}

/** 8 bytes, big-endian: byte order is id order. */
export function segmentKey(baseId: number): Uint8Array {
  const key = new Uint8Array(8);
  viewOf(key).setBigUint64(0, BigInt(baseId));
  return key;
}

/** The last eight bytes of any value are its checksum. @throws IndexError `INDEX_DAMAGED` */
export function checksumOf(value: Uint8Array): bigint {
  if (value.length < 8) throw damaged("a record without a checksum");
  return viewOf(value).getBigUint64(value.length - 8, true);
}

export function encodeState(state: EnvironmentState): Uint8Array {
  return seal(stateKey, (out) => {
    out.u32(stateVersion);
    out.u32(0);
    out.u53(state.revision);
    out.u53(state.records);
    out.u64(state.digest);
    writeShortText(out, state.logId);
  });
}

/** @throws IndexError `INDEX_DAMAGED`, `INDEX_FORMAT_TOO_NEW` */
export function decodeState(value: Uint8Array): EnvironmentState {
  const input = unseal(stateKey, value);
  const version = input.u32();
  if (version !== stateVersion) throw new IndexError("INDEX_FORMAT_TOO_NEW", `data.mdb: version ${version}`);
  input.u32();
  const [revision, records, digest] = [input.u53(), input.u53(), input.u64()];
  return { revision, records, digest, logId: readShortText(input) };
}

/** The record that holds a change of metadata; without a value the record goes. Undefined for changes of entries. */
export function metadataRecord(change: Change): { key: string; value: Uint8Array | undefined } | undefined {
  switch (change.kind) {
    case "cursor": {
      const { id } = change;
      const key = cursorPrefix + change.name;
      return { key, value: id === undefined ? undefined : seal(key, (out) => out.u53(id)) };
    }
    case "epoch":
      return { key: epochKey, value: seal(epochKey, (out) => out.u53(change.epoch)) };
    case "stamp":
      return { key: stampKey, value: seal(stampKey, (out) => writeStamp(out, change.stamp)) };
    default:
      return undefined;
  }
}

/** The change that such a record holds. @throws IndexError `INDEX_DAMAGED` */
export function readMetadataRecord(key: string, value: Uint8Array): Change {
  const input = unseal(key, value);
  const change = readPayload(key, input);
  if (input.remaining !== 0) throw damaged("data.mdb: a metadata record of the wrong length");
  return change;
}

/** The text of a metadata key. @throws IndexError `INDEX_DAMAGED` */
export function metadataKey(key: Uint8Array): string {
  return fromUtf8(key);
}

function readPayload(key: string, input: ByteReader): Change {
  if (key === epochKey) return { kind: "epoch", epoch: input.u53() };
  if (key === stampKey) return { kind: "stamp", stamp: readStamp(input) };
  if (!key.startsWith(cursorPrefix)) throw damaged("data.mdb: an unknown metadata record");
  const name = key.slice(cursorPrefix.length);
  asStored(() => checkCursorName(name));
  return { kind: "cursor", name, id: input.u53() };
}

/** The payload and a checksum that also covers the key: a value under another key is damage. */
function seal(key: string, write: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter(128);
  write(out);
  out.u64(crc64Nvme(out.soFar(), crc64Nvme(toUtf8(key))));
  return out.soFar();
}

function unseal(key: string, value: Uint8Array): ByteReader {
  const stored = checksumOf(value);
  const payload = value.subarray(0, value.length - 8);
  if (stored !== crc64Nvme(payload, crc64Nvme(toUtf8(key)))) throw damaged("data.mdb: a damaged metadata record");
  return new ByteReader(payload);
}

/**
 * Changes as bytes: FORMAT.md section 2, line for line.
 */
import { type ByteReader, type ByteWriter, fromUtf8, toUtf8 } from "./bytes.ts";
import type { Change } from "./change.ts";
import { decodeEntry, encodeEntry, entryLength } from "./entry-codec.ts";
import { damaged, isIndexError } from "./errors.ts";
import { checkCursorName, makeStamp } from "./entry-rules.ts";
import type { IndexStamp } from "./segment-index.ts";

const kinds = { put: 1, remove: 2, clear: 3, setCursor: 4, deleteCursor: 5, epoch: 6, stamp: 7 } as const;

export function writeChange(out: ByteWriter, change: Change): void {
  switch (change.kind) {
    case "put":
      out.u8(kinds.put);
      out.raw(encodeEntry(change.entry));
      break;
    case "remove":
      out.u8(kinds.remove);
      out.u53(change.baseId);
      break;
    case "clear":
      out.u8(kinds.clear);
      break;
    case "cursor":
      out.u8(change.id === undefined ? kinds.deleteCursor : kinds.setCursor);
      if (change.id !== undefined) out.u53(change.id);
      writeShortText(out, change.name);
      break;
    case "epoch":
      out.u8(kinds.epoch);
      out.u53(change.epoch);
      break;
    case "stamp":
      out.u8(kinds.stamp);
      writeStamp(out, change.stamp);
      break;
  }
}

/** @throws IndexError `INDEX_DAMAGED`, `INDEX_FORMAT_TOO_NEW` */
export function readChange(input: ByteReader): Change {
  const kind = input.u8();
  switch (kind) {
    case kinds.put: {
      const rest = input.bytes.subarray(input.position);
      return { kind: "put", entry: decodeEntry(input.raw(entryLength(rest))) };
    }
    case kinds.remove:
      return { kind: "remove", baseId: input.u53() };
    case kinds.clear:
      return { kind: "clear" };
    case kinds.setCursor: {
      const id = input.u53();
      return { kind: "cursor", name: readCursorName(input), id };
    }
    case kinds.deleteCursor:
      return { kind: "cursor", name: readCursorName(input), id: undefined };
    case kinds.epoch:
      return { kind: "epoch", epoch: input.u53() };
    case kinds.stamp:
      return { kind: "stamp", stamp: readStamp(input) };
    default:
      throw damaged("a change of an unknown kind");
  }
}

export function writeStamp(out: ByteWriter, stamp: IndexStamp): void {
  out.u53(stamp.epoch);
  out.u53(stamp.tailBaseId);
  out.u53(stamp.tailLength);
  writeShortText(out, stamp.logId);
}

/** @throws IndexError `INDEX_DAMAGED` */
export function readStamp(input: ByteReader): IndexStamp {
  const epoch = input.u53();
  const tailBaseId = input.u53();
  const tailLength = input.u53();
  const logId = readShortText(input);
  return asStored(() => makeStamp({ logId, epoch, tailBaseId, tailLength }, undefined));
}

export function writeShortText(out: ByteWriter, text: string): void {
  const bytes = toUtf8(text);
  out.u8(bytes.length);
  out.raw(bytes);
}

/** @throws IndexError `INDEX_DAMAGED` */
export function readShortText(input: ByteReader): string {
  return fromUtf8(input.raw(input.u8()));
}

function readCursorName(input: ByteReader): string {
  const name = readShortText(input);
  asStored(() => checkCursorName(name));
  return name;
}

/** A stored value that breaks the rules of arguments is damage: nobody could have stored it. */
export function asStored<T>(check: () => T): T {
  try {
    return check();
  } catch (cause) {
    if (isIndexError(cause) && cause.code === "INDEX_INVALID_ARGUMENT") throw damaged(cause.message, { cause });
    throw cause;
  }
}

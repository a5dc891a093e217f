/**
 * The parts of `segments.idx` as bytes: FORMAT.md section 3, line for line. No I/O.
 */
import { crc64Nvme } from "@varve/fs-core";
import { ByteReader, ByteWriter, fromUtf8, putU53, toUtf8, viewOf } from "../bytes.ts";
import type { Change } from "../change.ts";
import { readChange, writeChange } from "../change-codec.ts";
import { damaged, IndexError } from "../errors.ts";

const fileVersion = 1;

/** Where the first frame begins; header and slots lie before it, each in sectors of its own. */
export const framesBegin = 4096;

const headerBytes = 64;
const slotBytes = 64;
const frameHeadBytes = 32;
/** `VRVSIDX` and a zero byte. */
const magic = Uint8Array.of(0x56, 0x52, 0x56, 0x53, 0x49, 0x44, 0x58, 0);
const logIdBytesMax = 32;

/** Slots are 512 bytes apart: the smallest unit a disk tears. */
export function slotOffset(sequence: number): number {
  return 512 * (1 + (sequence % 2));
}

/** What a file says about itself. */
export interface FileHeader {
  readonly logId: string;
  readonly generation: number;
  /** Seed of the first frame's checksum. */
  readonly checksum: bigint;
}

export function encodeHeader(logId: string, generation: number): { bytes: Uint8Array; header: FileHeader } {
  const out = new ByteWriter(headerBytes);
  out.raw(magic);
  out.u32(fileVersion);
  const id = toUtf8(logId);
  out.u8(id.length);
  out.zeroes(3);
  out.raw(id);
  out.zeroes(logIdBytesMax - id.length);
  out.u53(generation);
  const checksum = crc64Nvme(out.soFar());
  out.u64(checksum);
  return { bytes: out.soFar(), header: { logId, generation, checksum } };
}

/** @throws IndexError `INDEX_DAMAGED`, `INDEX_FORMAT_TOO_NEW` */
export function decodeHeader(file: Uint8Array): FileHeader {
  if (file.length < framesBegin) throw damaged("segments.idx: shorter than its header");
  const input = new ByteReader(file.subarray(0, headerBytes));
  const found = input.raw(magic.length);
  if (!magic.every((byte, index) => byte === found[index])) throw damaged("segments.idx: not an index file");
  const checksum = crc64Nvme(file.subarray(0, headerBytes - 8));
  if (viewOf(file).getBigUint64(headerBytes - 8, true) !== checksum) throw damaged("segments.idx: damaged header");
  const version = input.u32();
  if (version !== fileVersion) throw new IndexError("INDEX_FORMAT_TOO_NEW", `segments.idx: version ${version}`);
  const length = input.u8();
  input.raw(3);
  const id = input.raw(logIdBytesMax);
  if (length > logIdBytesMax) throw damaged("segments.idx: impossible log id");
  return { logId: fromUtf8(id.subarray(0, length)), generation: input.u53(), checksum };
}

/** One commit in the file. */
export interface Frame {
  readonly sequence: number;
  readonly revision: number;
  readonly changes: readonly Change[];
  readonly checksum: bigint;
  /** File offset behind it. */
  readonly end: number;
}

/** @param before checksum of the frame before, or of the header */
export function encodeFrame(
  frame: Pick<Frame, "sequence" | "revision" | "changes">,
  before: bigint,
): { bytes: Uint8Array; checksum: bigint } {
  const out = new ByteWriter(frameHeadBytes + 512);
  out.zeroes(frameHeadBytes);
  for (const change of frame.changes) writeChange(out, change);
  const payload = out.soFar(frameHeadBytes);
  const head = encodeFrameHead(frame, payload.length);
  const checksum = crc64Nvme(head, crc64Nvme(payload, before));
  out.zeroes(-out.length & 7);
  const bytes = out.soFar();
  bytes.set(head, 0);
  viewOf(bytes).setBigUint64(24, checksum, true);
  return { bytes, checksum };
}

/**
 * The frame at `offset`, or undefined where none is whole.
 * @throws IndexError `INDEX_DAMAGED` for a whole frame with impossible contents, `INDEX_FORMAT_TOO_NEW`
 */
export function decodeFrame(file: Uint8Array, offset: number, before: bigint): Frame | undefined {
  if (offset + frameHeadBytes > file.length) return undefined;
  const head = file.subarray(offset, offset + frameHeadBytes);
  const length = viewOf(head).getUint32(16, true);
  const payloadBegin = offset + frameHeadBytes;
  const end = payloadBegin + length + (-length & 7);
  if (end > file.length) return undefined;
  const payload = file.subarray(payloadBegin, payloadBegin + length);
  const checksum = crc64Nvme(head.subarray(0, 24), crc64Nvme(payload, before));
  if (viewOf(head).getBigUint64(24, true) !== checksum) return undefined;
  const input = new ByteReader(head);
  const sequence = input.u53();
  const revision = input.u53();
  input.u32();
  return { sequence, revision, changes: decodeChanges(payload, input.u32()), checksum, end };
}

/** A promise that the frame of this sequence is durable. */
export interface Slot {
  readonly sequence: number;
  readonly end: number;
  readonly checksum: bigint;
}

/** What the slot holds that was never used. */
export const unusedSlot: Slot = { sequence: 0, end: 0, checksum: 0n };

export function encodeSlot(slot: Slot): Uint8Array {
  const out = new ByteWriter(slotBytes);
  out.u53(slot.sequence);
  out.u53(slot.end);
  out.u64(slot.checksum);
  out.zeroes(32);
  out.u64(crc64Nvme(out.soFar()));
  return out.soFar();
}

/** Undefined when the slot is torn or damaged. */
export function decodeSlot(file: Uint8Array, parity: 0 | 1): Slot | undefined {
  const offset = slotOffset(parity);
  const bytes = file.subarray(offset, offset + slotBytes);
  const sound = viewOf(bytes).getBigUint64(slotBytes - 8, true) === crc64Nvme(bytes.subarray(0, slotBytes - 8));
  if (!sound) return undefined;
  const input = new ByteReader(bytes);
  return { sequence: input.u53(), end: input.u53(), checksum: input.u64() };
}

function encodeFrameHead(frame: Pick<Frame, "sequence" | "revision" | "changes">, length: number): Uint8Array {
  const head = new Uint8Array(24);
  const view = viewOf(head);
  putU53(view, 0, frame.sequence);
  putU53(view, 8, frame.revision);
  view.setUint32(16, length, true);
  view.setUint32(20, frame.changes.length, true);
  return head;
}

function decodeChanges(payload: Uint8Array, count: number): Change[] {
  const input = new ByteReader(payload);
  const changes: Change[] = [];
  while (input.remaining > 0) changes.push(readChange(input));
  if (changes.length !== count) throw damaged("segments.idx: a frame with the wrong number of changes");
  return changes;
}

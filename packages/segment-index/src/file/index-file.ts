/**
 * A whole `segments.idx` from and to bytes, and the judgement of what a crash or damage left. No I/O.
 */
import { IndexError, damaged } from "../errors.ts";
import { MemoryStorage } from "../memory-segment-index.ts";
import {
  decodeFrame,
  decodeHeader,
  decodeSlot,
  encodeFrame,
  encodeHeader,
  encodeSlot,
  type FileHeader,
  type Frame,
  framesBegin,
  type Slot,
  slotOffset,
  unusedSlot,
} from "./file-layout.ts";

/** Where the next frame goes and what it continues. */
export interface FilePosition {
  readonly generation: number;
  /** Where the first frame, the state when the file was made, ends. */
  readonly baseEnd: number;
  /** Of the last frame. */
  readonly sequence: number;
  readonly checksum: bigint;
  readonly end: number;
}

/** A file that begins with this state. */
export function buildIndexFile(
  state: MemoryStorage,
  logId: string,
  generation: number,
): { bytes: Uint8Array; position: FilePosition } {
  const { bytes: headerBytes, header } = encodeHeader(logId, generation);
  const frame = { sequence: 1, revision: state.revision, changes: state.changes() };
  const { bytes: frameBytes, checksum } = encodeFrame(frame, header.checksum);
  const end = framesBegin + frameBytes.length;
  const bytes = new Uint8Array(end);
  bytes.set(headerBytes, 0);
  bytes.set(encodeSlot(unusedSlot), slotOffset(0));
  bytes.set(encodeSlot({ sequence: 1, end, checksum }), slotOffset(1));
  bytes.set(frameBytes, framesBegin);
  return { bytes, position: { generation, baseEnd: end, sequence: 1, checksum, end } };
}

/** What {@link readIndexFile} found. */
export interface ReadIndexFile {
  readonly state: MemoryStorage;
  readonly position: FilePosition;
  /** False when a crash left something behind the last acknowledged commit: replace the file before writing to it. */
  readonly clean: boolean;
}

/**
 * The last committed state in these bytes.
 * @throws IndexError `INDEX_DAMAGED`, `INDEX_FOREIGN`, `INDEX_FORMAT_TOO_NEW`
 */
export function readIndexFile(file: Uint8Array, logId: string): ReadIndexFile {
  const header = decodeHeader(file);
  if (header.logId !== logId) throw new IndexError("INDEX_FOREIGN", "segments.idx: the index of another log");
  const state = new MemoryStorage(logId);
  const frames = readFrames(file, header, state);
  const last = frames.at(-1);
  const base = frames[0];
  if (last === undefined || base === undefined) throw damaged("segments.idx: no whole frame");
  const clean = judge(frames, decodeSlot(file, 0), decodeSlot(file, 1), file.length);
  const { sequence, checksum, end } = last;
  return { state, position: { generation: header.generation, baseEnd: base.end, sequence, checksum, end }, clean };
}

/** The unbroken run of whole frames, applied to `state`. */
function readFrames(file: Uint8Array, header: FileHeader, state: MemoryStorage): Omit<Frame, "changes">[] {
  const frames: Omit<Frame, "changes">[] = [];
  let offset = framesBegin;
  let before = header.checksum;
  for (;;) {
    const frame = decodeFrame(file, offset, before);
    if (frame === undefined) return frames;
    const { changes, ...rest } = frame;
    if (rest.sequence !== frames.length + 1) throw damaged("segments.idx: frames out of order");
    state.apply(changes, rest.revision);
    frames.push(rest);
    offset = rest.end;
    before = rest.checksum;
  }
}

/**
 * Torn or damaged? The table in FORMAT.md section 3.
 * @returns whether the file is clean
 */
function judge(
  frames: readonly Omit<Frame, "changes">[],
  even: Slot | undefined,
  odd: Slot | undefined,
  fileLength: number,
): boolean {
  for (const slot of [even, odd]) {
    if (slot !== undefined && slot.sequence > 0) checkPromise(slot, frames[slot.sequence - 1]);
  }
  const good = frames.length;
  const promised = Math.max(even?.sequence ?? 0, odd?.sequence ?? 0);
  const bothSound = even !== undefined && odd !== undefined;
  if (good === promised && bothSound && areNeighbours(even.sequence, odd.sequence)) {
    return frames.at(-1)?.end === fileLength;
  }
  if (good === promised + 1 && promised > 0) return false;
  throw damaged("segments.idx: its frames are not what its slots promise");
}

/** A slot is written after the one before it; only the very first stands beside the unused one. */
function areNeighbours(even: number, odd: number): boolean {
  return Math.abs(even - odd) === 1;
}

function checkPromise(slot: Slot, frame: Omit<Frame, "changes"> | undefined): void {
  if (frame?.checksum !== slot.checksum || frame.end !== slot.end) {
    throw damaged(`segments.idx: commit ${slot.sequence} was durable and is not whole`);
  }
}

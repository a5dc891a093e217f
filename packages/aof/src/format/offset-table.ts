/**
 * The offset table of a sealed segment; see FORMAT.md. Pure: no I/O.
 *
 * Offsets are kept in units of 8 bytes. The narrow form (2 bytes a record) needs every group of 256 records to span
 * less than 512 KiB; otherwise the wide form (4 bytes a record) is used.
 */

const groupShift = 8;
const groupSize = 1 << groupShift;
const narrowLimit = 0x10000;

export interface EncodedTable {
  readonly entryBytes: 2 | 4;
  /** Length is a multiple of 8. */
  readonly bytes: Uint8Array;
}

/** @param units the first `count` hold each record's offset / 8, increasing */
export function encodeOffsetTable(units: Uint32Array, count: number): EncodedTable {
  return fitsNarrow(units, count) ? encodeNarrow(units, count) : encodeWide(units, count);
}

function fitsNarrow(units: Uint32Array, count: number): boolean {
  for (let first = 0; first < count; first += groupSize) {
    const last = Math.min(first + groupSize, count) - 1;
    if ((units[last] as number) - (units[first] as number) >= narrowLimit) return false;
  }
  return true;
}

function encodeNarrow(units: Uint32Array, count: number): EncodedTable {
  const bytes = new Uint8Array(offsetTableBytes(count, 2));
  const view = new DataView(bytes.buffer);
  for (let first = 0; first < count; first += groupSize) {
    view.setUint32((first >> groupShift) * 4, units[first] as number, true);
  }
  const start = anchorBytes(count);
  for (let index = 0; index < count; index++) {
    const anchor = units[index & ~(groupSize - 1)] as number;
    view.setUint16(start + index * 2, (units[index] as number) - anchor, true);
  }
  return { entryBytes: 2, bytes };
}

function encodeWide(units: Uint32Array, count: number): EncodedTable {
  const bytes = new Uint8Array(offsetTableBytes(count, 4));
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < count; index++) view.setUint32(index * 4, units[index] as number, true);
  return { entryBytes: 4, bytes };
}

/** Bytes the table of `count` records takes. */
export function offsetTableBytes(count: number, entryBytes: 2 | 4): number {
  return entryBytes === 4 ? roundTo8(count * 4) : anchorBytes(count) + roundTo8(count * 2);
}

function anchorBytes(count: number): number {
  return roundTo8(Math.ceil(count / groupSize) * 4);
}

function roundTo8(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** Where in the table the entries `[first, first + length)` stand; `first` is a multiple of 256. */
export function tableSlices(
  count: number,
  entryBytes: 2 | 4,
  first: number,
  length: number,
): { readonly anchors: { at: number; length: number } | undefined; readonly entries: { at: number; length: number } } {
  if (entryBytes === 4) return { anchors: undefined, entries: { at: first * 4, length: length * 4 } };
  return {
    anchors: { at: (first >> groupShift) * 4, length: Math.ceil(length / groupSize) * 4 },
    entries: { at: anchorBytes(count) + first * 2, length: length * 2 },
  };
}

/** Offsets / 8 of `length` records from the bytes that {@link tableSlices} named. */
export function decodeTableSlices(
  entryBytes: 2 | 4,
  anchors: Uint8Array | undefined,
  entries: Uint8Array,
  length: number,
): Uint32Array {
  const units = new Uint32Array(length);
  const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
  if (entryBytes === 4 || anchors === undefined) {
    for (let index = 0; index < length; index++) units[index] = view.getUint32(index * 4, true);
    return units;
  }
  const anchorView = new DataView(anchors.buffer, anchors.byteOffset, anchors.byteLength);
  for (let index = 0; index < length; index++) {
    units[index] = anchorView.getUint32((index >> groupShift) * 4, true) + view.getUint16(index * 2, true);
  }
  return units;
}

/** Which ranges share a request. Arithmetic only. */
import type { ByteRange } from "./object-store.ts";

/** One request, and which of the wanted ranges it serves. */
export interface RangeGroup extends ByteRange {
  /** Positions in the list of wanted ranges. */
  readonly members: readonly number[];
}

/** Bytes of one request at most, unless a single range is longer. Keeps memory and the cost of trying again in bounds. */
const groupBytesMax = 16 * 2 ** 20;

/** Groups of ranges with at most `gapBytes` between neighbours, in order of offset. Empty ranges are in none. */
export function groupRanges(ranges: readonly ByteRange[], gapBytes: number): RangeGroup[] {
  const sorted = [...ranges.keys()]
    .filter((index) => (ranges[index] as ByteRange).length > 0)
    .toSorted((a, b) => (ranges[a] as ByteRange).offset - (ranges[b] as ByteRange).offset);
  const groups: { offset: number; end: number; members: number[] }[] = [];
  for (const index of sorted) {
    const { offset, length } = ranges[index] as ByteRange;
    const last = groups.at(-1);
    const end = Math.max(last?.end ?? 0, offset + length);
    if (last !== undefined && offset - last.end <= gapBytes && end - last.offset <= groupBytesMax) {
      last.end = end;
      last.members.push(index);
    } else {
      groups.push({ offset, end: offset + length, members: [index] });
    }
  }
  return groups.map(({ offset, end, members }) => ({ offset, length: end - offset, members }));
}

import type { Change } from "./change.ts";
import type { SegmentEntry } from "./segment-entry.ts";
import { type SegmentStatus, segmentStatuses } from "./segment-status.ts";

/**
 * The committed entries in brief: what searches need, about 32 bytes an entry, sorted by base id. It answers *which*
 * entry; the storage then hands out the entry itself.
 *
 * Always true between calls:
 *  D1  ids is strictly ascending; statuses and ends have the same length
 *  D2  for i < prefixKnown: prefix[i] = max(ends[0..i])
 */
export class SegmentDirectory {
  readonly #ids: number[] = [];
  /** Positions in `segmentStatuses`. */
  readonly #statuses: number[] = [];
  /** The latest time a segment may answer for: +∞ while active, -∞ when sealed empty. */
  readonly #ends: number[] = [];
  /** Running maximum of ends: ascending whatever the clock did, so a binary search is right. Filled on demand. */
  readonly #prefix: number[] = [];
  #prefixKnown = 0;

  get size(): number {
    return this.#ids.length;
  }

  apply(change: Change): void {
    if (change.kind === "put") this.#put(change.entry);
    else if (change.kind === "remove") this.#remove(change.baseId);
    else if (change.kind === "clear") this.#clear();
  }

  has(baseId: number): boolean {
    return this.#ids[lowerBound(this.#ids, baseId, this.size)] === baseId;
  }

  /** The highest base id, if there is an entry. */
  last(): number | undefined {
    return this.#ids.at(-1);
  }

  /** The highest base id not above `id`. */
  floor(id: number): number | undefined {
    return this.#ids[lowerBound(this.#ids, id + 1, this.size) - 1];
  }

  /** The first base id whose segment may hold something at or after the time. */
  firstAtOrAfter(timestampUs: number): number | undefined {
    this.#fillPrefix();
    return this.#ids[lowerBound(this.#prefix, timestampUs, this.size)];
  }

  /** Base ids in `[from, to)` of the given statuses, ascending or descending. Do not change the directory meanwhile. */
  *select(options: {
    readonly from?: number | undefined;
    readonly to?: number | undefined;
    readonly statuses?: readonly SegmentStatus[] | undefined;
    readonly reverse?: boolean | undefined;
  }): Generator<number, void, undefined> {
    const wanted = options.statuses && new Set(options.statuses.map((status) => segmentStatuses.indexOf(status)));
    const first = options.from === undefined ? 0 : lowerBound(this.#ids, options.from, this.size);
    const end = options.to === undefined ? this.size : lowerBound(this.#ids, options.to, this.size);
    for (let step = 0; step < end - first; step++) {
      const index = options.reverse ? end - 1 - step : first + step;
      if (wanted === undefined || wanted.has(this.#statuses[index] as number)) yield this.#ids[index] as number;
    }
  }

  #put(entry: SegmentEntry): void {
    const index = lowerBound(this.#ids, entry.baseId, this.size);
    if (this.#ids[index] !== entry.baseId) {
      // Nearly always an append at the end; a rebuild comes in order too.
      this.#ids.splice(index, 0, entry.baseId);
      this.#statuses.splice(index, 0, 0);
      this.#ends.splice(index, 0, 0);
    }
    this.#statuses[index] = segmentStatuses.indexOf(entry.status);
    this.#ends[index] = endOf(entry);
    this.#prefixKnown = Math.min(this.#prefixKnown, index);
  }

  #remove(baseId: number): void {
    const index = lowerBound(this.#ids, baseId, this.size);
    if (this.#ids[index] !== baseId) return;
    for (const column of [this.#ids, this.#statuses, this.#ends]) column.splice(index, 1);
    this.#prefixKnown = Math.min(this.#prefixKnown, index);
  }

  #clear(): void {
    for (const column of [this.#ids, this.#statuses, this.#ends]) column.length = 0;
    this.#prefixKnown = 0;
  }

  #fillPrefix(): void {
    let highest = this.#prefixKnown === 0 ? -Infinity : (this.#prefix[this.#prefixKnown - 1] as number);
    for (let index = this.#prefixKnown; index < this.size; index++) {
      highest = Math.max(highest, this.#ends[index] as number);
      this.#prefix[index] = highest;
    }
    this.#prefixKnown = this.size;
    this.#prefix.length = this.size;
  }
}

function endOf(entry: SegmentEntry): number {
  if (entry.status === "active") return Infinity;
  return entry.recordCount === 0 ? -Infinity : entry.lastTimestampUs;
}

/** The first index in `[0, size)` whose value is not below `value`; `size` if there is none. `sorted` ascends. */
function lowerBound(sorted: readonly number[], value: number, size: number): number {
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

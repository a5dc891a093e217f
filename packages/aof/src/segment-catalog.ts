/**
 * Which segments the log consists of, in order, as memory knows it. The newest may be active. No I/O.
 *
 * Always true: base ids rise; each segment's last id + 1 is the next one's base id.
 */
import type { ActiveSegment } from "./active-segment.ts";
import type { SealedSegment } from "./sealed-segment.ts";
import type { OpenSegment } from "./segment-cache.ts";
import { segmentName } from "./segment-name.ts";

/** One segment, wherever it is in its life. The same object from its first record to its removal. */
export class LogSegment {
  readonly baseId: number;
  readonly name: string;
  /** Set while its records' offsets are in memory: until it is sealed. */
  live: ActiveSegment | undefined;
  sealed: SealedSegment | undefined;
  /** Its file, while it is open for reading; the segment cache's. */
  opened: OpenSegment | undefined;

  constructor(content: ActiveSegment | SealedSegment) {
    this.baseId = content.baseId;
    this.name = segmentName(content.baseId);
    if ("units" in content) this.live = content;
    else this.sealed = content;
  }

  /** The id of its newest encoded record. */
  get lastId(): number {
    return this.live?.lastId ?? this.sealed?.lastId ?? this.baseId - 1;
  }

  get dataLength(): number {
    return this.live?.end ?? this.sealed?.dataLength ?? 0;
  }
}

export class SegmentCatalog {
  #segments: LogSegment[];

  constructor(sealed: readonly SealedSegment[]) {
    this.#segments = sealed.map((segment) => new LogSegment(segment));
  }

  get segments(): readonly LogSegment[] {
    return this.#segments;
  }

  get last(): LogSegment | undefined {
    return this.#segments.at(-1);
  }

  add(content: ActiveSegment | SealedSegment): LogSegment {
    const segment = new LogSegment(content);
    this.#segments.push(segment);
    return segment;
  }

  removeLast(): void {
    this.#segments.pop();
  }

  replaceAll(segments: readonly LogSegment[]): void {
    this.#segments = [...segments];
  }

  /** The oldest segments whose successor begins at or before `firstId`. */
  below(firstId: number): LogSegment[] {
    const segments = this.#segments;
    let count = 0;
    while (count + 1 < segments.length && (segments[count + 1] as LogSegment).baseId <= firstId) count++;
    return segments.slice(0, count);
  }

  /** Takes out the oldest, sealed segments whose successor begins at or before `firstId`. @returns them, oldest first */
  takeBelow(firstId: number): LogSegment[] {
    const segments = this.#segments;
    const below = this.below(firstId);
    const unsealed = below.findIndex(({ live }) => live !== undefined);
    const count = unsealed === -1 ? below.length : unsealed;
    // A new array: who walks the old one is not disturbed.
    if (count > 0) this.#segments = segments.slice(count);
    return segments.slice(0, count);
  }

  find(baseId: number): LogSegment | undefined {
    const found = this.segmentOf(baseId);
    return found?.baseId === baseId ? found : undefined;
  }

  /** The segment that holds or will hold `id`: the last one that begins at or before it. */
  segmentOf(id: number): LogSegment | undefined {
    const segments = this.#segments;
    let low = 0;
    let high = segments.length - 1;
    // Most reads are near the end.
    const newest = segments[high];
    if (newest !== undefined && newest.baseId <= id) return newest;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((segments[middle] as LogSegment).baseId <= id) low = middle;
      else high = middle - 1;
    }
    const found = segments[low];
    return found !== undefined && found.baseId <= id ? found : undefined;
  }

  /** The first segment whose newest record is not older than `timestampUs`. */
  firstNotBefore(timestampUs: number): LogSegment | undefined {
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (newestTimestamp(this.#segments[middle] as LogSegment) < timestampUs) low = middle + 1;
      else high = middle;
    }
    return this.#segments[low];
  }
}

function newestTimestamp(segment: LogSegment): number {
  const content = segment.live ?? segment.sealed;
  return content?.lastTimestampUs ?? 0;
}

/**
 * Open segment files for reading, least recently used first out, never one that a reader holds.
 *
 * Always true:
 *  I1  a pinned entry's handle is open
 *  I2  at most `limit` entries, or as many as are pinned
 *  I3  a dropped entry is found no more; its handle is closed when the last pin ends
 *  I4  offset tables in memory take at most `tableBytes`, however many segments are open
 */
import type { FileHandle } from "@varve/fs-core";
import { BlockCache, type BlockCacheCounters, type SegmentBlocks } from "./block-cache.ts";
import { AofError, toAofError } from "./errors.ts";
import { decodeTableSlices, offsetTableBytes, tableSlices } from "./format/offset-table.ts";
import { decodeSegmentFooter, segmentFooterBytes } from "./format/segment-footer.ts";
import type { LogDirectory } from "./log-directory.ts";
import type { LogSegment } from "./segment-catalog.ts";
import { readSegmentHeaderSync } from "./segment-inspect.ts";

/** Records per piece of an offset table: 64 KiB in memory. A multiple of the table's groups of 256. */
const chunkRecords = 16 * 1024;
const chunkShift = 14;

/** A segment's file, open for reading. */
export class OpenSegment {
  readonly segment: LogSegment;
  readonly handle: FileHandle;
  readonly saltLow: number;
  readonly saltHigh: number;
  readonly baseId: number;
  /** Of the writer that began it: its records are encrypted for that. */
  readonly epoch: number;
  pins = 0;
  /** Its blocks in memory; the block cache's. */
  blocks: SegmentBlocks | undefined;
  /** The cache's count of misses when this was last moved to the end of its order. */
  usedAt = 0;
  readonly #cache: SegmentCache;
  /** Pieces of the offset table, by index; only for sealed segments. */
  #chunks: (Uint32Array | undefined)[] = [];
  #entryBytes: 2 | 4 | undefined;

  constructor(cache: SegmentCache, segment: LogSegment, handle: FileHandle, salt: bigint, epoch: number) {
    this.#cache = cache;
    this.segment = segment;
    this.handle = handle;
    this.baseId = segment.baseId;
    this.epoch = epoch;
    this.saltLow = Number(BigInt.asIntN(32, salt));
    this.saltHigh = Number(BigInt.asIntN(32, salt >> 32n));
  }

  /**
   * Byte offset of record `id`, or of the end of the records for `lastId + 1`.
   * @throws AofError `CORRUPTED_SEGMENT` when the table leads outside the records
   */
  offsetOf(id: number): number {
    const { live, sealed } = this.segment;
    if (live !== undefined) return live.offsetOf(id);
    if (sealed === undefined) throw new AofError("CLOSED", `${this.segment.name} is no longer part of the log`);
    const index = id - this.segment.baseId;
    if (index >= sealed.recordCount) return sealed.dataLength;
    const chunk = this.#chunks[index >>> chunkShift] ?? this.#loadChunk(index >>> chunkShift);
    const offset = (chunk[index & (chunkRecords - 1)] as number) * 8;
    if (offset < 64 || offset >= sealed.dataLength) throw this.#badTable();
    return offset;
  }

  dropChunk(index: number): void {
    this.#chunks[index] = undefined;
  }

  #loadChunk(chunkIndex: number): Uint32Array {
    const { sealed } = this.segment;
    if (sealed === undefined) throw this.#badTable();
    const entryBytes = this.#entryBytes ?? this.#readEntryBytes();
    this.#entryBytes = entryBytes;
    const first = chunkIndex * chunkRecords;
    const length = Math.min(chunkRecords, sealed.recordCount - first);
    const slices = tableSlices(sealed.recordCount, entryBytes, first, length);
    const anchors = slices.anchors === undefined ? undefined : this.#readTable(slices.anchors);
    const chunk = decodeTableSlices(entryBytes, anchors, this.#readTable(slices.entries), length);
    this.#chunks[chunkIndex] = chunk;
    this.#cache.noteChunk(this, chunkIndex, chunk.byteLength);
    return chunk;
  }

  #readTable(slice: { readonly at: number; readonly length: number }): Uint8Array {
    const bytes = new Uint8Array(slice.length);
    const at = (this.segment.sealed?.dataLength ?? 0) + slice.at;
    if (this.handle.readAtSync(at, bytes) < slice.length) throw this.#badTable();
    return bytes;
  }

  #readEntryBytes(): 2 | 4 {
    const { sealed } = this.segment;
    if (sealed === undefined) throw this.#badTable();
    const bytes = new Uint8Array(segmentFooterBytes);
    this.handle.readAtSync(sealed.fileLength - segmentFooterBytes, bytes);
    const footer = decodeSegmentFooter(bytes);
    if (footer.kind !== "ok") throw this.#badTable();
    const { entryBytes, recordCount, dataLength } = footer.value;
    const expectedLength = dataLength + offsetTableBytes(recordCount, entryBytes) + segmentFooterBytes;
    if (recordCount !== sealed.recordCount || expectedLength !== sealed.fileLength) throw this.#badTable();
    return entryBytes;
  }

  #badTable(): AofError {
    return new AofError(
      "CORRUPTED_SEGMENT",
      `the offset table of ${this.segment.name} is damaged; its records are not affected: read them in order, or repair with mode "salvage" to rebuild it`,
      { path: this.segment.name, segmentId: this.segment.baseId },
    );
  }
}

/** A piece of an offset table in memory. */
interface LoadedChunk {
  readonly owner: OpenSegment;
  readonly index: number;
  readonly bytes: number;
}

/** Counters since the cache was made. */
export interface SegmentCacheCounters {
  hits: number;
  misses: number;
  evictions: number;
}

/** What a cache may hold at most. */
export interface SegmentCacheLimits {
  /** Open files, but for pinned ones. */
  readonly segments: number;
  /** Offset tables. */
  readonly tableBytes: number;
  /** Blocks of segments for reads by id; 0 for none. */
  readonly blockBytes: number;
  /** Reads by id before there are blocks. Default 256: a log that is opened for a few pays nothing. */
  readonly readsUntilBlocks?: number;
}

/** Making the cache takes about a millisecond, and reserves memory. */
const readsUntilBlocks = 256;

export class SegmentCache {
  readonly counters: SegmentCacheCounters = { hits: 0, misses: 0, evictions: 0 };
  readonly #directory: LogDirectory;
  readonly #limits: SegmentCacheLimits;
  /** In order of last use, oldest first. */
  readonly #open = new Map<number, OpenSegment>();
  /** Loaded table pieces, oldest first. */
  #chunks: LoadedChunk[] = [];
  #tableBytes = 0;
  #newest: OpenSegment | undefined;
  #blockBytes: number;
  #blocks: BlockCache | undefined;
  #readsUntilBlocks: number;
  /** Dropped while a reader held them. */
  readonly #dropped = new Set<OpenSegment>();
  readonly #onRelease: (segment: LogSegment) => void;

  /** @param onRelease called when the last pin of a dropped segment ended and its file is closed */
  constructor(
    directory: LogDirectory,
    limits: SegmentCacheLimits,
    onRelease: (segment: LogSegment) => void = () => {},
  ) {
    this.#onRelease = onRelease;
    this.#directory = directory;
    this.#limits = limits;
    this.#blockBytes = limits.blockBytes;
    this.#readsUntilBlocks = limits.readsUntilBlocks ?? readsUntilBlocks;
  }

  /**
   * Blocks of the open files in memory, made when reads by id prove to be a habit; undefined before, and when there is to
   * be no such cache.
   */
  get blocks(): BlockCache | undefined {
    if (this.#blocks !== undefined || this.#blockBytes === 0) return this.#blocks;
    if (this.#readsUntilBlocks-- > 0) return undefined;
    try {
      this.#blocks = new BlockCache(this.#blockBytes);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      // The system has no memory to give: reads work without. That `blockCacheBytes` stays 0 in the metrics tells.
      this.#blockBytes = 0;
    }
    return this.#blocks;
  }

  get blockCounters(): BlockCacheCounters {
    return this.#blocks?.counters ?? { hits: 0, misses: 0, evictions: 0, bytes: 0 };
  }

  get size(): number {
    return this.#open.size;
  }

  /** The segment's open file, opened if need be. Valid until the next `get` unless pinned. */
  get(segment: LogSegment): OpenSegment {
    if (this.#newest?.segment === segment) {
      this.counters.hits++;
      return this.#newest;
    }
    const found = segment.opened;
    if (found !== undefined) {
      this.counters.hits++;
      // Between two misses the order among those that were used does not matter, only that they were.
      if (found.usedAt !== this.counters.misses) {
        found.usedAt = this.counters.misses;
        this.#open.delete(segment.baseId);
        this.#open.set(segment.baseId, found);
      }
      this.#newest = found;
      return found;
    }
    this.counters.misses++;
    return this.#add(segment);
  }

  /** Keeps the file open until {@link unpin}, however many others are opened. */
  pin(segment: LogSegment): OpenSegment {
    const open = this.get(segment);
    open.pins++;
    return open;
  }

  unpin(open: OpenSegment): void {
    open.pins--;
    if (open.pins === 0 && this.#dropped.delete(open)) {
      open.handle.closeSync();
      this.#onRelease(open.segment);
    } else if (open.pins === 0 && this.#open.size > this.#limits.segments) this.#evict();
  }

  /** Whether a reader holds the segment's file, dropped or not. */
  isPinned(segment: LogSegment): boolean {
    if ((this.#open.get(segment.baseId)?.pins ?? 0) > 0) return true;
    for (const open of this.#dropped) if (open.segment === segment) return true;
    return false;
  }

  /** The segment is no part of the log any more: closes its file, now or when the last reader lets go of it. */
  drop(segment: LogSegment): void {
    const open = this.#open.get(segment.baseId);
    if (open === undefined || open.segment !== segment) return;
    this.#open.delete(segment.baseId);
    if (this.#newest === open) this.#newest = undefined;
    this.#letGo(open);
    this.#forgetChunks(open);
    if (open.pins > 0) this.#dropped.add(open);
    else open.handle.closeSync();
  }

  noteChunk(owner: OpenSegment, index: number, bytes: number): void {
    this.#chunks.push({ owner, index, bytes });
    this.#tableBytes += bytes;
    let drop = 0;
    while (this.#tableBytes > this.#limits.tableBytes && drop < this.#chunks.length - 1) {
      const oldest = this.#chunks[drop++] as LoadedChunk;
      oldest.owner.dropChunk(oldest.index);
      this.#tableBytes -= oldest.bytes;
    }
    if (drop > 0) this.#chunks = this.#chunks.slice(drop);
  }

  /** Closes every file, pinned ones included. */
  async close(): Promise<void> {
    const all = [...this.#open.values(), ...this.#dropped];
    this.#open.clear();
    this.#dropped.clear();
    this.#newest = undefined;
    this.#chunks = [];
    this.#tableBytes = 0;
    for (const open of all) this.#letGo(open);
    this.#blocks = undefined;
    this.#blockBytes = 0;
    for (const open of all) await open.handle.close();
  }

  #add(segment: LogSegment): OpenSegment {
    const handle = this.#openFile(segment);
    let open: OpenSegment;
    try {
      const { salt, epoch } = readSegmentHeaderSync(handle, segment.baseId);
      open = new OpenSegment(this, segment, handle, salt, epoch);
    } catch (error) {
      handle.closeSync();
      throw toAofError(error, `opening ${segment.name}`, { path: segment.name, segmentId: segment.baseId });
    }
    open.usedAt = this.counters.misses;
    segment.opened = open;
    this.#open.set(segment.baseId, open);
    this.#newest = open;
    if (this.#open.size > this.#limits.segments) this.#evict();
    return open;
  }

  #openFile(segment: LogSegment): FileHandle {
    try {
      return this.#directory.openSync(segment.name);
    } catch (error) {
      const failure = toAofError(error, `opening ${segment.name}`, { path: segment.name, segmentId: segment.baseId });
      if (failure.code !== "NOT_FOUND") throw failure;
      throw new AofError("CORRUPTED_SEGMENT", `${segment.name} is missing`, {
        path: segment.name,
        segmentId: segment.baseId,
        cause: error,
      });
    }
  }

  /** Closes the least recently used files that nobody holds, down to the limit. */
  #evict(): void {
    for (const open of this.#open.values()) {
      if (this.#open.size <= this.#limits.segments) return;
      if (open.pins > 0 || open === this.#newest) continue;
      this.#open.delete(open.segment.baseId);
      this.#letGo(open);
      this.#forgetChunks(open);
      open.handle.closeSync();
      this.counters.evictions++;
    }
  }

  #letGo(open: OpenSegment): void {
    open.segment.opened = undefined;
    this.#blocks?.forget(open);
  }

  #forgetChunks(open: OpenSegment): void {
    this.#chunks = this.#chunks.filter((chunk) => {
      if (chunk.owner !== open) return true;
      this.#tableBytes -= chunk.bytes;
      return false;
    });
  }
}

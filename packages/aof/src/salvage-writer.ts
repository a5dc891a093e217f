import { Crc64, createChecksumMemory, type FileHandle } from "@varve/fs-core";
import type { SegmentTail } from "./format/manifest-codec.ts";
import { recordFlag, recordHeaderBytes } from "./format/record-layout.ts";
import { encodeSegmentHeader, segmentHeaderBytes } from "./format/segment-header.ts";
import { RecordEncoder, sealRecords } from "./record-encoder.ts";
import type { SalvageRun } from "./salvage-scan.ts";
import { type SealedSegment, type SegmentIdentity, sealSegment } from "./sealed-segment.ts";

const copyBytes = 256 * 1024;
const empty = new Uint8Array(0);

/** Writes a segment anew from sound runs of an old one and marks for what was lost. */
export class SalvageWriter {
  /** The id of the next record or mark. */
  nextId: number;
  readonly #target: FileHandle;
  readonly #identity: SegmentIdentity;
  readonly #header: Uint8Array;
  readonly #crc = new Crc64();
  readonly #memory = createChecksumMemory(4096);
  readonly #encoder: RecordEncoder;
  #units = new Uint32Array(1024);
  #count = 0;
  #end = segmentHeaderBytes;
  #firstTimestampUs = 0;
  #lastTimestampUs: number;
  #expiringCount = 0;
  #maxExpiresAtUs = 0;

  constructor(target: FileHandle, segment: SegmentIdentity, previous: SegmentTail | undefined) {
    this.#target = target;
    const { baseId, salt, epoch, createdAtUs } = segment;
    this.#identity = { baseId, salt, epoch, createdAtUs };
    this.nextId = segment.baseId;
    this.#lastTimestampUs = segment.createdAtUs;
    this.#encoder = new RecordEncoder(this.#memory);
    this.#header = encodeSegmentHeader({
      ...this.#identity,
      previousLength: previous?.length ?? 0,
      previousChecksum: previous?.checksum ?? 0n,
      salvaged: true,
    });
    this.#crc.update(this.#header);
  }

  /** Copies the records of `run`, which begins with `nextId`, as they are. */
  async copy(source: FileHandle, run: SalvageRun): Promise<void> {
    for (let index = 0; index < run.count; index++) {
      const offset = (run.units[index] as number) * 8;
      this.#note(this.#end + (offset - run.start), index === 0 ? run.firstTimestampUs : run.lastTimestampUs);
    }
    const buffer = new Uint8Array(copyBytes);
    for (let at = run.start; at < run.end; ) {
      const want = Math.min(copyBytes, run.end - at);
      const got = await source.readAt(at, buffer.subarray(0, want));
      if (got === 0) break;
      await this.#write(buffer.subarray(0, got));
      at += got;
    }
    this.#expiringCount += run.expiringCount;
    this.#maxExpiresAtUs = Math.max(this.#maxExpiresAtUs, run.maxExpiresAtUs);
    this.nextId = run.firstId + run.count;
  }

  /** Leaves a mark for every id up to `lastId`. */
  async markLost(lastId: number): Promise<void> {
    const { base, buffer } = this.#memory;
    const perPage = 4096 / recordHeaderBytes;
    const salt = {
      saltLow: Number(BigInt.asIntN(32, this.#identity.salt)),
      saltHigh: Number(BigInt.asIntN(32, this.#identity.salt >> 32n)),
    };
    while (this.nextId <= lastId) {
      const count = Math.min(perPage, lastId - this.nextId + 1);
      for (let index = 0; index < count; index++) {
        const at = base + index * recordHeaderBytes;
        this.#encoder.encode(at, empty, this.nextId, this.#lastTimestampUs, recordFlag.lost, 0, 0);
        this.#note(this.#end + index * recordHeaderBytes, this.#lastTimestampUs);
        this.nextId++;
      }
      sealRecords(this.#memory, base, count * recordHeaderBytes, salt);
      await this.#write(new Uint8Array(buffer, base, count * recordHeaderBytes));
    }
  }

  /** Seals and syncs the file. */
  async finish(): Promise<SealedSegment> {
    await this.#target.writeAt(0, this.#header);
    await this.#target.sync();
    return sealSegment(this.#target, this.#identity, {
      count: this.#count,
      units: this.#units,
      end: this.#end,
      checksum: this.#crc.digest(),
      firstTimestampUs: this.#firstTimestampUs,
      lastTimestampUs: this.#lastTimestampUs,
      expiringCount: this.#expiringCount,
      maxExpiresAtUs: this.#maxExpiresAtUs,
    });
  }

  #note(offset: number, timestampUs: number): void {
    if (this.#count === this.#units.length) {
      const larger = new Uint32Array(this.#units.length * 2);
      larger.set(this.#units);
      this.#units = larger;
    }
    if (this.#count === 0) this.#firstTimestampUs = timestampUs;
    this.#lastTimestampUs = timestampUs;
    this.#units[this.#count++] = offset / 8;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#target.writeAt(this.#end, bytes);
    this.#crc.update(bytes);
    this.#end += bytes.length;
  }
}

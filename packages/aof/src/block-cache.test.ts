// Goal: whatever slots hold, lose and reuse, what `find` answers is the record that was asked for, whole.
// Method: segments of random records behind the smallest caches, written bit by bit in random order of reads, sealed and
// let go; offsets that a damaged table would give; reads that fail; bytes that change behind the cache's back.
import { type FileHandle, MemoryFileSystem } from "@varve/fs-core";
import { CrashableFileSystem, FaultPlan, FaultyFileSystem, SeededRandom } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import { ActiveSegment } from "./active-segment.ts";
import { BlockCache } from "./block-cache.ts";
import { recordHeaderBytes } from "./format/record-layout.ts";
import { RecordChecker } from "./record-check.ts";
import { RecordEncoder, sealRecords } from "./record-encoder.ts";
import { OpenSegment, type SegmentCache } from "./segment-cache.ts";
import { LogSegment } from "./segment-catalog.ts";

const seed = Number(process.env["VARVE_SEED"] ?? 20261128);
const checker = new RecordChecker();
const encoder = new RecordEncoder(checker.memory);

function payloadOf(id: number, size: number): Uint8Array {
  return new Uint8Array(size).fill((id * 29) & 255);
}

/** A segment that grows: records are encoded first, and written later. */
class Growing {
  readonly open: OpenSegment;
  readonly active: ActiveSegment;
  readonly sizes: number[] = [];
  readonly #handle: FileHandle;

  constructor(handle: FileHandle, baseId: number) {
    this.#handle = handle;
    this.active = new ActiveSegment(baseId, 0x1234_5678_9abc_def0n ^ BigInt(baseId), 0);
    // Pieces of tables are never loaded: the segment stays live.
    this.open = new OpenSegment({} as SegmentCache, new LogSegment(this.active), handle, this.active.salt, 1);
  }

  get writtenId(): number {
    let id = this.active.lastId;
    while (this.active.offsetOf(id + 1) > this.active.writtenEnd) id--;
    return id;
  }

  append(size: number): void {
    const id = this.active.lastId + 1;
    this.sizes.push(size);
    this.active.push((recordHeaderBytes + size + 7) & ~7, id);
  }

  /** What was encoded reaches the file. */
  write(): void {
    for (let id = this.writtenId + 1; id <= this.active.lastId; id++) {
      const at = this.active.offsetOf(id);
      const length = this.active.offsetOf(id + 1) - at;
      const { base } = checker;
      const size = this.sizes[id - this.active.baseId] as number;
      encoder.encode(base, payloadOf(id, size), id, id, 0, 0, 0);
      sealRecords(checker.memory, base, length, this.active);
      this.#handle.writeAtSync(at, checker.bytes.subarray(base, base + length));
    }
    this.active.writtenEnd = this.active.end;
  }

  /** Asks for a record. @returns whether it was in memory @throws when that is not it */
  ask(cache: BlockCache, id: number): boolean {
    const start = this.active.offsetOf(id);
    const at = cache.find(this.open, start, this.active.offsetOf(id + 1) - start, id);
    if (at < 0) return false;
    const size = this.sizes[id - this.active.baseId] as number;
    const from = at + recordHeaderBytes;
    const payload = cache.checker.bytes.subarray(from, from + size);
    if (cache.checker.idAt(at) !== id || cache.checker.sizeAt(at) !== size) throw new Error(`not record ${id}`);
    if (Buffer.compare(payload, payloadOf(id, size)) !== 0) throw new Error(`record ${id} is wrong`);
    return true;
  }
}

async function growing(baseId: number, fs = new MemoryFileSystem()): Promise<Growing> {
  return new Growing(await fs.createFile(`s${baseId}`), baseId);
}

describe.each([
  [1, 4096],
  [2, 4096],
  [3, 512],
  [7, 1024],
  [64, 512],
])("%d slots of %d bytes", (slots, slotBytes) => {
  test(`answer with the record that was asked for; seed ${seed}`, async () => {
    const random = new SeededRandom(seed + slots);
    const cache = new BlockCache(slots * slotBytes, slotBytes);
    const segments = [await growing(1), await growing(1_000_001), await growing(2 ** 33)];
    let found = 0;
    for (let step = 0; step < 20_000; step++) {
      const segment = segments[random.int(3)] as Growing;
      const { active } = segment;
      const dice = random.int(100);
      if (dice < 6 && active.count < 400) {
        for (let k = random.int(5); k >= 0; k--)
          segment.append(random.int(20) === 0 ? random.int(4 * slotBytes) : random.int(120));
      } else if (dice < 10) segment.write();
      else if (dice === 10 && random.int(20) === 0) cache.forget(segment.open);
      else {
        const count = segment.writtenId - active.baseId + 1;
        if (count === 0) continue;
        const back = random.int(2) === 0 ? random.int(Math.min(count, 6)) : random.int(count);
        if (segment.ask(cache, segment.writtenId - back)) found++;
      }
      expect(cache.counters.bytes).toBeLessThanOrEqual(slots * slotBytes);
    }
    expect(found).toBeGreaterThan(50);
    for (const segment of segments) cache.forget(segment.open);
    expect(cache.counters.bytes).toBe(0);
  });
});

test("a damaged table does not pass off one checked record for another, nor part of one for the whole", async () => {
  const cache = new BlockCache(16 * 4096, 4096);
  const segment = await growing(1);
  for (const size of [100, 100, 100, 9000, 100, 3900, 100]) segment.append(size);
  segment.write();
  for (let id = 1; id <= 7; id++) expect(segment.ask(cache, id)).toBe(true);
  for (let id = 1; id <= 7; id++) expect(segment.ask(cache, id)).toBe(true);
  const { active, open } = segment;
  for (let first = 1; first <= 7; first++) {
    for (let end = first + 1; end <= 8; end++) {
      for (let id = 1; id <= 7; id++) {
        const start = active.offsetOf(first);
        const length = active.offsetOf(end) - start;
        const isRight = id === first && end === first + 1;
        if (isRight) continue;
        expect(cache.find(open, start, length, id), `${id} at ${first} up to ${end}`).toBe(-1);
      }
    }
    // A table that gives a record less room than it takes, or more.
    for (const wrong of [32, 40, 4096, 8192]) {
      const start = active.offsetOf(first);
      if (wrong === active.offsetOf(first + 1) - start) continue;
      segment.ask(cache, first);
      expect(cache.find(open, start, wrong, first)).toBe(-1);
    }
  }
  for (let id = 1; id <= 7; id++) segment.ask(cache, id);
  for (let id = 1; id <= 7; id++) expect(segment.ask(cache, id)).toBe(true);
});

test("bytes that the writer had not written when they were read are never believed", async () => {
  const cache = new BlockCache(4 * 4096, 4096);
  const segment = await growing(1);
  segment.append(100);
  segment.write();
  expect(segment.ask(cache, 1)).toBe(true);
  // Encoded, not written: the file has zeroes there.
  segment.append(100);
  segment.append(6000);
  const start = segment.active.offsetOf(2);
  expect(cache.find(segment.open, start, segment.active.offsetOf(3) - start, 2)).toBe(-1);
  segment.write();
  for (const id of [1, 2, 3, 1, 2, 3]) expect(segment.ask(cache, id)).toBe(true);
});

test("a read that fails leaves nothing behind", async () => {
  const disk = new CrashableFileSystem();
  const plan = new FaultPlan();
  const handle = await new FaultyFileSystem(disk, plan).createFile("s1");
  const segment = new Growing(handle, 1);
  for (let k = 0; k < 200; k++) segment.append(k % 9 === 0 ? 1200 : 60);
  segment.write();
  for (let nth = 1; nth <= 6; nth++) {
    const cache = new BlockCache(6 * 512, 512);
    const rule = plan.add({ operation: "readAt", nth, fault: { kind: "error", errno: "EIO" } });
    for (let k = 0; k < 400; k++) segment.ask(cache, 1 + ((k * 7) % 200));
    rule.remove();
    let found = 0;
    for (let k = 0; k < 20; k++) if (segment.ask(cache, 1 + (k % 4))) found++;
    expect(found, `after a failure of read ${nth}`).toBeGreaterThan(0);
    cache.forget(segment.open);
    expect(cache.counters.bytes).toBe(0);
  }
  expect(plan.injected).toBe(6);
});

test("records that are put together from several slots, at addresses beyond 2 GiB", async () => {
  const cache = new BlockCache(2 ** 31, 4096);
  const segment = await growing(1);
  for (const size of [3000, 3000, 3000]) segment.append(size);
  segment.write();
  for (const id of [1, 2, 3, 2, 2]) expect(segment.ask(cache, id)).toBe(true);
});

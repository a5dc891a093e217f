// Goal: a read by id gives the record's bytes whatever the block cache holds, drops or refuses; memory stays in its bound;
// what was never written is never believed.
// Method: random reads over logs several times the cache beside an array, while the log grows, is sealed, trimmed and
// opened again; the smallest caches; files damaged behind the cache's back.
import { MemoryFileSystem } from "@varve/fs-core";
import { SeededRandom } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import { type Aof, type AofSettings, openReadOnly, type ReadOnlyLog } from "../src/index.ts";
import { openOn } from "./support/log-harness.ts";

const seed = Number(process.env["VARVE_SEED"] ?? 20261127);
const KiB = 1024;

function payloadOf(id: number): Uint8Array {
  // Small ones, some over a border of blocks, a few over several, a few over more than the cache joins.
  const size = id % 101 === 0 ? 60_000 : id % 37 === 0 ? 20_000 : id % 5 === 0 ? 3000 : (id * 7) % 200;
  return new Uint8Array(size).fill((id * 13) & 255);
}

function check(
  log: Pick<Aof | ReadOnlyLog, "getSync">,
  id: number,
  visibility: "durable" | "written" = "written",
): void {
  const record = log.getSync(id, { visibility });
  if (record?.id !== id || Buffer.compare(record.payload, payloadOf(id)) !== 0)
    throw new Error(`record ${id} is wrong`);
}

const settings: Partial<AofSettings> = {
  segmentSizeBytes: 256 * KiB,
  bufferBytes: 512 * KiB,
  flushStrategy: { kind: "batched", batchSize: 100_000 },
};

describe.each([0, 64 * KiB, 256 * KiB, 64 * KiB * KiB])("with a cache of %d bytes", (blockCacheBytes) => {
  test("reads agree with an array while the log grows, is sealed, trimmed and opened again", {
    timeout: 60_000,
  }, async () => {
    const random = new SeededRandom(seed);
    const fs = new MemoryFileSystem();
    let log = await openOn(fs, { ...settings, blockCacheBytes });
    const all = { hits: 0, misses: 0, evictions: 0 };
    const note = (closing: Aof): void => {
      const { blockCacheHits, blockCacheMisses, blockCacheEvictions } = closing.performanceMetrics();
      all.hits += blockCacheHits;
      all.misses += blockCacheMisses;
      all.evictions += blockCacheEvictions;
    };
    for (let round = 0; round < 60; round++) {
      const grow = random.int(60);
      for (let k = 0; k < grow; k++) log.append(payloadOf(log.nextId));
      // Reads of what was written a moment ago: their block is not full yet, and grows under the cache.
      if (grow > 0) log.append(payloadOf(log.nextId), { durability: "written" });
      const count = log.lastId - log.firstId + 1;
      if (count > 0) {
        for (let k = 0; k < 80; k++) check(log, log.lastId - random.int(Math.min(count, 12)));
        for (let k = 0; k < 160; k++) check(log, log.firstId + random.int(count));
      }
      if (round % 9 === 8) await log.trim(Math.max(log.firstId, log.durableId - 700));
      if (round % 20 === 19) {
        note(log);
        await log.close();
        log = await openOn(fs, { ...settings, blockCacheBytes }, round);
      }
      const { blockCacheBytes: held } = log.performanceMetrics();
      expect(held).toBeLessThanOrEqual(blockCacheBytes);
    }
    if (blockCacheBytes > 0) {
      expect(all.hits).toBeGreaterThan(500);
      expect(all.misses).toBeGreaterThan(10);
    } else expect(all).toEqual({ hits: 0, misses: 0, evictions: 0 });
    if (blockCacheBytes === 64 * KiB) expect(all.evictions).toBeGreaterThan(0);
    await log.close();
  });
});

test("a reader in another process's place sees each record as soon as it is there, never zeroes", async () => {
  const fs = new MemoryFileSystem();
  const log = await openOn(fs, settings);
  log.append(payloadOf(1), { durability: "written" });
  const other = await openReadOnly({ dir: "log", blockCacheBytes: 64 * KiB }, { fileSystem: fs });
  for (let round = 0; round < 400; round++) {
    log.append(payloadOf(log.nextId), { durability: "written" });
    await other.refresh();
    expect(other.lastId).toBe(log.lastId);
    for (const back of [0, 1, 5]) if (other.lastId > back) check(other, other.lastId - back);
  }
  await other.close();
  await log.close();
});

test("damage to a file is found by the first read of it, and what is in memory is still right", async () => {
  const fs = new MemoryFileSystem();
  let log = await openOn(fs, settings);
  for (let id = 1; id <= 300; id++) log.append(payloadOf(id));
  await log.close();
  log = await openOn(fs, settings);
  for (let k = 0; k < 400; k++) check(log, (k % 100) + 1);
  const handle = await fs.openFileMut("log/segment_00000000000000000001.log");
  const size = await handle.size();
  for (let at = 64; at < size - 4096; at += 16) await handle.writeAt(at, Uint8Array.of(0xff));
  await handle.close();
  let wrong = 0;
  for (let id = 1; id <= 300; id++) {
    try {
      check(log, id);
    } catch (error) {
      expect(error).toMatchObject({ code: "CORRUPTED_RECORD" });
      wrong++;
    }
  }
  // The hundred that were read before are remembered, checked; the others of that segment are refused.
  expect(wrong).toBeGreaterThan(0);
  for (let id = 1; id <= 40; id++) check(log, id);
  await log.close();
});

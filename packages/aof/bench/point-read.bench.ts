/**
 * What does a read by id cost when everything is in memory? Run: `node bench/point-read.bench.ts [size…]`, and with
 * `--cpu-prof` to see where the time goes. Prints one row per size and cache: random `getSync` over 64 MiB of records.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@varve/fs-core";
import { SeededRandom } from "@varve/fs-core/testing";
import { Aof } from "../src/index.ts";

const MiB = 2 ** 20;
const dataBytes = 64 * MiB;
const secondsPerRow = 2;
const given = process.argv.slice(2).map(Number);
const sizes = given.length > 0 ? given : [64, 1024, 16_384, 65_536];

console.log("| bytes | block cache | gets/s |\n| --- | --- | --- |");
for (const size of sizes) {
  for (const blockCacheBytes of [0, 64 * MiB, 512 * MiB]) {
    console.log(
      `| ${size} | ${blockCacheBytes / MiB} MiB | ${Math.round(await getsPerSecond(size, blockCacheBytes))} |`,
    );
  }
}

async function getsPerSecond(size: number, blockCacheBytes: number): Promise<number> {
  const root = await mkdtemp(join(tmpdir(), "varve-point-read-"));
  const log = await Aof.open({
    dir: join(root, "log"),
    blockCacheBytes,
    flushStrategy: { kind: "batched", batchSize: 10_000 },
  });
  try {
    const count = dataBytes / size;
    const payload = new Uint8Array(size).fill(7);
    const between = Math.max(1, Math.floor(MiB / size));
    for (let id = 1; id <= count; id++) {
      log.append(payload);
      if (id % between === 0) await log.flush();
    }
    await log.flush();
    const random = new SeededRandom(1);
    const read = (seconds: number): number => {
      const began = systemClock.monotonicUs();
      let reads = 0;
      while (systemClock.monotonicUs() - began < seconds * 1e6) {
        for (let burst = 0; burst < 100; burst++) log.getSync(1 + random.int(count));
        reads += 100;
      }
      return reads / seconds;
    };
    // The cache fills.
    read(secondsPerRow);
    return read(secondsPerRow);
  } finally {
    await log.close();
    await rm(root, { recursive: true, force: true });
  }
}

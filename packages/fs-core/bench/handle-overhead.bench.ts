/**
 * Question: what does a LocalFileHandle add to the calls of node:fs that the append path is made of?
 * Method: the same calls on the same file, bare and through the handle, interleaved in rounds; medians of the rounds.
 * Run: node packages/fs-core/bench/handle-overhead.bench.ts [directory on the disk to measure]
 */
import { fdatasyncSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/clock.ts";
import { LocalFileSystem } from "../src/file-system/local-file-system.ts";

const directory = mkdtempSync(join(process.argv[2] ?? tmpdir(), "varve-bench-"));
const fs = new LocalFileSystem(directory);
const handle = fs.createFileSync("file");
handle.preallocateSync(0, 4 * 2 ** 20);
handle.syncSync();
const fd = openSync(join(directory, "file"), "r+");
const small = new Uint8Array(64).fill(1);
const large = new Uint8Array(16 * 1024).fill(1);
const dataOnly = { dataOnly: true };

interface Pair {
  readonly name: string;
  readonly calls: number;
  readonly bare: (position: number) => void;
  readonly handle: (position: number) => void;
}

const pairs: readonly Pair[] = [
  pair(
    "read 64 B",
    20_000,
    (at) => readSync(fd, small, 0, 64, at),
    (at) => handle.readAtSync(at, small),
  ),
  pair(
    "read 16 KiB",
    10_000,
    (at) => readSync(fd, large, 0, large.length, at),
    (at) => handle.readAtSync(at, large),
  ),
  pair(
    "write 64 B",
    20_000,
    (at) => writeSync(fd, small, 0, 64, at),
    (at) => handle.writeAtSync(at, small),
  ),
  pair(
    "write 16 KiB",
    5_000,
    (at) => writeSync(fd, large, 0, large.length, at),
    (at) => handle.writeAtSync(at, large),
  ),
  pair(
    "write 64 B and fdatasync",
    60,
    (at) => {
      writeSync(fd, small, 0, 64, at);
      fdatasyncSync(fd);
    },
    (at) => {
      handle.writeAtSync(at, small);
      handle.syncSync(dataOnly);
    },
  ),
];

function pair(name: string, calls: number, bare: Pair["bare"], through: Pair["handle"]): Pair {
  return { name, calls, bare, handle: through };
}

function timeNs(call: (position: number) => void, calls: number): number {
  const start = systemClock.monotonicUs();
  for (let i = 0; i < calls; i += 1) call((i * 64) % (2 * 2 ** 20));
  return ((systemClock.monotonicUs() - start) * 1000) / calls;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] as number;
}

console.log("call                       bare ns   handle ns   ratio");
for (const { name, calls, bare, handle: through } of pairs) {
  const [bareNs, throughNs]: [number[], number[]] = [[], []];
  for (let round = 0; round < 31; round += 1) {
    bareNs.push(timeNs(bare, calls));
    throughNs.push(timeNs(through, calls));
  }
  const [b, t] = [median(bareNs), median(throughNs)];
  console.log(
    `${name.padEnd(24)} ${b.toFixed(0).padStart(9)} ${t.toFixed(0).padStart(11)} ${(t / b).toFixed(3).padStart(7)}`,
  );
}
handle.closeSync();
rmSync(directory, { recursive: true });

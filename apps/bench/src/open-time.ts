/**
 * Question: does opening a log after a kill depend on its size?
 * Method: a child loads a log of each size and is killed; the open for writing, with the read of the last record, is timed in
 * this process, several times over (each open leaves the log as a clean one, so the first is the one after the kill).
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Aof } from "@varve/aof";
import { median, numberOption, withScratch } from "./scratch.ts";

const MiB = 1024 * 1024;

export async function runOpenTime(args: readonly string[]): Promise<void> {
  if (args[0] === "--load") {
    await load(args[1] as string, Number(args[2]));
    return;
  }
  const largest = numberOption(args, "gib", 1) * 1024;
  const rounds = numberOption(args, "rounds", 5);
  const sizes = [100, 1024, 10 * 1024].filter((mib) => mib <= Math.max(largest, 100));
  const found = new Map<number, { killed: number; clean: number }>();
  await withScratch(async (dir) => {
    // Once unmeasured: modules and histograms are loaded with the first log.
    await (await Aof.open({ dir: join(dir, "warm") })).close();
    for (const mib of sizes) {
      const path = join(dir, `${mib}`);
      await loadAndKill(path, mib);
      const killed = await timeOpen(path);
      const clean: number[] = [];
      for (let round = 0; round < rounds; round++) clean.push(await timeOpen(path));
      found.set(mib, { killed, clean: median(clean) });
      process.stdout.write(
        `${mib} MiB: ${killed.toFixed(1)} ms after a kill, ${median(clean).toFixed(1)} ms after a close\n`,
      );
    }
  });
  const first = found.get(sizes[0] as number);
  const last = found.get(sizes.at(-1) as number);
  if (first !== undefined && last !== undefined && first !== last) {
    process.stdout.write(
      `${sizes.at(-1)} MiB against ${sizes[0]} MiB: ${(last.killed / first.killed).toFixed(2)} × after a kill, ${(last.clean / first.clean).toFixed(2)} × after a close\n`,
    );
  }
}

async function timeOpen(dir: string): Promise<number> {
  const begin = performance.now();
  const log = await Aof.open({ dir });
  if (log.getSync(log.durableId) === undefined) throw new Error("the last record is missing");
  const elapsed = performance.now() - begin;
  await log.close();
  return elapsed;
}

function loadAndKill(dir: string, mib: number): Promise<void> {
  const self = fileURLToPath(new URL("./main.js", import.meta.url));
  const child = spawn(process.execPath, [self, "open-time", "--load", dir, String(mib)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolve, reject) => {
    child.stdout.once("data", () => child.kill("SIGKILL"));
    child.once("exit", (code, signal) =>
      signal === "SIGKILL" ? resolve() : reject(new Error(`loading ended with ${code}`)),
    );
  });
}

/** Writes until the log has the size, says so, and waits to be killed. */
async function load(dir: string, mib: number): Promise<void> {
  const log = await Aof.open({ dir, flushStrategy: { kind: "async" } });
  const payload = Buffer.alloc(1024, 7);
  for (let bytes = 0; bytes < mib * MiB; bytes += 1000 * 1056) {
    for (let index = 0; index < 1000; index++) {
      try {
        log.append(payload);
      } catch (error) {
        if (!(error instanceof Error && "ready" in error)) throw error;
        await error.ready;
        index--;
      }
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await log.flush();
  process.stdout.write("loaded\n");
  await new Promise((resolve) => setInterval(resolve, 1 << 30));
}

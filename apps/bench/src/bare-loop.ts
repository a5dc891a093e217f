/**
 * Question: what does a log cost a single caller who waits for each record, over the system calls it cannot do without?
 * Method: `append` under the `sync` strategy against writeSync + fdatasyncSync of the same payload on a zero-filled file,
 * in turns on the same disk; the ratio of medians.
 */
import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Aof } from "@varve/aof";
import { median, numberOption, rateOf, withScratch } from "./scratch.ts";

const fileBytes = 64 * 1024 * 1024;

export async function runBareLoop(args: readonly string[]): Promise<void> {
  const seconds = numberOption(args, "seconds", 1);
  const rounds = numberOption(args, "rounds", 7);
  await withScratch(async (dir) => {
    for (const size of [64, 1024]) {
      const payload = Buffer.alloc(size, 7);
      const bare: number[] = [];
      const varve: number[] = [];
      for (let round = 0; round < rounds; round++) {
        bare.push(bareRate(join(dir, `bare-${size}-${round}`), payload, seconds));
        const log = await Aof.open({ dir: join(dir, `log-${size}-${round}`), flushStrategy: { kind: "sync" } });
        varve.push(rateOf(seconds, () => log.append(payload)));
        await log.close();
      }
      const ratio = median(varve) / median(bare);
      process.stdout.write(
        `${size} B, one caller, durable: varve ${Math.round(median(varve))}/s, bare loop ${Math.round(median(bare))}/s, ratio ${ratio.toFixed(2)} (medians of ${rounds} turns of ${seconds} s)\n`,
      );
    }
  });
}

function bareRate(path: string, payload: Uint8Array, seconds: number): number {
  const fd = openSync(path, "w+");
  const zeroes = Buffer.alloc(1024 * 1024);
  for (let at = 0; at < fileBytes; at += zeroes.length) writeSync(fd, zeroes, 0, zeroes.length, at);
  fsyncSync(fd);
  let position = 0;
  const rate = rateOf(seconds, () => {
    writeSync(fd, payload, 0, payload.length, position);
    fdatasyncSync(fd);
    position = (position + payload.length) % (fileBytes - payload.length);
  });
  closeSync(fd);
  return rate;
}

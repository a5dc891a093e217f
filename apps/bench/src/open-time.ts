/**
 * Does opening a log after a kill depend on its size? Logs of 100 MiB and 1 GiB (and 10 GiB with `--large`) of 1 KiB
 * records. Each opening is in a fresh process that then appends 32 MiB more and kills itself, so that the next one has
 * the same tail to scan. The page cache is warm for what was just written, cold or warm for the rest.
 */
import { execFile } from "node:child_process";
import { statfsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Bench, print, withDirectory } from "./bench.ts";
import { openTimeChildName } from "./open-time-child.ts";
import { short, sizeName, spreadOf, type Spread, table } from "./measure.ts";

interface Row {
  readonly bytes: number;
  readonly openMs: Spread;
  /** From the start of the open to the last record read. */
  readonly readyMs: Spread;
}

export const openTime: Bench = {
  name: "open-time",
  usage: ["time to open a log after a kill, by its size", "--rounds 5   --large (adds 10 GiB; needs 14 GiB of disk)"],
  async run(args) {
    const { values } = parseArgs({
      args: [...args],
      options: { rounds: { type: "string" }, large: { type: "boolean" } },
    });
    const rounds = Number(values.rounds ?? 5);
    const sizes = [100 * 2 ** 20, 2 ** 30, ...(values.large === true ? [10 * 2 ** 30] : [])];
    const rows = await withDirectory((dir) => measureAll(dir, sizes, rounds));
    const smallest = rows[0]?.readyMs.median ?? Number.NaN;
    print(
      table(
        ["log", "open, ms", "last record read, ms", "against the smallest"],
        rows.map(({ bytes, openMs, readyMs }) => [
          sizeName(bytes),
          range(openMs),
          range(readyMs),
          `× ${(readyMs.median / smallest).toFixed(2)}`,
        ]),
      ),
    );
    return rows;
  },
};

/** All logs first, then their openings in turn. */
async function measureAll(dir: string, sizes: readonly number[], rounds: number): Promise<Row[]> {
  const { bavail, bsize } = statfsSync(dir);
  const wanted = sizes.reduce((sum, bytes) => sum + bytes * 1.3, 0);
  if (bavail * bsize < wanted) {
    throw new RangeError(`${sizeName(bavail * bsize)} are free in ${dir}, want ${short(wanted)}B: set VARVE_BENCH_DIR`);
  }
  const logs = sizes.map((bytes) => ({
    bytes,
    dir: join(dir, String(bytes)),
    open: [] as number[],
    ready: [] as number[],
  }));
  for (const log of logs) await child("fill", log.dir, String(log.bytes));
  for (let round = 0; round < rounds; round++) {
    for (const log of logs) {
      const { openMs, readyMs } = JSON.parse(await child("open", log.dir, String(32 * 2 ** 20))) as Record<
        string,
        number
      >;
      log.open.push(openMs as number);
      log.ready.push(readyMs as number);
    }
  }
  return logs.map(({ bytes, open, ready }) => ({ bytes, openMs: spreadOf(open), readyMs: spreadOf(ready) }));
}

/** Its output. It ends by its own SIGKILL. */
function child(...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [join(import.meta.dirname, "main.js"), openTimeChildName, ...args],
      (error, stdout, stderr) => {
        if (error?.signal === "SIGKILL") resolve(stdout);
        else reject(new Error(`the child did not end as it should: ${stderr}`, { cause: error }));
      },
    );
  });
}

function range({ median, min, max }: Spread): string {
  return `${median.toFixed(1)} (${min.toFixed(1)}..${max.toFixed(1)})`;
}

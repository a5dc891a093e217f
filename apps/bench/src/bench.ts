import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { systemClock } from "@varve/fs-core";

/** One question, one bench. */
export interface Bench {
  readonly name: string;
  /** What it answers, and its options: one line for each. */
  readonly usage: readonly string[];
  /** Prints tables to standard output and returns what belongs into the results file. */
  readonly run: (args: readonly string[]) => Promise<unknown>;
}

const resultsDir = resolve(import.meta.dirname, "../results");
/** Not the system's temporary directory, which may be memory; git ignores it. */
const dataDir = resolve(import.meta.dirname, "../../../data");

/** Leaves the rows of a run beside the others, with what is needed to repeat it. */
export function writeResults(name: string, args: readonly string[], results: unknown): string {
  mkdirSync(resultsDir, { recursive: true });
  const file = join(resultsDir, `${name}.json`);
  const about = {
    command: ["npm run bench --", name, ...args].join(" "),
    when: new Date(systemClock.wallUs() / 1000).toISOString(),
    node: process.version,
    machine: `${process.platform} ${process.arch}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
  };
  writeFileSync(file, `${JSON.stringify({ ...about, results }, null, 1)}\n`);
  return file;
}

/** Calls `use` with a fresh directory and removes it. `VARVE_BENCH_DIR` chooses the disk that is measured. */
export async function withDirectory<T>(use: (dir: string) => Promise<T>): Promise<T> {
  const parent = process.env["VARVE_BENCH_DIR"] ?? dataDir;
  mkdirSync(parent, { recursive: true });
  const dir = mkdtempSync(join(parent, "varve-bench-"));
  try {
    return await use(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Says how far a long run is, on standard error: standard output is for results. */
export function printProgress(text: string): void {
  process.stderr.write(`${text}\n`);
}

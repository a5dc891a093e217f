import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";

/** A directory on the disk to measure, removed afterwards. `VARVE_BENCH_DIR` chooses the disk; default: here. */
export async function withScratch<T>(use: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(process.env["VARVE_BENCH_DIR"] ?? process.cwd(), "varve-bench-"));
  try {
    return await use(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The value of `--name` in `args`, a number. */
export function numberOption(args: readonly string[], name: string, fallback: number): number {
  const at = args.indexOf(`--${name}`);
  if (at === -1) return fallback;
  const value = Number(args[at + 1]);
  if (!Number.isFinite(value) || value <= 0)
    throw new RangeError(`--${name}: got ${args[at + 1]}, want a number above 0`);
  return value;
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** Calls `step` again and again for `seconds`; returns calls per second. */
export function rateOf(seconds: number, step: () => void): number {
  const begin = performance.now();
  let calls = 0;
  let elapsed = 0;
  while (elapsed < seconds * 1000) {
    step();
    calls++;
    elapsed = performance.now() - begin;
  }
  return (calls / elapsed) * 1000;
}

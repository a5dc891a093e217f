/**
 * Appends a second by strategy and record size, beside the figures of the source design. Each cell runs in a fresh log;
 * the time includes a last `flush`, so nothing counts that is not durable in the end. Cells take turns over the rounds.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Aof, isAofError } from "@varve/aof";
import type { FlushStrategy } from "@varve/flush-metrics";
import { systemClock } from "@varve/fs-core";
import { type Bench, print, withDirectory } from "./bench.ts";
import { short, sizeName, spreadOf, type Spread, table } from "./measure.ts";
import { payloadsOf } from "./payloads.ts";

const sizes = [64, 1024, 16384, 65536] as const;

interface Strategy {
  readonly name: string;
  readonly flushStrategy: FlushStrategy;
  /** Callers of `appendDurable`; 0 for a loop over `append`. */
  readonly callers: number;
  /** Appends a second that the source design states, by size. */
  readonly design: readonly number[] | undefined;
}

const strategies: readonly Strategy[] = [
  { name: "Sync", flushStrategy: { kind: "sync" }, callers: 0, design: [50_000, 25_000, 5_000, 1_250] },
  {
    name: "Batched(100)",
    flushStrategy: { kind: "batched", batchSize: 100 },
    callers: 0,
    design: [500_000, 250_000, 50_000, 12_500],
  },
  {
    name: "Batched(1000)",
    flushStrategy: { kind: "batched", batchSize: 1000 },
    callers: 0,
    design: [800_000, 400_000, 80_000, 20_000],
  },
  { name: "Async", flushStrategy: { kind: "async" }, callers: 0, design: [1_000_000, 500_000, 100_000, 25_000] },
  { name: "appendDurable, 256 callers", flushStrategy: { kind: "sync" }, callers: 256, design: undefined },
];

interface Cell {
  readonly strategy: string;
  readonly bytes: number;
  readonly design: number | undefined;
  readonly measured: Spread;
}

/** A cell stops here although its time is not over: disks are finite. */
const maxBytes = 512 * 2 ** 20;

export const matrix: Bench = {
  name: "matrix",
  usage: ["appends a second by strategy and size, beside the source design's figures", "--rounds 3   --secs 1"],
  async run(args) {
    const { values } = parseArgs({
      args: [...args],
      options: { rounds: { type: "string" }, secs: { type: "string" } },
    });
    const rounds = Number(values.rounds ?? 3);
    const us = Number(values.secs ?? 1) * 1e6;
    const rates = new Map<string, number[]>();
    for (let round = 0; round < rounds; round++) {
      for (const strategy of strategies) {
        for (const bytes of sizes) {
          const rate = await withDirectory((dir) => measure(dir, strategy, bytes, us));
          const key = `${strategy.name} ${bytes}`;
          rates.set(key, [...(rates.get(key) ?? []), rate]);
        }
      }
    }
    const cells: Cell[] = strategies.flatMap(({ name, design }) =>
      sizes.map((bytes, k) => ({
        strategy: name,
        bytes,
        design: design?.[k],
        measured: spreadOf(rates.get(`${name} ${bytes}`) as number[]),
      })),
    );
    print(cellTable(cells));
    return cells;
  },
};

function cellTable(cells: readonly Cell[]): string {
  const row = (name: string): string[] =>
    cells
      .filter((cell) => cell.strategy === name)
      .map(({ design, measured }) =>
        design === undefined
          ? short(measured.median)
          : `${short(design)} → ${short(measured.median)} (× ${(measured.median / design).toFixed(2)})`,
      );
  return table(
    ["design → measured, appends/s", ...sizes.map(sizeName)],
    strategies.map(({ name }) => [name, ...row(name)]),
  );
}

async function measure(dir: string, strategy: Strategy, bytes: number, us: number): Promise<number> {
  const log = await Aof.open({ dir: join(dir, "log"), flushStrategy: strategy.flushStrategy });
  try {
    await run(log, strategy, bytes, us / 5);
    return await run(log, strategy, bytes, us);
  } finally {
    await log.close();
  }
}

/** Appends a second, the last flush included. */
async function run(log: Aof, { flushStrategy, callers }: Strategy, bytes: number, us: number): Promise<number> {
  const payload = payloadsOf(bytes);
  const began = systemClock.monotonicUs();
  let count = 0;
  const isOver = (): boolean => systemClock.monotonicUs() - began >= us || count * bytes >= maxBytes;
  if (callers > 0) {
    const caller = async (): Promise<void> => {
      while (!isOver()) {
        try {
          await log.appendDurable(payload(count++));
        } catch (error) {
          count--;
          await roomAfter(error);
        }
      }
    };
    await Promise.all(Array.from({ length: callers }, caller));
  } else {
    // A burst, then a turn of the loop for the flushes, as a server has it between requests.
    const burst = flushStrategy.kind === "sync" ? 1 : Math.max(16, Math.min(1000, Math.floor(2 ** 20 / bytes)));
    while (!isOver()) {
      for (let k = 0; k < burst; k++) {
        try {
          log.append(payload(count));
          count++;
        } catch (error) {
          await roomAfter(error);
        }
      }
      if (flushStrategy.kind !== "sync") await new Promise<void>((resolve) => systemClock.defer(resolve));
    }
  }
  await log.flush();
  return (count / (systemClock.monotonicUs() - began)) * 1e6;
}

/** Resolves when there is room again. @throws the error when it is about something else */
async function roomAfter(error: unknown): Promise<void> {
  if (!isAofError(error) || error.ready === undefined) throw error;
  await error.ready;
}

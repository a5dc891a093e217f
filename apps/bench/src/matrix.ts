/**
 * Appends a second by strategy and record size, beside the figures of the source design. Each cell runs in a fresh log;
 * the time includes a last `flush`, so nothing counts that is not durable in the end. Cells take turns over the rounds.
 *
 * Beside them what a strategy costs otherwise: how long it keeps the event loop from others (P99 of
 * `monitorEventLoopDelay`, which sees 1 ms where nothing is in its way), and bytes on disk per record.
 */
import { statSync, readdirSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Aof, isAofError } from "@varve/aof";
import type { FlushStrategy } from "@varve/flush-metrics";
import { systemClock } from "@varve/fs-core";
import { type Bench, print, withDirectory } from "./bench.ts";
import { median, short, sizeName, spreadOf, type Spread, table } from "./measure.ts";
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
  /** P99 of the loop delay, ms; the median over the rounds. */
  readonly loopDelayP99Ms: number;
  /** Of the files of the closed log. */
  readonly bytesPerRecord: number;
}

interface Sample {
  readonly rate: number;
  readonly loopDelayP99Ms: number;
  readonly bytesPerRecord: number;
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
    const samples = new Map<string, Sample[]>();
    for (let round = 0; round < rounds; round++) {
      for (const strategy of strategies) {
        for (const bytes of sizes) {
          const sample = await withDirectory((dir) => measure(dir, strategy, bytes, us));
          const key = `${strategy.name} ${bytes}`;
          samples.set(key, [...(samples.get(key) ?? []), sample]);
        }
      }
    }
    const cells: Cell[] = strategies.flatMap(({ name, design }) =>
      sizes.map((bytes, k) => {
        const rounds = samples.get(`${name} ${bytes}`) as Sample[];
        return {
          strategy: name,
          bytes,
          design: design?.[k],
          measured: spreadOf(rounds.map(({ rate }) => rate)),
          loopDelayP99Ms: median(rounds.map(({ loopDelayP99Ms }) => loopDelayP99Ms)),
          bytesPerRecord: median(rounds.map(({ bytesPerRecord }) => bytesPerRecord)),
        };
      }),
    );
    print(cellTable(cells));
    print(costTable("loop delay P99, ms", cells, ({ loopDelayP99Ms }) => loopDelayP99Ms.toFixed(1)));
    print(costTable("bytes a record on disk", cells, ({ bytesPerRecord }) => bytesPerRecord.toFixed(1)));
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

function costTable(title: string, cells: readonly Cell[], show: (cell: Cell) => string): string {
  return table(
    [title, ...sizes.map(sizeName)],
    strategies.map(({ name }) => [name, ...cells.filter((cell) => cell.strategy === name).map(show)]),
  );
}

async function measure(root: string, strategy: Strategy, bytes: number, us: number): Promise<Sample> {
  const dir = join(root, "log");
  const log = await Aof.open({ dir, flushStrategy: strategy.flushStrategy });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let rate: number;
  let records: number;
  try {
    await run(log, strategy, bytes, us / 5);
    delay.enable();
    rate = await run(log, strategy, bytes, us);
    delay.disable();
    records = log.lastId;
  } finally {
    await log.close();
  }
  const files = readdirSync(dir).filter((name) => name.endsWith(".log"));
  const total = files.reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
  return { rate, loopDelayP99Ms: delay.percentile(99) / 1e6, bytesPerRecord: total / records };
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
      // Under `sync` too: a loop that never yields is no service, and its delay cannot be seen.
      if (flushStrategy.kind !== "sync" || count % 64 === 0)
        await new Promise<void>((resolve) => systemClock.defer(resolve));
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

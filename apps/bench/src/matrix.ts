/**
 * Question: where does this log stand in the table that the source design printed?
 * Method: its 16 cells, one after another on one disk, each its own log, the final drain (everything durable) counted.
 * Its `Batched(n)` is one caller that appends and lets the strategy flush; its `Sync` is shown for one caller, who cannot
 * be faster than the disk's sync, and for 256 who share one.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Aof, type AofSettings } from "@varve/aof";
import { numberOption, withScratch } from "./scratch.ts";

const sizes = [64, 1024, 16 * 1024, 64 * 1024];

interface Row {
  readonly name: string;
  readonly design: readonly string[];
  readonly settings: Partial<AofSettings>;
  readonly callers: number;
}

const rows: readonly Row[] = [
  {
    name: "Sync, 1 caller",
    design: ["50 k", "25 k", "5 k", "1.25 k"],
    settings: { flushStrategy: { kind: "sync" } },
    callers: 1,
  },
  {
    name: "Sync, 256 callers",
    design: ["50 k", "25 k", "5 k", "1.25 k"],
    settings: { flushStrategy: { kind: "sync" } },
    callers: 256,
  },
  {
    name: "Batched(100)",
    design: ["500 k", "250 k", "50 k", "12.5 k"],
    settings: { flushStrategy: { kind: "batched", batchSize: 100 } },
    callers: 0,
  },
  {
    name: "Batched(1000)",
    design: ["800 k", "400 k", "80 k", "20 k"],
    settings: { flushStrategy: { kind: "batched", batchSize: 1000 } },
    callers: 0,
  },
  {
    name: "Async",
    design: ["1 M+", "500 k+", "100 k+", "25 k+"],
    settings: { flushStrategy: { kind: "async" } },
    callers: 0,
  },
];

export async function runMatrix(args: readonly string[]): Promise<void> {
  const seconds = numberOption(args, "seconds", 2);
  const out = args.includes("--out") ? args[args.indexOf("--out") + 1] : undefined;
  const lines = [
    `| strategy | ${sizes.map((size) => `${size} B: ours (design)`).join(" | ")} |`,
    `|---|${sizes.map(() => "---|").join("")}`,
  ];
  await withScratch(async (dir) => {
    for (const [index, row] of rows.entries()) {
      const cells: string[] = [];
      for (const [column, size] of sizes.entries()) {
        const log = await Aof.open({ dir: join(dir, `${index}-${size}`), ...row.settings });
        const rate = await cellRate(log, Buffer.alloc(size, 7), row.callers, seconds);
        await log.close();
        cells.push(`${Math.round(rate).toLocaleString("en")} (${row.design[column]})`);
      }
      lines.push(`| ${row.name} | ${cells.join(" | ")} |`);
      process.stdout.write(`${lines.slice(index === 0 ? 0 : -1).join("\n")}\n`);
    }
  });
  if (out !== undefined) await writeFile(out, `${lines.join("\n")}\n`);
}

async function cellRate(log: Aof, payload: Uint8Array, callers: number, seconds: number): Promise<number> {
  const begin = performance.now();
  const isOver = (): boolean => performance.now() - begin >= seconds * 1000;
  if (callers === 1) {
    while (!isOver()) log.append(payload);
  } else if (callers > 1) {
    await Promise.all(
      Array.from({ length: callers }, async () => {
        while (!isOver()) await log.appendDurable(payload);
      }),
    );
  } else {
    while (!isOver()) await burst(log, payload);
  }
  await log.flush();
  return (log.lastId / (performance.now() - begin)) * 1000;
}

async function burst(log: Aof, payload: Uint8Array): Promise<void> {
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

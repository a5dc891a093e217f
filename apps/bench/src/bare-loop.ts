/**
 * What does the log cost a single caller who waits for the disk? `append` under the `sync` strategy against a bare
 * `writeSync` + `fdatasyncSync` loop into a file that was filled with zeroes before: no framing, no checksum, no ids.
 * Short slices of both in turn; the ratio is the median over pairs, so a slow disk slows both.
 */
import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Aof } from "@varve/aof";
import { systemClock } from "@varve/fs-core";
import { type Bench, print, withDirectory } from "./bench.ts";
import { short, sizeName, spreadOf, type Spread, table } from "./measure.ts";
import { payloadsOf } from "./payloads.ts";

const fileBytes = 64 * 2 ** 20;

interface Row {
  readonly bytes: number;
  readonly log: Spread;
  readonly bare: Spread;
  readonly ratio: Spread;
}

export const bareLoop: Bench = {
  name: "bare-loop",
  usage: [
    "durable append by one caller against a bare write+fdatasync loop, interleaved",
    "--sizes 64,1024   --pairs 15   --slice-ms 200",
  ],
  async run(args) {
    const { values } = parseArgs({
      args: [...args],
      options: { sizes: { type: "string" }, pairs: { type: "string" }, "slice-ms": { type: "string" } },
    });
    const sizes = (values.sizes ?? "64,1024").split(",").map(Number);
    const pairs = Number(values.pairs ?? 15);
    const sliceUs = Number(values["slice-ms"] ?? 200) * 1000;
    const rows: Row[] = [];
    for (const bytes of sizes) rows.push(await withDirectory((dir) => measure(dir, bytes, pairs, sliceUs)));
    print(
      table(
        ["payload", "log, appends/s", "bare, writes/s", "log / bare"],
        rows.map((row) => [
          sizeName(row.bytes),
          short(row.log.median),
          short(row.bare.median),
          `${row.ratio.median.toFixed(2)} (${row.ratio.min.toFixed(2)}..${row.ratio.max.toFixed(2)})`,
        ]),
      ),
    );
    return rows;
  },
};

async function measure(dir: string, bytes: number, pairs: number, sliceUs: number): Promise<Row> {
  const payload = payloadsOf(bytes);
  const log = await Aof.open({ dir: join(dir, "log"), flushStrategy: { kind: "sync" } });
  const bare = new BareFile(join(dir, "bare"));
  try {
    const rates = { log: [] as number[], bare: [] as number[] };
    const logSlice = (): number => slice(sliceUs, (k) => log.append(payload(k)));
    const bareSlice = (): number => slice(sliceUs, (k) => bare.append(payload(k)));
    logSlice();
    bareSlice();
    for (let pair = 0; pair < pairs; pair++) {
      // Each first in turn, so that neither always meets the disk that the other left.
      if (pair % 2 === 0) rates.log.push(logSlice());
      rates.bare.push(bareSlice());
      if (pair % 2 === 1) rates.log.push(logSlice());
      await new Promise<void>((resolve) => systemClock.defer(resolve));
    }
    const ratios = rates.log.map((rate, k) => rate / (rates.bare[k] as number));
    return { bytes, log: spreadOf(rates.log), bare: spreadOf(rates.bare), ratio: spreadOf(ratios) };
  } finally {
    bare.close();
    await log.close();
  }
}

/** Appends a second. */
function slice(us: number, append: (k: number) => unknown): number {
  const began = systemClock.monotonicUs();
  let count = 0;
  let elapsed = 0;
  while (elapsed < us) {
    append(count++);
    elapsed = systemClock.monotonicUs() - began;
  }
  return (count / elapsed) * 1e6;
}

class BareFile {
  readonly #descriptor: number;
  #at = 0;

  constructor(path: string) {
    this.#descriptor = openSync(path, "w");
    const zeroes = new Uint8Array(2 ** 20);
    for (let at = 0; at < fileBytes; at += zeroes.length) writeSync(this.#descriptor, zeroes, 0, zeroes.length, at);
    fsyncSync(this.#descriptor);
  }

  append(payload: Uint8Array): void {
    if (this.#at + payload.length > fileBytes) this.#at = 0;
    writeSync(this.#descriptor, payload, 0, payload.length, this.#at);
    fdatasyncSync(this.#descriptor);
    this.#at += payload.length;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/**
 * What does a store of ours cost beside the vendor's bare client? Puts, gets and listings through both, on one server in a
 * process of its own, in short slices in turn. The ratio is the median over pairs of slices.
 */
import { parseArgs } from "node:util";
import { type Bench, print, printProgress } from "../bench.ts";
import { short, spreadOf, type Spread, table } from "../measure.ts";
import { interleave, type Pairs } from "./interleave.ts";
import { openPair, parseBackend } from "./open-pair.ts";
import { type BackendName, backends } from "./store-client.ts";
import { startStoreServer } from "./store-servers.ts";
import { type StoreWork, storeWorks } from "./store-work.ts";

interface Row {
  readonly backend: BackendName;
  readonly work: string;
  readonly inFlight: number;
  /** Operations a second. */
  readonly varve: Spread;
  readonly sdk: Spread;
  /** Of the rates: above 1, ours is faster. */
  readonly ratio: Spread;
  /** Of the processor time of this process for one operation, the SDK's over ours: above 1, ours needs less. */
  readonly cpuRatio: Spread;
  readonly pairs: number;
}

const sliceUs = 250_000;

export const stores: Bench = {
  name: "stores",
  usage: [
    "objects put, got and listed beside each vendor's own client, interleaved",
    `--backend ${backends.join("|")}   --seconds 10 (for one row)   --only "put 4 KiB,…"   --json`,
    "--checked (with --backend azure: its client sends checksums of single puts, as ours does)",
  ],
  async run(args) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        backend: { type: "string" },
        seconds: { type: "string" },
        only: { type: "string" },
        checked: { type: "boolean" },
        json: { type: "boolean" },
      },
    });
    const seconds = Number(values.seconds ?? 10);
    if (!(seconds > 0)) throw new RangeError(`--seconds: got ${values.seconds}, want more than 0`);
    const chosen = values.backend === undefined ? backends : [parseBackend(values.backend)];
    const names = storeWorks().map(({ name }) => name);
    const only = values.only?.split(",") ?? names;
    const unknown = only.filter((name) => !names.includes(name));
    if (unknown.length > 0) throw new RangeError(`--only: got ${unknown.join(", ")}, want some of ${names.join(", ")}`);
    const rows: Row[] = [];
    for (const backend of chosen) {
      for (const name of only) {
        printProgress(`${backend}, ${name}: measuring for ${seconds} s`);
        rows.push(await measureWork(backend, name, seconds, values.checked === true));
      }
      if (values.json !== true) print(`${backend}\n${tableOf(rows.filter((row) => row.backend === backend))}`);
    }
    if (values.json === true) print(JSON.stringify(rows));
    return rows;
  },
};

/** On a server of its own: the emulator of Azure frees nothing that was overwritten. */
async function measureWork(backend: BackendName, name: string, seconds: number, isChecked: boolean): Promise<Row> {
  const work = storeWorks().find((each) => each.name === name) as StoreWork;
  const { inFlight } = work;
  const server = await startStoreServer(backend);
  try {
    const { varve, sdk } = openPair(backend, server, isChecked);
    try {
      await work.prepare(varve);
      const pairs = await interleave(
        { inFlight, run: (slot) => work.run(varve, slot) },
        { inFlight, run: (slot) => work.run(sdk, slot) },
        { sliceUs, totalUs: seconds * 1e6 },
      );
      return rowOf(backend, work, pairs);
    } finally {
      await varve.close();
      await sdk.close();
    }
  } finally {
    await server.stop();
  }
}

function rowOf(backend: BackendName, { name, inFlight }: StoreWork, { first, second }: Pairs): Row {
  const perPair = (compare: (k: number) => number): Spread => spreadOf(first.map((_, k) => compare(k)));
  return {
    backend,
    work: name,
    inFlight,
    varve: spreadOf(first.map(({ rate }) => rate)),
    sdk: spreadOf(second.map(({ rate }) => rate)),
    ratio: perPair((k) => (first[k]?.rate ?? Number.NaN) / (second[k]?.rate ?? Number.NaN)),
    cpuRatio: perPair((k) => (second[k]?.cpuUs ?? Number.NaN) / (first[k]?.cpuUs ?? Number.NaN)),
    pairs: first.length,
  };
}

function tableOf(rows: readonly Row[]): string {
  const ratio = ({ median, min, max }: Spread): string => `${median.toFixed(2)} (${min.toFixed(2)}..${max.toFixed(2)})`;
  return table(
    ["work", "at once", "varve /s", "SDK /s", "varve / SDK", "CPU, SDK / varve", "pairs"],
    rows.map((row) => [
      row.work,
      String(row.inFlight),
      short(row.varve.median),
      short(row.sdk.median),
      ratio(row.ratio),
      ratio(row.cpuRatio),
      String(row.pairs),
    ]),
  );
}

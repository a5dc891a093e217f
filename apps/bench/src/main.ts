/** `npm run bench -- <name>`: one measurement per name; without one, the list. */
import { runBareLoop } from "./bare-loop.ts";
import { runMatrix } from "./matrix.ts";
import { runOpenTime } from "./open-time.ts";
import { runPeers } from "./run-peers.ts";

interface Bench {
  readonly what: string;
  run(args: readonly string[]): Promise<void>;
}

const benches: Readonly<Record<string, Bench>> = {
  "bare-loop": {
    what: "durable appends of one caller against a bare write + fdatasync loop on a zero-filled file",
    run: runBareLoop,
  },
  matrix: { what: "the 16 cells of the source design's table, beside its figures", run: runMatrix },
  "open-time": { what: "opening a log after a kill, by its size (--gib 10 for the largest)", run: runOpenTime },
  peers: { what: "side by side with other stores, by the peer harness (VARVE_PEERS: where it is)", run: runPeers },
};

const [name, ...args] = process.argv.slice(2).filter((arg) => arg !== "--");
const bench = name === undefined ? undefined : benches[name];
if (bench === undefined) {
  const list = Object.entries(benches).map(([key, { what }]) => `  ${key.padEnd(10)} ${what}`);
  process.stderr.write(`usage: npm run bench -- <name> [options]\n${list.join("\n")}\n`);
  process.exitCode = name === undefined || name === "--help" ? 0 : 1;
} else {
  await bench.run(args);
}

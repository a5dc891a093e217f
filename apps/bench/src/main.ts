/** `npm run bench -- <name>`: runs one bench, prints its tables and leaves its rows in `results/`. */
import { bareLoop } from "./bare-loop.ts";
import { type Bench, print, writeResults } from "./bench.ts";
import { matrix } from "./matrix.ts";
import { memory, memoryChild, memoryChildName } from "./memory.ts";
import { openTime } from "./open-time.ts";
import { openTimeChild, openTimeChildName } from "./open-time-child.ts";
import { peers } from "./run-peers.ts";
import { cloudServerChild, cloudServerChildName } from "./stores/cloud-server-child.ts";
import { storeMemory } from "./stores/store-memory.ts";
import { stores } from "./stores/stores.ts";

const benches: readonly Bench[] = [matrix, bareLoop, openTime, memory, peers, stores, storeMemory];

// `pnpm bench -- name` hands the dashes over.
process.exitCode = await main(process.argv.slice(process.argv[2] === "--" ? 3 : 2));

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === openTimeChildName) return openTimeChild(args);
  if (name === memoryChildName) return memoryChild(args);
  if (name === cloudServerChildName) return cloudServerChild(args);
  const bench = benches.find((each) => each.name === name);
  if (bench === undefined) {
    process.stderr.write(`usage: npm run bench -- <name> [options]\n${benches.map(usageOf).join("")}`);
    return 2;
  }
  try {
    const results = await bench.run(args);
    const file = writeResults(bench.name, args, results);
    // With --json, standard output is the rows' alone.
    if (!args.includes("--json")) print(`results: ${file}`);
    return 0;
  } catch (error) {
    // Wrong use: an option, a missing harness, a disk too small.
    if (!(error instanceof RangeError) && !(error instanceof TypeError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
}

function usageOf({ name, usage }: Bench): string {
  return usage.map((line, k) => `  ${(k === 0 ? name : "").padEnd(14)}${line}\n`).join("");
}

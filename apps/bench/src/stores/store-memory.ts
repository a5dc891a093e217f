/**
 * Does an upload of any length stay in a bounded memory? Streams `--gib` from a generated source in a process of its own,
 * to a server in another one that drops what it gets, and notes the resident size of the first on the way.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Bench, print } from "../bench.ts";
import { table } from "../measure.ts";
import { parseBackend } from "./open-pair.ts";
import { type BackendName, backends } from "./store-client.ts";
import { startStoreServer } from "./store-servers.ts";

export interface StoreMemoryResult {
  readonly backend: BackendName;
  readonly gib: number;
  /** When the store was open and nothing was sent. */
  readonly startMiB: number;
  /** After each fortieth of the bytes. */
  readonly sampledMiB: readonly number[];
  /** The kernel's own figure for the whole life of the process. */
  readonly peakMiB: number;
  readonly seconds: number;
}

/** Of the resident size, in the measured process. */
const samples = 40;
/** What the process may have at most: Node and the vendor's client need about half of it. */
const limitMiB = 200;

export const storeMemory: Bench = {
  name: "store-memory",
  usage: [
    "resident memory over one long streamed upload",
    `--gib 2   --backend ${backends.join("|")} (azurite keeps all of it in memory)   --json`,
  ],
  async run(args) {
    const { values } = parseArgs({
      args: [...args],
      options: { backend: { type: "string" }, gib: { type: "string" }, json: { type: "boolean" } },
    });
    const gib = Number(values.gib ?? 2);
    if (!(gib > 0)) throw new RangeError(`--gib: got ${values.gib}, want more than 0`);
    const results: StoreMemoryResult[] = [];
    for (const backend of values.backend === undefined ? backends : [parseBackend(values.backend)]) {
      results.push(await measureUpload(backend, gib));
    }
    print(values.json === true ? JSON.stringify(results) : tableOf(results));
    return results;
  },
};

async function measureUpload(backend: BackendName, gib: number): Promise<StoreMemoryResult> {
  const server = await startStoreServer(backend, backend !== "azure");
  try {
    const program = fileURLToPath(new URL("store-memory-child.js", import.meta.url));
    const args = [program, backend, server.url, server.bucket, String(gib)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
    if (code !== 0) throw new Error(`the measured process ended with ${String(code)}`);
    return JSON.parse(output) as StoreMemoryResult;
  } finally {
    await server.stop();
  }
}

function tableOf(results: readonly StoreMemoryResult[]): string {
  return table(
    ["store", "sent", "start", "half", "end", "highest sample", "peak", `below ${limitMiB} MiB`, "MiB/s"],
    results.map(({ backend, gib, startMiB, sampledMiB, peakMiB, seconds }) => [
      backend,
      `${gib} GiB`,
      `${startMiB} MiB`,
      `${sampledMiB[samples / 2 - 1] ?? "–"} MiB`,
      `${sampledMiB.at(-1) ?? "–"} MiB`,
      `${Math.max(...sampledMiB)} MiB`,
      `${peakMiB} MiB`,
      peakMiB < limitMiB ? "yes" : "no",
      ((gib * 1024) / seconds).toFixed(0),
    ]),
  );
}

/**
 * Runs the peer harness, which lives outside of this repository, with this project's adapter: `VARVE_PEERS` names a
 * writable copy of it that was set up (its README says how). Arguments are passed on; results and ratios are printed.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export function runPeers(args: readonly string[]): Promise<void> {
  const harness = process.env["VARVE_PEERS"];
  if (harness === undefined || !existsSync(join(harness, "run.mjs"))) {
    throw new Error("VARVE_PEERS: name a directory with the peer harness (run.mjs), copied and set up");
  }
  const adapter = fileURLToPath(new URL("./peer-adapter.js", import.meta.url));
  const child = spawn(process.execPath, [join(harness, "run.mjs"), "--ref", "varve", ...args], {
    cwd: harness,
    stdio: "inherit",
    env: { ...process.env, VARVE_ADAPTER: adapter },
  });
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`the harness ended with ${code}`))));
  });
}

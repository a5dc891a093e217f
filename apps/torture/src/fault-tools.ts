/**
 * Finds the black-box fault tools. They are not part of this repository: `VARVE_FAULTS` names their directory, else
 * `../shared/faults` beside the workspace is tried.
 */
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";

const workspaceRoot = resolve(import.meta.dirname, "../../..");

/** The directory of the tools; undefined when they are not on this machine. */
export function findFaultTools(environment: NodeJS.ProcessEnv): string | undefined {
  const given = environment["VARVE_FAULTS"];
  const directory = given === undefined || given === "" ? join(workspaceRoot, "../shared/faults") : resolve(given);
  return existsSync(join(directory, "powerloss.mjs")) ? directory : undefined;
}

/** Copies them to `target`: they build their recorder beside themselves, and the original may be read-only. */
export function copyFaultTools(from: string, target: string): void {
  for (const part of ["lib", "shim"]) {
    mkdirSync(join(target, part), { recursive: true, mode: 0o700 });
    cpSync(join(from, part), join(target, part), { recursive: true, mode: 0 });
  }
  for (const tool of ["powerloss.mjs", "crashloop.mjs", "syscallfault.mjs", "mangle.mjs"]) {
    cpSync(join(from, tool), join(target, tool));
  }
}

/**
 * Finds the black-box fault tools. They are not part of this repository: `VARVE_FAULTS` names their directory, else
 * `../shared/faults` beside the workspace is tried.
 */
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const workspaceRoot = resolve(import.meta.dirname, "../../..");

/** The directory of the tools; undefined when they are not on this machine. */
export function findFaultTools(environment: NodeJS.ProcessEnv): string | undefined {
  const given = environment["VARVE_FAULTS"];
  const directory = given === undefined || given === "" ? join(workspaceRoot, "../shared/faults") : resolve(given);
  return existsSync(join(directory, "powerloss.mjs")) ? directory : undefined;
}

const tools = [
  "powerloss.mjs",
  "crashloop.mjs",
  "syscallfault.mjs",
  "mangle.mjs",
  "netfault.mjs",
  "faultproxy.mjs",
] as const;

/** Copies them to `target`: they build their recorder beside themselves, and the original may be read-only. */
export function copyFaultTools(from: string, target: string): void {
  for (const part of ["lib", "shim"]) {
    mkdirSync(join(target, part), { recursive: true, mode: 0o700 });
    cpSync(join(from, part), join(target, part), { recursive: true, mode: 0 });
  }
  for (const tool of tools) cpSync(join(from, tool), join(target, tool));
  // `netfault.mjs` imports a store of its own for when it is given none. We always give one, so an import is all it needs.
  mkdirSync(join(target, "toys"), { recursive: true, mode: 0o700 });
  writeFileSync(
    join(target, "toys/mini-s3.mjs"),
    'export function startMiniS3() {\n  throw new Error("the tool has no store of its own here: give --store");\n}\n',
  );
}

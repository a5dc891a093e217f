/**
 * `varve` on the command line: the process around {@link runCli}. Importing this file runs the command.
 * @packageDocumentation
 */
import { readFileSync } from "node:fs";
import { systemClock } from "@varve/fs-core";
import { runCli } from "./cli.ts";
import { exitCode } from "./exit-codes.ts";
import { failureJson, failureText, toFailure } from "./failure.ts";
import { Input } from "./process/input.ts";
import { Output } from "./process/output.ts";
import { Stop } from "./process/stop.ts";

const words = process.argv.slice(2);
const debug = process.env["VARVE_DEBUG"] === "1";
const stop = new Stop(systemClock);

// Whoever reads stderr may leave too, and there is nobody else to tell.
process.stderr.on("error", () => {});
process.on("uncaughtException", (error) => {
  const failure = toFailure(error, {});
  process.stderr.write(words.includes("--json") ? failureJson(failure) : failureText(failure, undefined));
  if (debug) process.stderr.write(`${error.stack}\n`);
  process.exit(exitCode.internal);
});

const code = await runCli(words, {
  input: new Input(() => process.stdin, 0),
  output: new Output(process.stdout, 1),
  errors: process.stderr,
  stop,
  clock: systemClock,
  version: packageVersion(),
  debug,
});
process.exitCode = code;
// After a signal nothing may hold the process up: a pipe that nobody reads would, for ever.
if (stop.received !== undefined) process.exit(code);

function packageVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

/** The command: reads the options, runs, and turns whatever happens into words and an exit code. */
import { Aof, isAofError, openReadOnly } from "@varve/aof";
import { systemClock, systemRandom } from "@varve/fs-core";
import { exitCodeOf, exitCodes, exitCodesBySignal } from "./exit-codes.ts";
import { runIngest } from "./ingest.ts";
import { helpText, type IngestOptions, parseOptions } from "./options.ts";
import { type Output, silentOutput, TerminalOutput } from "./output.ts";
import { RunDirectory } from "./run-directory.ts";
import { placesIn } from "./workspace.ts";

/** Why a run stops early. */
class Interruption extends Error {
  override readonly name: string = "Interruption";
  readonly exitCode: number;

  constructor(signal: keyof typeof exitCodesBySignal) {
    super(`stopped by ${signal}`);
    this.exitCode = exitCodesBySignal[signal];
  }
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  // `| head` closes our output: the run goes on to its end, unheard, and its exit code still tells.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", ignoreClosedPipe);
  try {
    const invocation = parseOptions(args);
    if (invocation.kind === "help") {
      process.stdout.write(`${helpText}\n`);
      return exitCodes.ok;
    }
    return await runInDirectory(invocation.options);
  } catch (error) {
    return fail(error);
  }
}

async function runInDirectory(options: IngestOptions): Promise<number> {
  const output = options.json ? silentOutput : new TerminalOutput(process.stdout, process.stderr, systemClock);
  const stop = new AbortController();
  const stopListening = onSignals((signal) => {
    const interruption = new Interruption(signal);
    // Twice means now. Children notice by themselves that we are gone.
    if (stop.signal.aborted) process.exit(interruption.exitCode);
    stop.abort(interruption);
  });
  const run = await RunDirectory.create(options.dir);
  try {
    return await runAndNote(run, options, output, stop.signal);
  } finally {
    await run.release();
    stopListening();
  }
}

async function runAndNote(
  run: RunDirectory,
  options: IngestOptions,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  const seed = options.seed ?? systemRandom.int(2 ** 32);
  try {
    const report = await runIngest(run.path, seed, options, { clock: systemClock, output, signal });
    if (options.json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    await run.note(report.ok ? "passed" : "failed", report);
    if (!report.ok) return exitCodes.damaged;
    // What was sent is in the log, as was just shown, and in its own place before that.
    const { files, inputPath } = placesIn(run.path);
    await files.deleteFile(inputPath);
    await run.removeOlder(options.keep);
    return exitCodes.ok;
  } catch (error) {
    output.lines([]);
    if (!signal.aborted || !(error === signal.reason || isAbort(error))) {
      if (await wasAppended(run.path)) {
        // The failure that ended the run is the one to report, not one of writing it down.
        await run.note("failed", { seed, error: String(error) }).catch(() => {});
        process.stderr.write(`Everything so far is kept in ${run.path}; the same plan again: --seed ${seed}\n`);
      } else {
        await run.discard();
      }
      throw error;
    }
    const { message, exitCode } = signal.reason as Interruption;
    // A terminal shows `^C` where the cursor was.
    const newLine = process.stderr.isTTY ? "\n" : "";
    process.stderr.write(`${newLine}${message}: ${await tidyUp(run, seed)}\n`);
    return exitCode;
  }
}

/** Says what an interrupted run leaves behind. */
async function tidyUp(run: RunDirectory, seed: number): Promise<string> {
  if (!(await wasAppended(run.path))) {
    await run.discard();
    return "nothing was appended yet";
  }
  await run.note("interrupted", { seed });
  // Every process that wrote it is gone. Whatever state that left, this one ends closed.
  const { logDir } = placesIn(run.path);
  const log = await Aof.open({ dir: logDir });
  const { lastId } = log;
  await log.close();
  return `the log in ${logDir} is closed and holds records 1 to ${lastId}`;
}

/** Whether the run's log exists and has a record. */
async function wasAppended(dir: string): Promise<boolean> {
  try {
    const log = await openReadOnly({ dir: placesIn(dir).logDir });
    await log.close();
    return log.lastId >= log.firstId;
  } catch (error) {
    // What cannot be read is there, and is evidence.
    return !(isAofError(error) && error.code === "NOT_FOUND");
  }
}

function fail(error: unknown): number {
  const code = error instanceof Error && "code" in error ? `${String(error.code)}: ` : "";
  process.stderr.write(`varve ingest: ${code}${error instanceof Error ? error.message : String(error)}\n`);
  const exitCode = exitCodeOf(error);
  if (exitCode === exitCodes.usage) process.stderr.write("See --help.\n");
  if (exitCode === exitCodes.internal && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return exitCode;
}

function isAbort(error: unknown): boolean {
  return (isAofError(error) && error.code === "ABORTED") || (error instanceof Error && error.name === "AbortError");
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

/** @returns undoes it */
function onSignals(callback: (signal: keyof typeof exitCodesBySignal) => void): () => void {
  const undo = (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((signal) => {
    const listener = (): void => callback(signal);
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  return () => {
    for (const each of undo) each();
  };
}

/**
 * A program that appends to a log and prints what it was promised, in the contract of the fault tools. It ends with
 * 0 after a clean close, with 1 and one line `CODE: message` when the log failed or refused, with 2 on wrong use. An
 * error without a code is a defect of the log, and ends it with Node's own report.
 */
import { Aof, type AofError, isAofError, openReadOnly, type ReadOnlyLog } from "@varve/aof";
import { systemClock, systemRandom } from "@varve/fs-core";
import { SeededRandom } from "@varve/fs-core/testing";
import { keyProvider } from "./keys.ts";
import { printEvents, printLines } from "./output.ts";
import { contractId } from "./record-identity.ts";
import { RecordSource } from "./record-source.ts";
import { parseWriterOptions, type WriterOptions, writerSettings, writerUsage } from "./writer-options.ts";
import { type Outstanding, Writing, type WritingParts } from "./writing.ts";

let isStopped = false;
process.on("SIGTERM", () => {
  isStopped = true;
});
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let options: WriterOptions;
  try {
    options = parseWriterOptions(args);
  } catch (error) {
    printLines(2, `${(error as Error).message}\n${writerUsage}`);
    return 2;
  }
  try {
    await write(options);
    return 0;
  } catch (error) {
    if (!isAofError(error)) throw error;
    printLines(2, `${describe(error)}\n`);
    return 1;
  }
}

async function write(options: WriterOptions): Promise<void> {
  const random = new SeededRandom(options.seed);
  const run = systemRandom.u64().toString(16).padStart(16, "0");
  const parts: WritingParts = {
    random,
    source: new RecordSource(run, random, options.payloadBytesMax),
    print: printEvents,
    turn: () =>
      options.paceMs > 0 ? systemClock.sleep(options.paceMs) : new Promise((resolve) => systemClock.defer(resolve)),
  };
  const outstanding: Outstanding = new Map();
  let left = options.count;
  if (options.announce) await announceFound(options.dir, outstanding);
  for (let reopens = options.reopens; ; reopens--) {
    const log = await Aof.open(writerSettings(options), { keyProvider });
    settle(log, outstanding);
    const writing = new Writing(log, options, parts, outstanding, left);
    try {
      await writing.run(() => isStopped);
      if (options.die) process.kill(process.pid, "SIGKILL");
      await log.close();
      await writing.closed();
      return;
    } catch (error) {
      writing.report();
      left = writing.left;
      await assertPoisoned(log, error);
      if (reopens === 0) throw error;
    }
  }
}

/**
 * Tells the oracle of records that it did not see being appended: T of all, A of those that the log says are durable.
 * Before the open, because recovery may be what the power fails in.
 */
async function announceFound(dir: string, outstanding: Outstanding): Promise<void> {
  let log: ReadOnlyLog;
  try {
    log = await openReadOnly({ dir }, { keyProvider });
  } catch (error) {
    if (isAofError(error) && error.code === "NOT_FOUND") return;
    throw error;
  }
  try {
    for await (const batch of log.readBatches()) {
      for (const record of batch) outstanding.set(record.id, contractId(record.id, record.payload));
    }
    printEvents("T", [...outstanding.values()]);
    printEvents(
      "A",
      [...outstanding].filter(([logId]) => logId <= log.durableId).map(([, id]) => id),
    );
  } finally {
    await log.close();
  }
}

/** After an open: what was tried before either survived, and is durable now, or is gone for good. */
function settle(log: Aof, outstanding: Outstanding): void {
  for (const [logId, id] of outstanding) {
    const record = logId < log.nextId ? log.getSync(logId) : undefined;
    const survived = record !== undefined && contractId(logId, record.payload) === id;
    printEvents(survived ? "A" : "F", [id]);
  }
  outstanding.clear();
}

/** A log that failed must refuse what follows, and still close. */
async function assertPoisoned(log: Aof, failure: unknown): Promise<void> {
  if (!isAofError(failure)) throw failure;
  if (log.state === "open") throw new Error(`the log failed with ${describe(failure)} and is still open`);
  try {
    log.append(new Uint8Array(1));
    throw new Error(`the log failed with ${describe(failure)} and took another record`);
  } catch (error) {
    if (!isAofError(error)) throw error;
  }
  try {
    await log.close();
  } catch (error) {
    if (!isAofError(error)) throw error;
  }
}

function describe(error: AofError): string {
  return `${error.code}: ${error.message.replaceAll("\n", "; ")}`;
}

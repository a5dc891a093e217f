import { type BatchReader, isAofError, type ReadOnlyLog } from "@varve/aof";
import type { Clock } from "@varve/fs-core";
import type { Arguments } from "../arguments.ts";
import { exitCode } from "../exit-codes.ts";
import { RecordPrinter } from "../framing/record-printer.ts";
import { withReadOnlyLog } from "../open-log.ts";
import { parseCount } from "../values/position.ts";
import { logDirectory, type Shell, type Verb } from "../verb.ts";
import { framingOption, recordForm } from "./cat.ts";

export const tail: Verb = {
  name: "tail",
  summary: "print the last records, and those to come",
  operands: [logDirectory],
  options: [
    { name: "lines", short: "n", value: "COUNT", meaning: "how many of the last records. Default 10" },
    { name: "follow", short: "f", meaning: "then wait for more, from whichever process, until Ctrl-C" },
    framingOption("line"),
  ],
  notes: [
    "It shows records once they are written, which may be before they are durable: a power failure can take back the newest.",
    "With --follow, when whoever reads stdout has left, it ends with the next record.",
  ],
  examples: [
    { does: "watch a log", command: "varve tail logs/orders -f" },
    { does: "only what comes from now on, as JSON", command: "varve tail logs/orders -f -n 0 --json" },
  ],
  run: runTail,
};

async function runTail(args: Arguments, shell: Shell): Promise<number> {
  const count = parseCount(args.text("lines") ?? "10", "--lines");
  const follow = args.has("follow");
  const printer = new RecordPrinter(shell.output, recordForm(args, "line"));
  await withReadOnlyLog(args.operand("dir"), async (log) => {
    const from = firstOfLast(log, count);
    if (follow) await printFollowing(log, from, printer, shell);
    else await printAll(log.readBatches({ from }), printer);
  });
  return exitCode.ok;
}

/** Prints what there is and what comes, until a signal. */
async function printFollowing(
  log: ReadOnlyLog,
  from: number,
  printer: RecordPrinter,
  { stop, clock }: Shell,
): Promise<void> {
  stop.listen();
  const over = new AbortController();
  const signal = AbortSignal.any([stop.signal, over.signal]);
  const end = (): void => over.abort();
  const work = [
    printAll(log.readBatches({ from, follow: true, signal }), printer).finally(end),
    lookNowAndThen(log, clock, signal).finally(end),
  ];
  try {
    await Promise.all(work);
  } catch (error) {
    if (!(isAofError(error) && error.code === "ABORTED")) throw error;
  } finally {
    // The log is closed next: neither may still be at it.
    await Promise.allSettled(work);
  }
}

async function printAll(batches: BatchReader, printer: RecordPrinter): Promise<void> {
  for await (const batch of batches) await printer.print(batch);
}

/** Between two looks at a log whose changes nobody announced. */
const lookMs = 1000;

/**
 * Looks for new records from time to time: a network file system announces nothing. It also keeps the process alive,
 * which waiting for an announcement does not.
 */
async function lookNowAndThen(log: ReadOnlyLog, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // Rejects only when the signal fires.
    await clock.sleep(lookMs, { signal }).catch(() => {});
    if (!signal.aborted) await log.refresh();
  }
}

function firstOfLast(log: ReadOnlyLog, count: number): number {
  return Math.max(log.firstId, log.lastId + 1 - count);
}

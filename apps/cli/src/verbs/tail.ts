import { isAofError, type ReadOnlyLog } from "@varve/aof";
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
  notes: ["It shows records once they are written, which may be before they are durable: a power failure can take back the newest."],
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
  if (follow) shell.stop.listen();
  const { signal } = shell.stop;
  try {
    await withReadOnlyLog(args.operand("dir"), async (log) => {
      const from = firstOfLast(log, count);
      for await (const batch of log.readBatches({ from, follow, signal })) await printer.print(batch);
    });
  } catch (error) {
    if (!(signal.aborted && isAofError(error) && error.code === "ABORTED")) throw error;
  }
  return exitCode.ok;
}

function firstOfLast(log: ReadOnlyLog, count: number): number {
  return Math.max(log.firstId, log.lastId + 1 - count);
}

import type { Arguments } from "../arguments.ts";
import { CliError } from "../cli-error.ts";
import { exitCode } from "../exit-codes.ts";
import { RecordPrinter } from "../framing/record-printer.ts";
import { withReadOnlyLog } from "../open-log.ts";
import { parseId } from "../values/position.ts";
import { logDirectory, type Shell, type Verb } from "../verb.ts";
import { framingOption, recordForm } from "./cat.ts";

export const get: Verb = {
  name: "get",
  summary: "print one record",
  operands: [logDirectory, { name: "id", meaning: "the record's id" }],
  options: [framingOption("none")],
  notes: [
    "The bytes are exactly those that were appended; on a terminal a newline follows. A record that is not there ends with exit code 2.",
  ],
  examples: [
    { does: "a record's bytes into a file", command: "varve get logs/orders 42 > record.bin" },
    { does: "with its time", command: "varve get logs/orders 42 --json" },
  ],
  run: runGet,
};

async function runGet(args: Arguments, shell: Shell): Promise<number> {
  const form = recordForm(args, "none");
  const id = parseId(args.operand("id"), "<id>");
  await withReadOnlyLog(args.operand("dir"), async (log) => {
    const record = await log.get(id);
    if (record === undefined) {
      const held = log.lastId < log.firstId ? "it is empty" : `it holds ${log.firstId} to ${log.lastId}`;
      throw new CliError("NO_SUCH_RECORD", `the log has no record ${id}: ${held}`, { recordId: id });
    }
    await new RecordPrinter(shell.output, form).print([record]);
    if (form === "none" && shell.output.isTerminal) await shell.output.write("\n");
  });
  return exitCode.ok;
}

import type { ReadOptions } from "@varve/aof";
import type { Arguments } from "../arguments.ts";
import { usageError } from "../cli-error.ts";
import { exitCode } from "../exit-codes.ts";
import { type Framing, parseFraming } from "../framing/framing.ts";
import { RecordPrinter } from "../framing/record-printer.ts";
import { withReadOnlyLog } from "../open-log.ts";
import { parseCount, parseFrom, parseUntil, placeForms } from "../values/position.ts";
import { logDirectory, type OptionSpec, type Shell, type Verb } from "../verb.ts";

export const cat: Verb = {
  name: "cat",
  summary: "print records",
  operands: [logDirectory],
  options: [
    { name: "from", value: "PLACE", meaning: `where to begin: earliest (default), tail, ${placeForms}` },
    { name: "to", value: "PLACE", meaning: "the last record: an id, a time or an age; inclusive" },
    { name: "limit", value: "COUNT", meaning: "at most so many records" },
    { name: "reverse", meaning: "newest first; --from is then the newest record and --to the oldest" },
    framingOption("line"),
  ],
  notes: [
    "It shows what is whole in the files, also of a log that another process writes, up to the moment it begins. See tail for following.",
    'With --json each line is {id, timestamp, timestampUs, payload}. The payload is text when it is valid UTF-8, else base64 with "encoding":"base64".',
  ],
  examples: [
    { does: "the last hour, as JSON", command: "varve cat logs/orders --from 1h --json" },
    { does: "records 100 to 199", command: "varve cat logs/orders --from 100 --limit 100" },
    { does: "the newest one", command: "varve cat logs/orders --reverse --limit 1" },
  ],
  run: runCat,
};

async function runCat(args: Arguments, shell: Shell): Promise<number> {
  const form = recordForm(args, "line");
  const options = readOptions(args, shell.clock.wallUs());
  await withReadOnlyLog(args.operand("dir"), async (log) => {
    const printer = new RecordPrinter(shell.output, form);
    const reverse = options.reverse === true;
    for await (const batch of log.readBatches(options)) await printer.print(reverse ? [...batch].reverse() : batch);
  });
  return exitCode.ok;
}

/** `--framing`, as the verbs that print records have it. */
export function framingOption(byDefault: Framing): OptionSpec {
  const meanings: Readonly<Record<Framing, string>> = {
    line: "line: a newline behind each record",
    length: "length: a little-endian u32 with its length before each record",
    none: "none: the bytes alone",
  };
  const list = Object.entries(meanings).map(([name, text]) =>
    name === byDefault ? text.replace(":", " (default):") : text,
  );
  return { name: "framing", value: "line|length|none", meaning: list.join("; ") };
}

/** How the verb prints records. @throws CliError `USAGE` */
export function recordForm(args: Arguments, byDefault: Framing): Framing | "json" {
  const framing = args.text("framing");
  if (!args.has("json")) return parseFraming(framing, [byDefault, ...(["line", "length", "none"] as const)]);
  if (framing !== undefined) throw usageError("--json and --framing exclude each other");
  return "json";
}

function readOptions(args: Arguments, nowUs: number): ReadOptions {
  const from = args.text("from");
  const to = args.text("to");
  const limit = args.text("limit");
  const options: ReadOptions = {
    ...(from === undefined ? {} : { from: parseFrom(from, nowUs) }),
    ...(to === undefined ? {} : { until: parseUntil(to, nowUs) }),
    ...(limit === undefined ? {} : { limit: parseCount(limit, "--limit") }),
    reverse: args.has("reverse"),
  };
  assertNotBackwards(options);
  return options;
}

/** A range whose ends are swapped would print nothing and look like an empty log. */
function assertNotBackwards({ from, until, reverse }: ReadOptions): void {
  if (typeof from !== "number" || typeof until !== "number") return;
  if (reverse === true && from < until)
    throw usageError(`with --reverse, --from is the newest: --from ${until} --to ${from}`);
  if (reverse !== true && from > until) throw usageError(`--from ${from} lies behind --to ${until}`);
}

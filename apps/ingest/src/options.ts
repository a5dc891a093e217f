/** The command line, as a pure function from words to options. */
import { IngestError } from "./errors.ts";

export interface IngestOptions {
  /** A file of NDJSON, `-` for standard input; undefined for the flights that come with the app. */
  readonly input: string | undefined;
  /** Where run directories are made. Default `data`. */
  readonly dir: string;
  /** 0 to 2^32 - 1; undefined to draw one. */
  readonly seed: number | undefined;
  /** How many writers are killed, 1 to 20. Default 3. */
  readonly kills: number;
  /** How many run directories stay, this run's included, 1 to 1000. Default 1. */
  readonly keep: number;
  readonly json: boolean;
}

export type Invocation = { readonly kind: "help" } | { readonly kind: "run"; readonly options: IngestOptions };

export const helpText = `Appends real data to a log, kills the writer, recovers, and proves that nothing acknowledged was lost.

Usage: npm start -- [options]

  --input FILE|-   NDJSON to append instead of the built-in flights: each line is a record, byte for byte
  --dir DIR        where run directories are made (default: data)
  --seed N         repeat the plan of an earlier run: what is appended how, and when it is killed
  --kills N        how many writers are killed, 1 to 20 (default: 3)
  --keep N         how many run directories stay, 1 to 1000 (default: 1); failed runs always stay
  --once           run once, then end; at present it always does
  --json           print one JSON document instead of text
  --help           print this

Exit codes: 0 every check passed, 1 wrong usage, 2 input not found, 3 files of a newer version, 4 input or output failed,
5 something was lost or damaged, 6 locked by another process, 7 a defect of this program, 130 Ctrl-C.`;

const names = ["--input", "--dir", "--seed", "--kills", "--keep", "--once", "--json", "--help"];
const withValue: ReadonlySet<string> = new Set(["--input", "--dir", "--seed", "--kills", "--keep"]);

/** @throws IngestError `USAGE` naming everything that is wrong, a line each */
export function parseOptions(args: readonly string[]): Invocation {
  const given = new Map<string, string>();
  const problems: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const word = args[i] as string;
    const equals = word.startsWith("--") ? word.indexOf("=") : -1;
    const name = equals === -1 ? word : word.slice(0, equals);
    let value = equals === -1 ? undefined : word.slice(equals + 1);
    if (name === "-h") {
      given.set("--help", "");
    } else if (!names.includes(name)) {
      problems.push(`${name}: no such option; there are ${names.join(", ")}`);
    } else if (!withValue.has(name)) {
      if (value !== undefined) problems.push(`${name}: takes no value`);
      given.set(name, "");
    } else {
      value ??= args[++i];
      if (value === undefined || value === "") problems.push(`${name}: wants a value`);
      else if (given.has(name)) problems.push(`${name}: given twice`);
      else given.set(name, value);
    }
  }

  const seed = readInteger(given, "--seed", 0, 2 ** 32 - 1, problems);
  const kills = readInteger(given, "--kills", 1, 20, problems) ?? 3;
  const keep = readInteger(given, "--keep", 1, 1000, problems) ?? 1;
  for (const name of ["--input", "--dir"]) {
    if (given.get(name)?.includes("\0")) problems.push(`${name}: a path has no NUL`);
  }
  if (problems.length > 0) throw new IngestError("USAGE", problems.join("\n"));
  if (given.has("--help")) return { kind: "help" };
  return {
    kind: "run",
    options: {
      input: given.get("--input"),
      dir: given.get("--dir") ?? "data",
      seed,
      kills,
      keep,
      json: given.has("--json"),
    },
  };
}

function readInteger(
  given: ReadonlyMap<string, string>,
  name: string,
  low: number,
  high: number,
  problems: string[],
): number | undefined {
  const text = given.get(name);
  if (text === undefined) return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= low && value <= high) return value;
  problems.push(`${name}: got ${JSON.stringify(text.slice(0, 40))}, want a whole number in ${low}..${high}`);
  return undefined;
}

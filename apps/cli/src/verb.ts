import type { Clock } from "@varve/fs-core";
import type { Arguments } from "./arguments.ts";
import type { Input } from "./process/input.ts";
import type { Notes } from "./process/notes.ts";
import type { Output } from "./process/output.ts";
import type { Stop } from "./process/stop.ts";

/** One verb of the command: what help says about it, and what it does. */
export interface Verb {
  readonly name: string;
  /** What it does, in one line without a full stop. */
  readonly summary: string;
  readonly operands: readonly OperandSpec[];
  /** Its own options; `--json` and `--help` are every verb's. */
  readonly options: readonly OptionSpec[];
  /** Paragraphs of help below the options. */
  readonly notes: readonly string[];
  /** At least one. */
  readonly examples: readonly Example[];
  /**
   * @returns the exit code
   * @throws CliError, AofError or OutputClosed; `cli.ts` reports them
   */
  run(args: Arguments, shell: Shell): Promise<number>;
}

/** A word behind the verb. All are required. */
export interface OperandSpec {
  readonly name: string;
  readonly meaning: string;
}

export interface OptionSpec {
  /** Without the dashes. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** What the value is called in help; a flag has none. */
  readonly value?: string;
  readonly meaning: string;
}

export interface Example {
  readonly does: string;
  readonly command: string;
}

/** What a verb has of the process that runs it. */
export interface Shell {
  readonly input: Input;
  readonly output: Output;
  readonly notes: Notes;
  readonly stop: Stop;
  readonly clock: Clock;
}

/** The operand of every verb. */
export const logDirectory: OperandSpec = { name: "dir", meaning: "the log's directory" };

/** The options that every verb has. */
export const commonOptions: readonly OptionSpec[] = [
  { name: "json", meaning: "results on stdout, and errors on stderr, as JSON" },
  { name: "help", short: "h", meaning: "this text" },
];

/** From the words of the command line to an exit code: finds the verb, runs it, reports what went wrong. */
import { closestName } from "@varve/fs-core";
import type { Clock } from "@varve/fs-core";
import { type Arguments, parseArguments } from "./arguments.ts";
import { usageError } from "./cli-error.ts";
import { exitCode } from "./exit-codes.ts";
import { failureJson, failureText, toFailure } from "./failure.ts";
import { generalHelp, verbHelp } from "./help.ts";
import type { Input } from "./process/input.ts";
import { Notes, type NoteStream } from "./process/notes.ts";
import { type Output, OutputClosed } from "./process/output.ts";
import type { Stop } from "./process/stop.ts";
import type { Verb } from "./verb.ts";
import { verbs } from "./verbs.ts";

/** What the process lends the command. */
export interface CliParts {
  readonly input: Input;
  readonly output: Output;
  readonly errors: NoteStream;
  readonly stop: Stop;
  readonly clock: Clock;
  readonly version: string;
  /** Whether stack traces are wanted. */
  readonly debug: boolean;
}

/** How long a reader of stdout that does not read may hold up a process that was asked to end. */
const lastWordsMs = 1000;

/**
 * Runs one command.
 * @param words what stands behind `varve`
 * @returns the exit code; never rejects
 */
export async function runCli(words: readonly string[], parts: CliParts): Promise<number> {
  const { output, stop, clock } = parts;
  const command = new Command(words, parts);
  let timer: { cancel(): void } | undefined;
  const onStop = (): void => {
    timer = clock.after(lastWordsMs, () => output.abandon());
  };
  stop.signal.addEventListener("abort", onStop, { once: true });
  try {
    const code = await command.run();
    await output.end();
    return stop.exitCode ?? code;
  } catch (error) {
    if (error instanceof OutputClosed) return stop.exitCode ?? exitCode.ok;
    return command.report(error);
  } finally {
    stop.signal.removeEventListener("abort", onStop);
    timer?.cancel();
    stop.release();
  }
}

class Command {
  readonly #words: readonly string[];
  readonly #parts: CliParts;
  readonly #isJson: boolean;
  #verb: Verb | undefined;
  #dir: string | undefined;

  constructor(words: readonly string[], parts: CliParts) {
    this.#words = words;
    this.#parts = parts;
    // Known before anything is parsed, so that a parse error has the right form too.
    const end = words.indexOf("--");
    this.#isJson = words.slice(0, end === -1 ? words.length : end).includes("--json");
  }

  async run(): Promise<number> {
    const { output, version, input, stop, clock, errors } = this.#parts;
    const at = this.#words.findIndex((word) => !word.startsWith("-"));
    const before = this.#words.slice(0, at === -1 ? this.#words.length : at);
    if (before.includes("--version") || before.includes("-v")) {
      await output.write(this.#isJson ? `${JSON.stringify({ version })}\n` : `varve ${version}\n`);
      return exitCode.ok;
    }
    if (before.includes("--help") || before.includes("-h")) return this.#help(this.#words[at]);
    const unknown = before.find((word) => word !== "--json");
    if (unknown !== undefined) throw usageError(`${unknown} stands before the verb; options come behind it`);
    const name = this.#words[at];
    if (name === undefined) throw usageError(`a verb is missing: ${verbs.map((verb) => verb.name).join(", ")}`);
    if (name === "help") return this.#help(this.#words[at + 1]);

    this.#verb = findVerb(name);
    const args = this.#parse(this.#verb, [...before, ...this.#words.slice(at + 1)]);
    if (args.has("help")) return this.#help(name);
    return this.#verb.run(args, { input, output, stop, clock, notes: new Notes(errors, clock, this.#isJson) });
  }

  /** @returns the exit code */
  report(error: unknown): number {
    const { errors, debug } = this.#parts;
    const failure = toFailure(error, { verb: this.#verb?.name, dir: this.#dir });
    errors.write(this.#isJson ? failureJson(failure) : failureText(failure, this.#verb?.name));
    if (debug && error instanceof Error) errors.write(`${error.stack}\n${causes(error)}`);
    return failure.exitCode;
  }

  #parse(verb: Verb, words: readonly string[]): Arguments {
    const args = parseArguments(words, verb);
    if (!args.has("help")) this.#dir = args.operand("dir");
    return args;
  }

  async #help(name: string | undefined): Promise<number> {
    const text = name === undefined || name.startsWith("-") ? generalHelp(verbs) : verbHelp(findVerb(name));
    await this.#parts.output.write(text);
    return exitCode.ok;
  }
}

function findVerb(name: string): Verb {
  const found = verbs.find((verb) => verb.name === name);
  if (found !== undefined) return found;
  const names = verbs.map((verb) => verb.name);
  const near = closestName(name, names);
  throw usageError(
    `there is no verb ${JSON.stringify(name)}${near === undefined ? `; there are ${names.join(", ")}` : `; did you mean ${near}?`}`,
  );
}

function causes(error: Error): string {
  let text = "";
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) text += `caused by ${cause.stack}\n`;
  return text;
}

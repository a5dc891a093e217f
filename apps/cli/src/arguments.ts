import { closestName } from "@varve/fs-core";
import { parseArgs, type ParseArgsConfig } from "node:util";
import { usageError } from "./cli-error.ts";
import { commonOptions, type OperandSpec, type OptionSpec, type Verb } from "./verb.ts";

/** The words behind a verb, checked against what the verb declares. Values are text: each verb parses its own. */
export class Arguments {
  readonly #operands: readonly OperandSpec[];
  readonly #options: readonly OptionSpec[];
  readonly #given: readonly string[];
  readonly #values: ReadonlyMap<string, string | true>;

  constructor(
    operands: readonly OperandSpec[],
    options: readonly OptionSpec[],
    given: readonly string[],
    values: ReadonlyMap<string, string | true>,
  ) {
    this.#operands = operands;
    this.#options = options;
    this.#given = given;
    this.#values = values;
  }

  /** The operand called `name`. */
  operand(name: string): string {
    const index = this.#operands.findIndex((operand) => operand.name === name);
    const value = this.#given[index];
    if (value === undefined) throw new TypeError(`the verb has no operand ${name}`);
    return value;
  }

  /** Whether the flag `name` was given. */
  has(name: string): boolean {
    this.#assertDeclared(name);
    return this.#values.has(name);
  }

  /** The value of the option `name`, undefined when it was not given. The last one counts. */
  text(name: string): string | undefined {
    this.#assertDeclared(name);
    const value = this.#values.get(name);
    return value === true ? undefined : value;
  }

  /** A verb that asks for what it did not declare would ignore what the user typed. */
  #assertDeclared(name: string): void {
    if (!this.#options.some((option) => option.name === name)) throw new TypeError(`the verb has no option ${name}`);
  }
}

/**
 * Reads the words behind a verb.
 *
 * On `util.parseArgs` rather than a library that guesses types: an id above 2^53 or a directory called `1e3` must
 * arrive as it was typed.
 * @throws CliError `USAGE` naming the word, and the nearest option for an unknown one
 */
export function parseArguments(words: readonly string[], verb: Verb): Arguments {
  const options = [...verb.options, ...commonOptions];
  const { tokens } = parseArgs({
    args: [...words],
    options: toParseArgs(options),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const operands: string[] = [];
  const values = new Map<string, string | true>();
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    else if (token.kind === "option") values.set(token.name, optionValue(token, options));
  }
  if (!values.has("help")) checkOperands(operands, verb);
  return new Arguments(verb.operands, options, operands, values);
}

interface OptionToken {
  readonly name: string;
  /** As it was typed. */
  readonly rawName: string;
  readonly value: string | undefined;
  /** Whether the value came in the same word. */
  readonly inlineValue: boolean | undefined;
}

function optionValue(
  { name, rawName, value, inlineValue }: OptionToken,
  options: readonly OptionSpec[],
): string | true {
  const option = options.find((known) => known.name === name);
  if (option === undefined) throw unknownOption(rawName, name, options);
  if (option.value === undefined) {
    if (value !== undefined) throw usageError(`${rawName} takes no value, got ${JSON.stringify(value)}`);
    return true;
  }
  // What looks like an option behind one that wants a value: the value was forgotten. `--name=-x` says it was meant.
  const isForgotten = value === undefined || (inlineValue !== true && /^-./.test(value));
  if (isForgotten) throw usageError(`${rawName} wants a value: ${rawName} <${option.value}>`);
  return value;
}

function unknownOption(typed: string, name: string, options: readonly OptionSpec[]): Error {
  const near = typed.startsWith("--")
    ? closestName(
        name,
        options.map((option) => option.name),
      )
    : undefined;
  return usageError(`there is no option ${typed}${near === undefined ? "" : `; did you mean --${near}?`}`);
}

function checkOperands(given: readonly string[], verb: Verb): void {
  const missing = verb.operands[given.length];
  if (missing !== undefined) throw usageError(`<${missing.name}> is missing: ${missing.meaning}`);
  const extra = given[verb.operands.length];
  if (extra !== undefined) {
    throw usageError(
      `${JSON.stringify(extra)} is one word too many: ${verb.name} takes ${verb.operands.map((operand) => `<${operand.name}>`).join(" ")}`,
    );
  }
  // "" would mean the current directory: the usual cause is a variable that is not set.
  const empty = given.indexOf("");
  if (empty !== -1) throw usageError(`<${verb.operands[empty]?.name ?? "?"}> is empty: is a variable not set?`);
}

function toParseArgs(options: readonly OptionSpec[]): NonNullable<ParseArgsConfig["options"]> {
  return Object.fromEntries(
    options.map(({ name, short, value }) => [
      name,
      { type: value === undefined ? "boolean" : "string", ...(short === undefined ? {} : { short }) } as const,
    ]),
  );
}

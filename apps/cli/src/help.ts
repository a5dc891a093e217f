/** The help texts, from the verbs' own declarations. Pure. */
import { commonOptions, type Example, type OptionSpec, type Verb } from "./verb.ts";

/** What `varve --help` prints. */
export function generalHelp(verbs: readonly Verb[]): string {
  return [
    "varve <verb> <dir> [options]: append-only logs on local disk",
    "",
    ...columns(verbs.map((verb) => [verb.name, verb.summary])),
    "",
    "Everywhere:",
    ...columns([...commonOptions.map(optionRow), ["    --version", "the version of this command"]]),
    "",
    "varve <verb> --help shows its options and examples.",
    "",
  ].join("\n");
}

/** What `varve <verb> --help` prints. */
export function verbHelp(verb: Verb): string {
  const operands = verb.operands.map((operand) => ` <${operand.name}>`).join("");
  return [
    `varve ${verb.name}${operands} [options]: ${verb.summary}`,
    "",
    ...columns(verb.operands.map((operand) => [`<${operand.name}>`, operand.meaning])),
    "",
    ...columns([...verb.options, ...commonOptions].map(optionRow)),
    ...verb.notes.flatMap((note) => ["", ...wrap(note, 100)]),
    "",
    "Examples:",
    ...verb.examples.flatMap(exampleLines),
    "",
  ].join("\n");
}

function optionRow(option: OptionSpec): [string, string] {
  const short = option.short === undefined ? "    " : `-${option.short}, `;
  return [`${short}--${option.name}${option.value === undefined ? "" : ` <${option.value}>`}`, option.meaning];
}

function exampleLines({ does, command }: Example): string[] {
  return [`  # ${does}`, `  ${command}`];
}

/** Two columns; a meaning that is too long for its line goes on below itself. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.flatMap(([left, right]) =>
    wrap(right, 96 - width).map((line, index) => `  ${(index === 0 ? left : "").padEnd(width)}  ${line}`),
  );
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

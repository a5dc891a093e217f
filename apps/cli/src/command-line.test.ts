/**
 * Goal: no word of the command line is guessed at or ignored.
 * Method: tables of words over a made-up verb, and the declarations of the real ones.
 */
import { describe, expect, test } from "vitest";
import { parseArguments } from "./arguments.ts";
import { generalHelp, verbHelp } from "./help.ts";
import { progressBar } from "./process/notes.ts";
import { formatPairs, formatTable } from "./table.ts";
import { commonOptions, type Verb } from "./verb.ts";
import { verbs } from "./verbs.ts";

const verb: Verb = {
  name: "do",
  summary: "do it",
  operands: [{ name: "dir", meaning: "where" }],
  options: [
    { name: "from", value: "ID", meaning: "begin" },
    { name: "lines", short: "n", value: "COUNT", meaning: "how many" },
    { name: "follow", short: "f", meaning: "go on" },
  ],
  notes: [],
  examples: [],
  run: async () => 0,
};

describe("words", () => {
  test.each([
    [["x", "--from", "9007199254740993"], { dir: "x", from: "9007199254740993", follow: false }],
    [["--from=1e3", "1e3"], { dir: "1e3", from: "1e3", follow: false }],
    [["x", "--from=-1"], { dir: "x", from: "-1", follow: false }],
    [["x", "--from", "1", "--from", "2"], { dir: "x", from: "2", follow: false }],
    [["-f", "x", "--from="], { dir: "x", from: "", follow: true }],
    [["--", "--from"], { dir: "--from", from: undefined, follow: false }],
  ])("%j", (words, expected) => {
    const args = parseArguments(words, verb);
    expect({ dir: args.operand("dir"), from: args.text("from"), follow: args.has("follow") }).toEqual(expected);
  });

  test.each([
    [["x", "-n", "5"], "5"],
    [["x", "-n5"], "5"],
    [["x", "-fn5"], "5"],
    [["x", "--lines=5"], "5"],
  ])("%j is how many", (words, count) => {
    expect(parseArguments(words, verb).text("lines")).toBe(count);
  });

  test.each([
    [["x", "--form", "1"], "there is no option --form; did you mean --from?"],
    [["x", "--quux"], "there is no option --quux"],
    [["x", "-q"], "there is no option -q"],
    [["x", "--no-follow"], "there is no option --no-follow"],
    [["x", "--from"], "--from wants a value: --from <ID>"],
    [["x", "--from", "--follow"], "--from wants a value: --from <ID>"],
    [["x", "--follow=yes"], '--follow takes no value, got "yes"'],
    [[], "<dir> is missing: where"],
    [["x", "y"], '"y" is one word too many: do takes <dir>'],
    [[""], "<dir> is empty: is a variable not set?"],
  ])("%j is refused", (words, message) => {
    expect(() => parseArguments(words, verb)).toThrow(expect.objectContaining({ code: "USAGE", message }));
  });

  test("help needs no operands, and a verb may ask only for what it declared", () => {
    const args = parseArguments(["--help"], verb);
    expect(args.has("help")).toBe(true);
    expect(() => args.has("reverse")).toThrow(TypeError);
    expect(() => args.text("reverse")).toThrow(TypeError);
  });
});

describe("help", () => {
  test("the general one lists every verb", () => {
    const text = generalHelp(verbs);
    for (const { name, summary } of verbs) expect(text).toContain(`${name.padEnd(8)}  ${summary}`);
  });

  test.each(verbs.map((each) => [each.name, each] as const))(
    "%s: options, examples, no line too long",
    (name, each) => {
      const text = verbHelp(each);
      for (const option of [...each.options, ...commonOptions]) expect(text).toContain(`--${option.name}`);
      expect(each.examples.length).toBeGreaterThan(0);
      for (const { command } of each.examples) expect(text).toContain(`  ${command}\n`);
      expect(each.examples.some(({ command }) => command.includes(`varve ${name}`))).toBe(true);
      const prose = text.slice(0, text.indexOf("Examples:"));
      for (const line of prose.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    },
  );

  test("a verb's options do not take names that all verbs have", () => {
    for (const { options } of verbs) {
      const names = [...options, ...commonOptions].flatMap(({ name, short }) =>
        short === undefined ? [name] : [name, short],
      );
      expect(new Set(names).size).toBe(names.length);
    }
  });
});

test("tables line up", () => {
  expect(
    formatTable(
      [{ title: "N", align: "right" }, { title: "NAME" }, { title: "X" }],
      [
        ["1", "one", ""],
        ["10", "ten", "y"],
      ],
    ),
  ).toEqual([" N  NAME  X", " 1  one", "10  ten   y"]);
  expect(
    formatPairs([
      ["a", "1"],
      ["long", "2"],
    ]),
  ).toEqual(["a     1", "long  2"]);
});

test("a progress bar never claims more than there is", () => {
  expect(progressBar(0, 10)).toBe("[....................]   0%");
  expect(progressBar(999, 1000)).toBe("[###################.]  99%");
  expect(progressBar(12, 10)).toBe("[####################] 100%");
  expect(progressBar(0, 0)).toBe("[####################] 100%");
});

// Goal: every option is understood, and everything wrong is named at once. Method: tables.
import { describe, expect, test } from "vitest";
import { helpText, parseOptions } from "./options.ts";

const defaults = { input: undefined, dir: "data", seed: undefined, kills: 3, keep: 1, json: false };

describe("parseOptions", () => {
  test.each([
    [[], defaults],
    [["--once"], defaults],
    [["--input", "a.ndjson", "--json"], { ...defaults, input: "a.ndjson", json: true }],
    [["--input", "-"], { ...defaults, input: "-" }],
    [["--input=a=b", "--dir=/tmp/x"], { ...defaults, input: "a=b", dir: "/tmp/x" }],
    [["--seed", "0", "--kills", "20", "--keep", "1000"], { ...defaults, seed: 0, kills: 20, keep: 1000 }],
    [["--seed=4294967295"], { ...defaults, seed: 2 ** 32 - 1 }],
  ])("%j", (args, options) => {
    expect(parseOptions(args)).toEqual({ kind: "run", options });
  });

  test.each([[["--help"]], [["-h"]], [["--once", "--help"]]])("%j asks for help", (args) => {
    expect(parseOptions(args)).toEqual({ kind: "help" });
  });

  test.each([
    [["--sed", "7"], "--sed: no such option"],
    [["file.ndjson"], "file.ndjson: no such option"],
    [["--once=yes"], "--once: takes no value"],
    [["--input"], "--input: wants a value"],
    [["--dir="], "--dir: wants a value"],
    [["--seed", "1", "--seed", "2"], "--seed: given twice"],
    [["--seed", "-1"], '--seed: got "-1"'],
    [["--seed", "4294967296"], "--seed: got"],
    [["--kills", "0"], "want a whole number in 1..20"],
    [["--kills", "1e1"], "want a whole number in 1..20"],
    [["--keep", "0"], "want a whole number in 1..1000"],
    [["--input", "a\0b"], "--input: a path has no NUL"],
  ])("%j is refused", (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });

  test("names everything that is wrong at once", () => {
    expect(() => parseOptions(["--what", "--kills", "99"])).toThrow(/--what.*\n--kills/);
  });

  test("the help names every option", () => {
    for (const name of ["--input", "--dir", "--seed", "--kills", "--keep", "--once", "--json", "--help"]) {
      expect(helpText).toContain(`  ${name} `);
    }
  });
});

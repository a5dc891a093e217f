/**
 * Goal: help, versions and mistakes: the right stream, the right exit code, the next step, no stack trace.
 * Method: the words that people type; the built command once for each kind.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bash, jsonError, newLog, spawned, text, varve } from "./varve.ts";

const verbs = ["append", "cat", "tail", "get", "stat", "segments", "verify", "repair"];

describe("help", () => {
  test.each([["--help"], ["-h"], ["help"]])("%s lists the verbs on stdout", async (word) => {
    const help = await text([word]);
    for (const verb of verbs) expect(help).toMatch(new RegExp(`^  ${verb} `, "m"));
  });

  test.each(verbs)("%s --help shows options and examples, whatever else is missing", async (verb) => {
    const help = await text([verb, "--help"]);
    expect(help).toMatch(new RegExp(`^varve ${verb} <dir>`));
    expect(help).toContain("--json");
    expect(help).toMatch(/\nExamples:\n {2}# .+\n {2}\S/);
    expect(await text(["help", verb])).toBe(help);
  });
});

test.each([["--version"], ["-v"]])("%s", async (word) => {
  expect(await text([word])).toBe("varve 1.2.3\n");
  expect(JSON.parse(await text(["--json", word]))).toEqual({ version: "1.2.3" });
});

test("the built command agrees, and its version is the package's", async () => {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  const [versions, help, mistake] = await Promise.all([
    spawned(["--version"]),
    spawned(["cat", "--help"]),
    spawned(["apend"]),
  ]);
  expect(versions).toMatchObject({ code: 0, stderr: "" });
  expect(versions.stdout.toString()).toBe(`varve ${version}\n`);
  expect(help).toMatchObject({ code: 0, stderr: "" });
  expect(help.stdout.toString()).toBe(await text(["cat", "--help"]));
  expect(mistake).toMatchObject({ code: 1, stderr: (await varve(["apend"])).stderr });
});

describe("mistakes end with 1 and say what was meant", () => {
  test.each([
    [[], "a verb is missing"],
    [["apend", "x"], "did you mean append?"],
    [["frobnicate"], "there are append, cat"],
    [["--from", "1", "cat", "x"], "--from stands before the verb"],
    [["cat"], "<dir> is missing"],
    [["cat", ""], "<dir> is empty"],
    [["cat", "x", "y"], '"y" is one word too many'],
    [["cat", "x", "--form", "1"], "did you mean --from?"],
    [["help", "apend"], "did you mean append?"],
  ])("%j", async (words, message) => {
    const { code, stdout, stderr } = await varve(words);
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/\nNext: See varve .*--help\n$/);
  });

  test("as JSON too", async () => {
    const { code, stderr } = await varve(["apend", "--json"]);
    expect(code).toBe(1);
    expect(jsonError(stderr)).toEqual({
      code: "USAGE",
      message: 'there is no verb "apend"; did you mean append?',
      hint: "See varve --help",
      exitCode: 1,
    });
  });
});

test("a stack trace only when it is asked for", async () => {
  const log = await newLog();
  const [plain, debug] = await Promise.all([varve(["cat", log]), bash('VARVE_DEBUG=1 varve cat "$1"', log)]);
  expect([plain.code, debug.code]).toEqual([2, 2]);
  expect(plain.stderr).not.toContain("    at ");
  expect(debug.stderr).toContain("    at ");
});

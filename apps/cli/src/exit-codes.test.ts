/**
 * Goal: every failure has one exit code, the documented one, and a next step where somebody can say one.
 * Method: the tables of the log's codes and of the README, compared with the code.
 */
import { readFileSync } from "node:fs";
import { AofError, aofErrorCodes } from "@varve/aof";
import { describe, expect, test } from "vitest";
import { CliError } from "./cli-error.ts";
import { cliErrorCodes, exitCode, exitCodeOf, exitCodeOfSignal, type FailureCode } from "./exit-codes.ts";
import { failureJson, failureText, toFailure } from "./failure.ts";
import { shellWord } from "./next-step.ts";

const every: readonly FailureCode[] = [...aofErrorCodes, ...cliErrorCodes];

test.each([
  ["USAGE", 1],
  ["CUT_FRAME", 1],
  ["NOT_CONFIRMED", 1],
  ["SEGMENT_FULL", 1],
  ["INVALID_SETTINGS", 1],
  ["NOT_FOUND", 2],
  ["NOT_A_LOG", 2],
  ["NO_SUCH_RECORD", 2],
  ["RECORD_TRIMMED", 2],
  ["FORMAT_TOO_NEW", 3],
  ["UNSUPPORTED", 3],
  ["NO_SPACE", 4],
  ["PERMISSION_DENIED", 4],
  ["IO", 4],
  ["INPUT", 4],
  ["OUTPUT", 4],
  ["CORRUPTED_RECORD", 5],
  ["CORRUPTED_SEGMENT", 5],
  ["CORRUPTED_MANIFEST", 5],
  ["LOCKED", 6],
  ["FENCED", 6],
  ["INTERNAL", 7],
  ["CLOSED", 7],
] as const)("%s ends with %d", (code, expected) => {
  expect(exitCodeOf(code)).toBe(expected);
});

test("every code of the log and of the command has an exit code, and none of them is success", () => {
  const failures: readonly number[] = Object.values(exitCode).filter((code) => code !== exitCode.ok);
  for (const code of every) expect(failures, code).toContain(exitCodeOf(code));
});

test("signals end as shells expect", () => {
  expect([exitCodeOfSignal("SIGHUP"), exitCodeOfSignal("SIGINT"), exitCodeOfSignal("SIGTERM")]).toEqual([
    129, 130, 143,
  ]);
});

test("the README's table names each exit code once", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const documented = [...readme.matchAll(/^\| (\d) \| /gm)].map((match) => Number(match[1]));
  expect(documented).toEqual(Object.values(exitCode));
});

describe("a failure", () => {
  test("of the log keeps where and what, and says the next step", () => {
    const error = new AofError("CORRUPTED_RECORD", "record 7 is damaged", {
      path: "segment.log",
      segmentId: 1,
      offset: 64,
      recordId: 7,
    });
    const failure = toFailure(error, { verb: "cat", dir: "my log" });
    expect(failure).toEqual({
      code: "CORRUPTED_RECORD",
      message: "record 7 is damaged",
      hint: "varve verify 'my log' lists the damage.",
      dir: "my log",
      path: "segment.log",
      segmentId: 1,
      offset: 64,
      recordId: 7,
      exitCode: 5,
    });
    expect(JSON.parse(failureJson(failure))).toEqual({ error: failure });
    expect(failureText(failure, "cat")).toBe(
      "varve cat my log: record 7 is damaged [CORRUPTED_RECORD]\nNext: varve verify 'my log' lists the damage.\n",
    );
  });

  test("that stands for an earlier one reports that one", () => {
    const first = new AofError("NO_SPACE", "the disk is full");
    const poisoned = new AofError("POISONED", "an earlier write failed", {
      cause: new AofError("APPEND_TO_NEW_SEGMENT_FAILED", "x", { cause: first }),
    });
    expect(toFailure(poisoned, {})).toMatchObject({ code: "NO_SPACE", message: "the disk is full", exitCode: 4 });
    expect(toFailure(new AofError("POISONED", "no cause"), {})).toMatchObject({ code: "POISONED", exitCode: 4 });
  });

  test("that is nobody's is a defect", () => {
    expect(toFailure(new TypeError("oops"), {})).toMatchObject({
      code: "INTERNAL",
      exitCode: 7,
      message: expect.stringContaining("oops"),
    });
    expect(toFailure("text", {})).toMatchObject({ code: "INTERNAL", message: expect.stringContaining("text") });
  });

  test("may bring its own next step and its place in the input", () => {
    const failure = toFailure(new CliError("SEGMENT_FULL", "line 3 is too long", { line: 3, hint: "Cut it." }), {
      verb: "append",
    });
    expect(failure).toMatchObject({ line: 3, hint: "Cut it.", exitCode: 1 });
  });
});

test("a directory in a suggested command is one word, whatever is in it", () => {
  expect(["logs/a", "my log", "it's", "", "$(rm)", "-x"].map(shellWord)).toEqual([
    "logs/a",
    "'my log'",
    `'it'\\''s'`,
    "''",
    "'$(rm)'",
    "-x",
  ]);
});

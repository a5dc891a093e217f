// Goal: a mistyped name finds the one that was meant, and a foreign one none.
// Method: a table.
import { expect, test } from "vitest";
import { closestName } from "./closest-name.ts";

const names = [
  "append",
  "cat",
  "tail",
  "get",
  "stat",
  "segments",
  "verify",
  "repair",
  "secretAccessKey",
  "forcePathStyle",
];

test.each([
  ["apend", "append"],
  ["APPEND", "append"],
  ["seg", "segments"],
  ["verfiy", "verify"],
  ["tial", "tail"],
  ["cta", "cat"],
  ["stats", "stat"],
  ["secretaccesskey", "secretAccessKey"],
  ["forcePathstile", "forcePathStyle"],
  ["frobnicate", undefined],
  ["x", undefined],
  ["", undefined],
])("%s: %s", (typed, expected) => {
  expect(closestName(typed, names)).toBe(expected);
});

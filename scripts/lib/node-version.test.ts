// Which versions pass as new enough.
import { expect, test } from "vitest";
import { isAtLeast } from "./node-version.mjs";

test.for([
  ["v22.15.0", true],
  ["22.15.1", true],
  ["v22.16.0", true],
  ["v24.0.0", true],
  ["v22.15.0-nightly2025", true],
  ["v22.14.9", false],
  ["v22.9.0", false],
  ["v20.20.2", false],
  ["v9.99.99", false],
] as const)("%s is at least 22.15.0: %s", ([version, expected]) => {
  expect(isAtLeast(version, "22.15.0")).toBe(expected);
});

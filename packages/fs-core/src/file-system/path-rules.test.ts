/**
 * Goal: hostile paths are recognised from their text, legal ones pass, and messages about them are harmless.
 * Method: the suite's two tables, and properties.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hostilePaths, unusualNames } from "../testing/conformance/path-checks.ts";
import {
  baseName,
  joinPath,
  maxPartBytes,
  maxPathBytes,
  parentPath,
  pathParts,
  pathProblem,
  quotePath,
} from "./path-rules.ts";

test.each([...hostilePaths])("%j is refused, alone and inside a path", (path) => {
  expect(pathProblem(path)).toBeTypeOf("string");
  expect(pathProblem(`good/${path}/good`)).toBeTypeOf("string");
  expect(() => pathParts(path, "open")).toThrow(
    expect.objectContaining({ code: "INVALID_PATH", operation: "open", path }),
  );
});

test.each([...unusualNames])("%j is accepted", (name) => {
  expect(pathProblem(name)).toBeUndefined();
  expect(pathParts(`d/${name}`, "open")).toEqual(["d", name]);
});

test("the limits are reached exactly", () => {
  expect(pathProblem("x".repeat(maxPartBytes))).toBeUndefined();
  expect(pathProblem("x".repeat(maxPartBytes + 1))).toContain("255 bytes");
  const long = `${"ab/".repeat(300)}`.slice(0, maxPathBytes);
  expect(Buffer.byteLength(long)).toBe(maxPathBytes);
  expect(pathProblem(`${long.slice(0, -1)}x`)).toBeUndefined();
  expect(pathProblem(`${long}x`)).toContain(`${maxPathBytes} bytes`);
});

test("the root has no parts", () => {
  expect(pathParts("", "open")).toEqual([]);
  expect(pathProblem("")).toBeUndefined();
});

test("an accepted path never leaves the root and means one thing", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", ".", "/", "\\", "\0", " ", ":", "é", "\ud800", "-") }),
      (path) => {
        if (pathProblem(path) !== undefined) return;
        const parts = pathParts(path, "open");
        expect(parts.join("/")).toBe(path);
        for (const part of parts) expect(part).not.toMatch(/^(\.{0,2}|.*[\\:\0].*|.*[ .])$/s);
      },
    ),
  );
});

describe("pieces of paths", () => {
  test("come apart and go together", () => {
    expect([parentPath("a/b/c"), parentPath("a"), parentPath("")]).toEqual(["a/b", "", ""]);
    expect([baseName("a/b/c"), baseName("a"), baseName("")]).toEqual(["c", "a", ""]);
    expect([joinPath("", "a"), joinPath("a/b", "c")]).toEqual(["a", "a/b/c"]);
  });
});

test("a quoted path cannot forge a line of a log or flood it", () => {
  expect(quotePath("a\nFATAL: all lost\u001b[31m")).toBe('"a\\nFATAL: all lost\\u001b[31m"');
  expect(quotePath("x".repeat(10_000)).length).toBeLessThan(130);
  expect(quotePath(undefined)).toBe('"undefined"');
});

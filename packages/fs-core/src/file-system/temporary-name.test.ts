/** Goal: temporary names are built and recognised as a pair. Method: properties, and names that only look alike. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { maxPartBytes, pathProblem } from "./path-rules.ts";
import { maxTemporaryTargetBytes, parseTemporaryName, temporaryName } from "./temporary-name.ts";

test("what was built is parsed", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(".", "a", "0", "tmp", "é", "\n", "😀"), minLength: 1 }),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      (name, token) => {
        expect(parseTemporaryName(temporaryName(name, token))).toEqual({ name, token });
      },
    ),
  );
});

test("has the documented form", () => {
  expect(temporaryName("MANIFEST", 0xabcn)).toBe(".MANIFEST.0000000000000abc.tmp");
});

test("of the longest target is the longest legal name", () => {
  const name = temporaryName("x".repeat(maxTemporaryTargetBytes), 0n);
  expect(name.length).toBe(maxPartBytes);
  expect(pathProblem(name)).toBeUndefined();
});

test.each([
  "MANIFEST",
  "MANIFEST.tmp",
  ".MANIFEST.tmp",
  "MANIFEST.0000000000000abc.tmp",
  ".MANIFEST.0000000000000ABC.tmp",
  ".MANIFEST.000000000000abc.tmp",
  ".MANIFEST.00000000000000abc.tmp",
  ".MANIFEST.0000000000000abc.tmp~",
  "..0000000000000abc.tmp",
])("%s is somebody else's", (name) => {
  expect(parseTemporaryName(name)).toBeUndefined();
});

// Which blocks of a README count as examples to run.
import { expect, test } from "vitest";
import { extractExamples } from "./examples.ts";

test("takes blocks marked ts run, and no others", () => {
  const text =
    "# A\n```ts run\nfirst();\n```\n```ts\nno();\n```\n```sh\nno\n```\n```ts run\nsecond();\n\nthird();\n```\n";
  expect(extractExamples(text)).toEqual([
    { line: 2, code: "first();\n" },
    { line: 11, code: "second();\n\nthird();\n" },
  ]);
});

test("a longer fence holds shorter ones as text", () => {
  expect(extractExamples("````md\n```ts run\nno();\n```\n````\n")).toEqual([]);
});

test("an open fence is an error, not an example less", () => {
  expect(() => extractExamples("```ts run\nf();\n")).toThrow("line 1 never closes");
});

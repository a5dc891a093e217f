// The numbers of the closing line, from modules as vitest reports them.
import { expect, test } from "vitest";
import type { TestModule } from "vitest/node";
import { countTests } from "./test-counts.ts";

/** As much of a module as the counting looks at. */
function moduleOf(state: string, ...tests: string[]): TestModule {
  const children = { allTests: () => tests.map((name) => ({ result: () => ({ state: name }) })) };
  return { state: () => state, children } as unknown as TestModule;
}

test("counts tests by result", () => {
  const modules = [moduleOf("passed", "passed", "skipped"), moduleOf("failed", "passed", "failed", "failed")];
  expect(countTests(modules, 0)).toEqual({ passed: 2, failed: 2, skipped: 1 });
});

test("a file that could not be loaded is a failure of its own", () => {
  expect(countTests([moduleOf("failed")], 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test("so is an error outside of any test", () => {
  expect(countTests([moduleOf("passed", "passed")], 2)).toEqual({ passed: 1, failed: 2, skipped: 0 });
});

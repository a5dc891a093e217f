// What the tools print must not be mistaken: no verdict, or a verdict that the exit code denies, is a failure.
import { describe, expect, it } from "vitest";
import { countsOf, failureLines, runTool } from "./run-tool.ts";

const printing = (text: string, code: number): string => `sh -c 'printf "${text}"; exit ${code}'`;

describe("runTool", () => {
  it("passes on a verdict and its exit code", async () => {
    expect(await runTool(printing("7 runs\\nRESULT: PASS\\n", 0))).toEqual({
      passed: true,
      counts: { runs: 7 },
      failures: [],
    });
  });

  it("reports what failed in the tool's words", async () => {
    const result = await runTool(printing("RESULT: FAIL\\n - LOST_ACKED: 3 states\\n     first: 1:a\\n", 1));
    expect(result).toEqual({ passed: false, counts: {}, failures: ["- LOST_ACKED: 3 states first: 1:a"] });
  });

  it.each([
    ["RESULT: PASS\\n", 1, "the tool ended with 1 and PASS"],
    ["RESULT: FAIL\\n", 0, "the tool ended with 0 and FAIL"],
    ["all is well\\n", 0, "the tool ended with 0 and no verdict: all is well"],
    ["model check: DIFFERS from the live directory in a\\nRESULT: PASS\\n", 0, "model check: DIFFERS"],
  ])("does not believe %j with exit code %i", async (text, code, failure) => {
    const result = await runTool(printing(text, code));
    expect(result.passed).toBe(false);
    expect(result.failures.join()).toContain(failure);
  });
});

it("believes a replay that differs in lmdb's table of readers only", async () => {
  const text = (files: string): string =>
    `model check: DIFFERS from the live directory in ${files} (mmap stores or an unhooked call?)\\nRESULT: PASS\\n`;
  expect((await runTool(printing(text("index/lock.mdb"), 0))).passed).toBe(true);
  expect((await runTool(printing(text("index/lock.mdb, MANIFEST"), 0))).passed).toBe(false);
});

describe("what the tools print", () => {
  it("is counted under one name for each thing", () => {
    expect(countsOf('totals: {"states":12,"distinct":5}\n')).toEqual({ states: 12, distinct: 5 });
    expect(countsOf('{"rounds":3,"kills":2,"terms":1,"rivals":1,"verifierKills":0,"acked":9}\n')).toEqual({
      rounds: 3,
      kills: 2,
      terms: 1,
      rivals: 1,
      verifierKills: 0,
    });
    expect(countsOf("40 damaged copies; slowest answer 3 ms; peak memory 90 MiB\n")).toEqual({
      copies: 40,
      peakMiB: 90,
    });
  });

  it("names failures of every round", () => {
    expect(failureLines("FAIL round 2: HOLE: x\nother\nFAIL round 3: HOLE: y\n")).toHaveLength(2);
  });
});

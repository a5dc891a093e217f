// Goal: the text says what was found, failures above all. Method: small made-up results.
import { describe, expect, test } from "vitest";
import { check, type Check } from "./checks.ts";
import type { InputSummary } from "./dataset.ts";
import type { FinishReport } from "./finish.ts";
import { plainPaint, renderChecks, renderEnd, renderSegments, renderStart, titledChecks } from "./report.ts";

const input: InputSummary = {
  name: "x.ndjson",
  records: 3,
  bytes: 30,
  longestBytes: 12,
  blankLines: 0,
  badJsonLines: 0,
  firstBadJsonLine: undefined,
};

const good: Check = check("kept", 2000, "acknowledged records", []);
const bad: Check = check(
  "content",
  2000,
  "records",
  Array.from({ length: 7 }, (_, index) => ({
    where: "after kill 2",
    id: index + 1,
    expected: '3 bytes "one"',
    got: '3 bytes "onE"',
  })),
);

describe("the start", () => {
  test("names lines that are not JSON and lines that are blank, only when there are any", () => {
    expect(renderStart(7, "data/ingest-0001", input, plainPaint).join("\n")).not.toMatch(/JSON|blank/);
    const odd = { ...input, blankLines: 1, badJsonLines: 1, firstBadJsonLine: 3 };
    expect(renderStart(7, "data/ingest-0001", odd, plainPaint).join("\n")).toMatch(
      /1 line is not JSON \(the first: line 3\)[^]*1 blank line left out/,
    );
  });
});

describe("the checks", () => {
  test("each say how much was compared", () => {
    expect(renderChecks([good], plainPaint)).toEqual([
      "",
      "✓ nothing acknowledged is missing  2,000 acknowledged records",
      "",
    ]);
  });

  test("that failed say where, which record, what was expected and what came, and how many more there are", () => {
    const text = renderChecks([good, bad], plainPaint).join("\n");
    expect(text).toContain("7 WRONG of 2,000 records");
    expect(text).toContain('    after kill 2, record 1:\n      expected 3 bytes "one"\n      got      3 bytes "onE"');
    expect(text).toContain("and 2 more");
    expect(text.match(/✓/g)).toHaveLength(1);
    expect(text.match(/✗/g)).toHaveLength(1);
  });

  test("that had nothing to compare are not ticked", () => {
    expect(renderChecks([check("kept", 0, "acknowledged records", [])], plainPaint)[1]).toMatch(/^– /);
  });
});

describe("the end", () => {
  const report = (checks: readonly Check[]): string =>
    renderEnd(
      { ok: true, dir: "data/ingest-0001", seed: 7, elapsedUs: 2e6, checks: titledChecks(checks) } as never,
      plainPaint,
    ).join("\n");

  test("of a good run says where the log is", () => {
    expect(report([good])).toContain("All 1 checks passed in 2.00 s. The log stays in data/ingest-0001/log");
  });

  test("of a bad run shouts, and says what is kept and how to repeat it", () => {
    const text = report([good, bad]);
    expect(text).toContain("1 of 2 CHECKS FAILED");
    expect(text).toContain("Everything is kept in data/ingest-0001");
    expect(text).toContain("--seed 7");
  });
});

describe("the segments", () => {
  const finish = (segments: number): FinishReport =>
    ({
      segments: Array.from({ length: segments }, (_, index) => ({
        baseId: index * 10 + 1,
        lastId: index * 10 + 10,
        recordCount: 10,
        status: "finalized",
        path: `segment_${index + 1}.log`,
        dataBytes: 100,
        fileBytes: 120,
      })),
    }) as never;

  test("are all shown when there are few, the first and the last when there are many", () => {
    expect(renderSegments(finish(13), plainPaint)).toHaveLength(14);
    const many = renderSegments(finish(1000), plainPaint);
    expect(many).toHaveLength(14);
    expect(many.join("\n")).toMatch(/segment_6\.log\n\s+… 988 more …\n.*segment_995\.log/);
    expect(renderSegments(finish(0), plainPaint).join()).toContain("the log is empty");
  });
});

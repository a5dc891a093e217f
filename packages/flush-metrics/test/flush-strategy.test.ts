// Goal: a strategy that breaks rules is refused with all of them named, and one that passes is complete and frozen.
// Method: table of inputs as they come from files (wrong types included); the text form round-trips by property.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  defaultFlushStrategy,
  type FlushStrategy,
  formatFlushStrategy,
  parseFlushStrategy,
  resolveFlushStrategy,
} from "../src/index.ts";
import { seed } from "./support.ts";

function problemsOf(input: unknown, name?: string): string[] {
  const problems: string[] = [];
  resolveFlushStrategy(input as FlushStrategy, problems, name);
  return problems;
}

describe("resolveFlushStrategy", () => {
  test("the default is 100 records or one second", () => {
    expect(resolveFlushStrategy(undefined)).toEqual({ kind: "batched-or-periodic", batchSize: 100, intervalMs: 1000 });
    expect(resolveFlushStrategy(undefined)).toBe(defaultFlushStrategy);
  });

  test("fills in what was left out and freezes a copy", () => {
    const input = { kind: "async" } as const;
    const resolved = resolveFlushStrategy(input);
    expect(resolved).toEqual({ kind: "async", maxPendingBytes: 4 * 2 ** 20 });
    expect(Object.isFrozen(resolved)).toBe(true);
    expect(Object.isFrozen(input)).toBe(false);
    expect(resolveFlushStrategy({ kind: "periodic", intervalMs: 5 })).toHaveProperty("maxBytes", undefined);
  });

  test("is idempotent", () => {
    for (const text of ["sync", "async@9", "batched:3", "periodic:7@8", "batched-or-periodic:1:2@3"]) {
      const once = parseFlushStrategy(text);
      expect(resolveFlushStrategy(once)).toEqual(once);
    }
  });

  test("names every broken rule at once", () => {
    const bad = { kind: "batched-or-periodic", batchSize: 0, intervalMs: 2 ** 31, maxBytes: 1.5, batchsize: 7 };
    expect(problemsOf(bad)).toEqual([
      "flushStrategy.batchSize: got 0, want an integer in 1..2147483647",
      "flushStrategy.intervalMs: got 2147483648, want an integer in 1..2147483647",
      "flushStrategy.maxBytes: got 1.5, want an integer in 1..9007199254740991",
      'flushStrategy.batchsize: not a setting of "batched-or-periodic", which has kind, batchSize, intervalMs, maxBytes',
    ]);
    expect(() => resolveFlushStrategy(bad as unknown as FlushStrategy)).toThrow(
      new RangeError(problemsOf(bad).join("\n")),
    );
  });

  test("adds to the owner's problems and uses the owner's name", () => {
    const problems = ["segmentBytes: too small"];
    resolveFlushStrategy({ kind: "batched", batchSize: -1 }, problems, "flush");
    expect(problems).toEqual(["segmentBytes: too small", "flush.batchSize: got -1, want an integer in 1..2147483647"]);
  });

  test.each([
    ["a string", "sync"],
    ["null", null],
    ["no kind", {}],
    ["an unknown kind", { kind: "sometimes" }],
    ["a name every object has", { kind: "toString" }],
    ["a missing bound", { kind: "batched" }],
    ["a bound as text", { kind: "batched", batchSize: "100" }],
    ["not a number", { kind: "periodic", intervalMs: Number.NaN }],
    ["endless", { kind: "periodic", intervalMs: Number.POSITIVE_INFINITY }],
    ["null for a bound", { kind: "async", maxPendingBytes: null }],
    ["a bound that the kind does not have", { kind: "sync", batchSize: 5 }],
    ["the other kind's byte bound", { kind: "async", maxBytes: 5 }],
  ])("refuses %s", (_, input) => {
    expect(problemsOf(input)).toHaveLength(1);
  });

  test("the edges of each range are inside", () => {
    expect(problemsOf({ kind: "batched-or-periodic", batchSize: 1, intervalMs: 1, maxBytes: 1 })).toEqual([]);
    expect(problemsOf({ kind: "batched", batchSize: 2 ** 31 - 1, maxBytes: Number.MAX_SAFE_INTEGER })).toEqual([]);
    expect(problemsOf({ kind: "periodic", intervalMs: 2 ** 31 - 1 })).toEqual([]);
  });
});

const bound = fc.option(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), { nil: undefined });
const small = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const anyStrategy: fc.Arbitrary<FlushStrategy> = fc.oneof(
  fc.constant({ kind: "sync" } as const),
  fc.record({ kind: fc.constant("async" as const), maxPendingBytes: bound }),
  fc.record({ kind: fc.constant("batched" as const), batchSize: small, maxBytes: bound }),
  fc.record({ kind: fc.constant("periodic" as const), intervalMs: small, maxBytes: bound }),
  fc.record({
    kind: fc.constant("batched-or-periodic" as const),
    batchSize: small,
    intervalMs: small,
    maxBytes: bound,
  }),
);

describe("the text form", () => {
  test("what is written is read back as the same strategy", () => {
    fc.assert(
      fc.property(anyStrategy, (strategy) => {
        expect(parseFlushStrategy(formatFlushStrategy(strategy))).toEqual(resolveFlushStrategy(strategy));
      }),
      { seed },
    );
  });

  test.each([
    ["sync", { kind: "sync" }],
    ["async", { kind: "async", maxPendingBytes: 4 * 2 ** 20 }],
    ["async@1", { kind: "async", maxPendingBytes: 1 }],
    ["batched:100", { kind: "batched", batchSize: 100 }],
    ["periodic:250", { kind: "periodic", intervalMs: 250 }],
    ["batched-or-periodic:100:1000", { kind: "batched-or-periodic", batchSize: 100, intervalMs: 1000 }],
    ["batched:100@4096", { kind: "batched", batchSize: 100, maxBytes: 4096 }],
  ])("%s", (text, strategy) => {
    expect(parseFlushStrategy(text)).toEqual(strategy);
    expect(formatFlushStrategy(strategy as FlushStrategy)).toBe(text);
  });

  test.each([
    "",
    "Sync",
    "sync:1",
    "sync@1",
    "async:5",
    "batched",
    "batched:",
    "batched:0",
    "batched:-1",
    "batched:1.5",
    "batched:1e3",
    "batched:1:2",
    "batched:9999999999",
    "batched:99999999999999999999",
    "batched: 1",
    "batched:1 ",
    "batched:1@",
    "batched:1@0",
    "batched:1@9007199254740993",
    "periodic:",
    "batched-or-periodic:1",
    "batched-or-periodic:1:2:3",
    "toString",
    "batched:1\n",
  ])("refuses %j", (text) => {
    expect(() => parseFlushStrategy(text)).toThrow(RangeError);
  });

  test("a refusal says what is accepted", () => {
    expect(() => parseFlushStrategy("often")).toThrow(/got "often", want sync \| async\[@BYTES\] \| batched:RECORDS/);
  });

  test("a broken strategy cannot be written", () => {
    expect(() => formatFlushStrategy({ kind: "batched", batchSize: 0 })).toThrow(RangeError);
  });
});

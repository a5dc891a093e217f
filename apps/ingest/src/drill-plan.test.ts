// Goal: every plan can be carried out, is repeatable, and leaves work for the end. Method: properties, seeds printed by fast-check.
import { resolveAofSettings } from "@varve/aof";
import { SeededRandom } from "@varve/fs-core/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planKills, sizeLog, strategies } from "./drill-plan.ts";
import { lineBytesMax } from "./dataset.ts";

const seeds = fc.nat({ max: 2 ** 32 - 1 });
const recordCounts = fc.oneof(fc.nat({ max: 30 }), fc.nat({ max: 10_000_000 }));

describe("planKills", () => {
  test("shares the records out in order, and kills inside each share", () => {
    fc.assert(
      fc.property(recordCounts, fc.integer({ min: 1, max: 20 }), seeds, (records, kills, seed) => {
        const plans = planKills(records, kills, new SeededRandom(seed));
        expect(plans).toHaveLength(kills);
        let begun = 0;
        for (const plan of plans) {
          expect(plan.untilId).toBeGreaterThanOrEqual(begun);
          expect(plan.killAtId).toBeLessThanOrEqual(plan.untilId);
          expect(plan.killAtId > begun || plan.untilId === begun).toBe(true);
          begun = plan.untilId;
        }
        expect(begun).toBeLessThanOrEqual(records);
        expect(begun < records || records <= kills).toBe(true);
      }),
    );
  });

  test("is the same for the same seed, and another for another", () => {
    const plan = (seed: number): string => JSON.stringify(planKills(200_000, 3, new SeededRandom(seed)));
    expect(plan(7)).toBe(plan(7));
    expect(plan(7)).not.toBe(plan(8));
  });

  test("meets every kind of strategy in five kills", () => {
    const kinds = planKills(100, 5, new SeededRandom(1)).map(({ strategy }) => strategy.kind);
    expect(new Set(kinds)).toEqual(new Set(strategies.map(({ kind }) => kind)));
    expect(kinds).toHaveLength(new Set(kinds).size);
  });
});

describe("sizeLog", () => {
  test("always gives settings that a log accepts, with room for the longest record", () => {
    fc.assert(
      fc.property(recordCounts, fc.nat({ max: lineBytesMax }), (records, longestBytes) => {
        const sizing = sizeLog(records, records * longestBytes, longestBytes);
        expect(() => resolveAofSettings({ dir: "x", ...sizing })).not.toThrow();
        expect(sizing.segmentSizeBytes).toBeGreaterThan(longestBytes + 1024);
        expect(sizing.bufferBytes).toBeGreaterThan(longestBytes + 1024);
      }),
    );
  });
});

// Goal: the window knows a key exactly as long as its bounds say, and holds no more than they allow.
// Method: a model that keeps every key for ever, compared after each step of random histories.
import fc from "fast-check";
import { expect, test } from "vitest";
import { DedupeWindow, type KeyedRecords } from "./dedupe-window.ts";

const step = fc.record({
  key: fc.option(fc.integer({ min: 0, max: 12 }), { nil: undefined }),
  count: fc.integer({ min: 1, max: 4 }),
  waitMs: fc.integer({ min: 0, max: 30 }),
});

test("it answers as one that forgets nothing but what is outside of the bounds", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 80 }),
      fc.integer({ min: 1, max: 20 }),
      fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
      (steps, maxRecords, maxAgeMs) => {
        const window = new DedupeWindow({ maxRecords, maxAgeMs });
        const model = new Map<string, KeyedRecords>();
        let lastId = 0;
        let timestampUs = 0;
        const holds = (entry: KeyedRecords | undefined): boolean =>
          entry !== undefined &&
          lastId - entry.lastId < maxRecords &&
          (maxAgeMs === undefined || timestampUs - entry.timestampUs <= maxAgeMs * 1000);
        for (const { key: number, count, waitMs } of steps) {
          timestampUs += waitMs * 1000;
          const key = number === undefined ? undefined : `k${number}`;
          if (key !== undefined) {
            const known = model.get(key);
            expect(window.find(key, lastId, timestampUs)).toEqual(holds(known) ? known : undefined);
            if (holds(known)) continue;
          }
          const records = { firstId: lastId + 1, lastId: lastId + count, timestampUs };
          lastId = records.lastId;
          if (key === undefined) continue;
          window.note(key, records);
          model.set(key, records);
          expect(window.size).toBe([...model.values()].filter(holds).length);
        }
      },
    ),
  );
});

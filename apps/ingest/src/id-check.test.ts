// Goal: the sample is one, and a wrong read is found. Method: properties and a table.
import { SeededRandom } from "@varve/fs-core/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareRead, sampleIds } from "./id-check.ts";

describe("sampleIds", () => {
  test("gives distinct, rising ids that exist; all of them when there are few", () => {
    fc.assert(
      fc.property(fc.nat({ max: 5000 }), fc.nat({ max: 2 ** 32 - 1 }), (records, seed) => {
        const ids = sampleIds(records, 200, new SeededRandom(seed));
        expect(ids).toHaveLength(Math.min(records, 200));
        expect(ids.every((id, index) => id >= 1 && id <= records && id > (ids[index - 1] ?? 0))).toBe(true);
      }),
    );
  });
});

describe("compareRead", () => {
  const payload = Buffer.from("right");

  test("passes what is right", () => {
    expect(compareRead(3, payload, { id: 3, payload: Buffer.from("right") })).toBeUndefined();
    expect(compareRead(4, undefined, undefined)).toBeUndefined();
  });

  test.each([
    ["a missing record", payload, undefined, "no record"],
    ["an invented record", undefined, { id: 3, payload }, 'record 3: 5 bytes "right"'],
    ["another content", payload, { id: 3, payload: Buffer.from("wrong") }, 'record 3: 5 bytes "wrong"'],
    ["another id", payload, { id: 4, payload }, 'record 4: 5 bytes "right"'],
  ])("finds %s", (_, expected, found, got) => {
    expect(compareRead(3, expected, found)).toMatchObject({ id: 3, got });
  });
});

// Goal: the comparison of ranges finds every difference, and the ranges cover the hard places. Method: tables, then properties.
import { SeededRandom } from "@varve/fs-core/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { departureUs, type DatedRecord } from "./dataset.ts";
import { compareRange, expectedRange, timeRanges } from "./time-check.ts";

const flights: DatedRecord[] = [10, 20, 20, 20, 30].map((timestampUs, index) => ({
  timestampUs,
  record: Buffer.from(`flight ${index + 1}`),
}));
const range = { fromUs: 20, untilUs: 30 };
const right = [2, 3, 4, 5].map((id) => ({ id, timestampUs: id === 5 ? 30 : 20, payload: Buffer.from(`flight ${id}`) }));

describe("expectedRange", () => {
  test.each([
    [0, 9, []],
    [0, 10, [1]],
    [11, 19, []],
    [20, 20, [2, 3, 4]],
    [10, 30, [1, 2, 3, 4, 5]],
    [21, 99, [5]],
    [31, 99, []],
    [30, 10, []],
  ])("%i until %i", (fromUs, untilUs, ids) => {
    expect([...expectedRange(flights, { fromUs, untilUs }).keys()]).toEqual(ids);
  });
});

describe("compareRange", () => {
  const compare = (got: typeof right): unknown[] =>
    compareRange(range, expectedRange(flights, range), got).map(({ id }) => id);

  test("finds nothing where nothing is wrong", () => {
    expect(compare(right)).toEqual([]);
  });

  test.each([
    ["a missing first record", right.slice(1), 2],
    ["a missing last record", right.slice(0, 3), 5],
    ["a missing record of several at one time", [right[0], ...right.slice(2)] as typeof right, 3],
    ["a record too many before", [{ id: 1, timestampUs: 10, payload: Buffer.from("flight 1") }, ...right], 2],
    ["a record too many after", [...right, { id: 6, timestampUs: 31, payload: Buffer.from("flight 6") }], 6],
    ["another content", right.map((each) => (each.id === 4 ? { ...each, payload: Buffer.from("flight X") } : each)), 4],
    ["another time", right.map((each) => (each.id === 4 ? { ...each, timestampUs: 21 } : each)), 4],
    ["nothing at all", [], 2],
  ])("finds %s", (_, got, id) => {
    expect(compare(got)).toEqual([id]);
  });
});

describe("timeRanges", () => {
  test("has ranges before, at, between and behind the records, and ones of no length", () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 32 - 1 }), (seed) => {
        const ranges = timeRanges(flights, new SeededRandom(seed));
        const sizes = ranges.map((each) => expectedRange(flights, each).size);
        expect(
          ranges.every(({ fromUs, untilUs }) => Number.isSafeInteger(fromUs) && Number.isSafeInteger(untilUs)),
        ).toBe(true);
        expect(sizes).toContain(0);
        expect(sizes).toContain(flights.length);
        expect(ranges.some(({ fromUs, untilUs }) => fromUs === untilUs)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});

describe("departureUs", () => {
  test("takes the date as UTC", () => {
    expect(departureUs(Buffer.from('{"date":"2001/02/28 23:59"}'))).toBe(Date.UTC(2001, 1, 28, 23, 59) * 1000);
  });

  test("refuses a flight without one", () => {
    expect(() => departureUs(Buffer.from('{"delay":3}'))).toThrow("want YYYY/MM/DD hh:mm");
  });
});

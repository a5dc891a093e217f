// Goal: names are built and parsed as pairs, and nothing else passes for one of ours.
import { expect, test } from "vitest";
import { brokenName, isBrokenName, parseSegmentName, segmentName } from "./segment-name.ts";

test.each([1, 42, 10 ** 8, Number.MAX_SAFE_INTEGER])("segment %i round trips", (id) => {
  expect(parseSegmentName(segmentName(id))).toBe(id);
});

test("names sort as numbers do", () => {
  const ids = [1, 9, 10, 99_999_999, 100_000_000, Number.MAX_SAFE_INTEGER];
  expect(ids.map(segmentName).sort()).toEqual(ids.map(segmentName));
});

test.each([
  "segment_1.log",
  "segment_00000000000000000000.log",
  "segment_00000000000000000001.log.bak",
  "segment_00000000000000000001.log ",
  "segment_99999999999999999999.log",
  "Segment_00000000000000000001.log",
  "segment_0000000000000000000x.log",
  "../segment_00000000000000000001.log",
])("%j is no segment", (name) => {
  expect(parseSegmentName(name)).toBeUndefined();
});

test("what a recovery kept aside is recognised and is no segment", () => {
  for (const name of [brokenName(7, 3, 4096), brokenName(7, 3, 4096, 2)]) {
    expect(isBrokenName(name)).toBe(true);
    expect(parseSegmentName(name)).toBeUndefined();
  }
  expect(brokenName(7, 3, 4096)).not.toBe(brokenName(7, 3, 4096, 1));
});

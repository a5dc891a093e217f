// Goal: numbers read well at every size. Method: tables.
import { expect, test } from "vitest";
import { bytes, count, duration, perSecond, plural, table } from "./format.ts";

test.each([
  [0, "0"],
  [999, "999"],
  [1000, "1,000"],
  [1234567.4, "1,234,567"],
])("count %d", (value, text) => {
  expect(count(value)).toBe(text);
});

test.each([
  [0, "0 records"],
  [1, "1 record"],
  [2000, "2,000 records"],
])("plural %d", (value, text) => {
  expect(plural(value, "record")).toBe(text);
});

test.each([
  [0, "0 B"],
  [1023, "1,023 B"],
  [1536, "1.50 KiB"],
  [20 * 2 ** 20, "20.0 MiB"],
  [700 * 2 ** 30, "700 GiB"],
])("bytes %d", (value, text) => {
  expect(bytes(value)).toBe(text);
});

test.each([
  [undefined, "–"],
  [0.45, "0.45 µs"],
  [850, "850 µs"],
  [12_340, "12.3 ms"],
  [4_560_000, "4.56 s"],
  [250e6, "250 s"],
])("duration %d", (value, text) => {
  expect(duration(value)).toBe(text);
});

test("a rate over no time is 0", () => {
  expect([perSecond(5, 0), perSecond(5, 1e6)]).toEqual([0, 5]);
});

test("columns are as wide as their widest cell", () => {
  expect(
    table(
      [
        ["id", "name"],
        ["1000", "x"],
      ],
      [0],
    ),
  ).toEqual(["  id  name", "1000  x"]);
});

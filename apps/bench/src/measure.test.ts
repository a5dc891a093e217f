// Figures in a README go through these: a wrong median or unit would be believed.
import { describe, expect, it } from "vitest";
import { median, short, sizeName, spreadOf, table } from "./measure.ts";

describe("median", () => {
  it.each([
    [[3], 3],
    [[1, 100, 2], 2],
    [[4, 1, 3, 2], 3],
  ])("of %j is %d", (values, expected) => expect(median(values)).toBe(expected));

  it("of nothing is refused", () => expect(() => median([])).toThrow(RangeError));

  it("comes with how far the rest was from it", () => {
    expect(spreadOf([5, 1, 9])).toEqual({ median: 5, min: 1, max: 9 });
  });
});

describe("what is printed", () => {
  it.each([
    [0.5, "0.50"],
    [999, "999"],
    [999.6, "1.00k"],
    [12_345, "12.3k"],
    [999_499, "999k"],
    [999_500, "1.00M"],
    [4_560_000, "4.56M"],
  ])("%d is %s", (value, text) => expect(short(value)).toBe(text));

  it.each([
    [64, "64 B"],
    [1024, "1 KiB"],
    [100 * 2 ** 20, "100 MiB"],
    [2 ** 30, "1 GiB"],
  ])("%d bytes are %s", (bytes, text) => expect(sizeName(bytes)).toBe(text));

  it("stands in columns", () => {
    expect(table(["a", "long"], [["xyz", "1"]])).toBe("| a   | long |\n| --- | ---- |\n| xyz | 1    |\n");
  });
});

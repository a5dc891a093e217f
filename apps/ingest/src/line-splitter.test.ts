// Goal: whatever the borders of the chunks, the same lines come out. Method: examples, then properties against split().
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LineSplitter } from "./line-splitter.ts";

function split(chunks: readonly Uint8Array[], maxBytes = 1000): string[] {
  const splitter = new LineSplitter(maxBytes);
  const lines = chunks.flatMap((chunk) => [...splitter.push(chunk)]);
  lines.push(...splitter.end());
  return lines.map((line) => Buffer.from(line).toString());
}

describe("LineSplitter", () => {
  test("keeps every byte but the newline, empty lines and carriage returns included", () => {
    expect(split([Buffer.from("a\r\n\n b ")])).toEqual(["a\r", "", " b "]);
  });

  test("gives nothing for no bytes, and no line after a last newline", () => {
    expect(split([])).toEqual([]);
    expect(split([Buffer.from("a\n")])).toEqual(["a"]);
  });

  test("finds the same lines in any chunks", () => {
    const bytes = fc.array(fc.constantFrom(0x0a, 0x0d, 0x41, 0xff), { maxLength: 60 });
    fc.assert(
      fc.property(bytes, fc.array(fc.nat({ max: 60 })), (values, cuts) => {
        const whole = Buffer.from(values);
        const borders = [0, ...cuts.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b), whole.length];
        const chunks = borders.slice(1).map((border, index) => whole.subarray(borders[index], border));
        const expected = whole.toString("latin1").split("\n");
        if (expected.at(-1) === "") expected.pop();
        const splitter = new LineSplitter(1000);
        const lines = [...chunks.flatMap((chunk) => [...splitter.push(chunk)]), ...splitter.end()];
        expect(lines.map((line) => Buffer.from(line).toString("latin1"))).toEqual(expected);
        expect(splitter.lines).toBe(expected.length);
      }),
    );
  });

  test("refuses a line that is too long by its number, before its end has come", () => {
    expect(split([Buffer.from("123\n123\n")], 3)).toEqual(["123", "123"]);
    const splitter = new LineSplitter(3);
    expect(() => [...splitter.push(Buffer.from("1\n1234"))]).toThrow("line 2 is longer than 3 bytes");
    expect(() => split([Buffer.from("12"), Buffer.from("34\n")], 3)).toThrow("line 1 is longer than 3 bytes");
  });
});

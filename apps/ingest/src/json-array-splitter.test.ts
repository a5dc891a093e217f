// Goal: the elements of an array come out whole and unchanged, in any chunks. Method: examples, then properties with JSON.parse.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JsonArraySplitter } from "./json-array-splitter.ts";

function split(text: string, chunkBytes = 7): string[] {
  const bytes = Buffer.from(text);
  const splitter = new JsonArraySplitter();
  const elements: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes)
    elements.push(...splitter.push(bytes.subarray(at, at + chunkBytes)));
  elements.push(...splitter.end());
  return elements.map((element) => Buffer.from(element).toString());
}

describe("JsonArraySplitter", () => {
  test("keeps numbers as they are written", () => {
    expect(split('[{"time":0.0},{"time":1e3}, 7.50 ,"x"]')).toEqual(['{"time":0.0}', '{"time":1e3}', "7.50", '"x"']);
  });

  test("knows brackets, commas and quotes in strings from real ones", () => {
    const elements = ['{"a":"],[\\"}"}', '["\\\\",[{}]]', '"\\\\"'];
    for (const chunkBytes of [1, 2, 3, 100]) expect(split(`[${elements.join(",")}]`, chunkBytes)).toEqual(elements);
  });

  test("gives nothing for an empty array", () => {
    expect(split(" [ \n ] \n")).toEqual([]);
  });

  test("gives each element on one line, and the same value, in any chunks and indentation", () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue()),
        fc.integer({ min: 1, max: 50 }),
        fc.nat({ max: 3 }),
        (values, chunkBytes, indent) => {
          const elements = split(JSON.stringify(values, undefined, indent), chunkBytes);
          expect(elements.map((element) => JSON.parse(element))).toEqual(JSON.parse(JSON.stringify(values)));
          expect(elements.join("")).not.toMatch(/[\r\n]/);
        },
      ),
    );
  });

  test.each(["", "[", '[{"a":1}', '["]', "[[]"])("refuses %j, which ends early", (text) => {
    expect(() => split(text)).toThrow("ends early");
  });

  test.each(["{}", "[1] [2]", "1"])("refuses %j, which is not one array", (text) => {
    expect(() => split(text)).toThrow("not one JSON array");
  });
});

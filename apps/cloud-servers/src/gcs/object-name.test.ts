// Goal: names are ordered as their UTF-8 bytes are, which JavaScript's own order is not.
// Method: every pair of texts made of characters at the borders of UTF-8 and UTF-16, against the order of the bytes.
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareNames } from "./object-name.ts";

const characters = ["\0", "a", "\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"];

test("the order is that of the bytes", () => {
  const name = fc.string({ unit: fc.constantFrom(...characters), maxLength: 4 });
  fc.assert(
    fc.property(name, name, (a, b) => {
      const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
      expect(Math.sign(compareNames(a, b))).toBe(bytes);
    }),
    { numRuns: 5000, seed: 8 },
  );
});

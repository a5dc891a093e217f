/** Goal: compressionRatio is bytes in per byte out, and silent where nothing is known. */
import { expect, test } from "vitest";
import { compressionRatio } from "./segment-entry.ts";

test("compressionRatio", () => {
  expect(compressionRatio({ originalSize: 900, compressedSize: 300 })).toBe(3);
  expect(compressionRatio({ originalSize: 300, compressedSize: 400 })).toBe(0.75);
  expect(compressionRatio({ originalSize: 900 })).toBeUndefined();
  expect(compressionRatio({ originalSize: 900, compressedSize: 0 })).toBeUndefined();
});

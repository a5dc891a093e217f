import type { DriverGet } from "./object-driver.ts";
import type { ByteRange } from "./object-store.ts";
import { StoreError } from "./store-error.ts";

/** Where the wanted bytes lie in an object of `size` bytes. @throws StoreError `INVALID_RANGE` when there are none */
export function resolveRange(range: DriverGet["range"], size: number): ByteRange {
  if (range === undefined) return { offset: 0, length: size };
  if ("suffixLength" in range) {
    if (size === 0) throw beyond(size);
    const length = Math.min(range.suffixLength, size);
    return { offset: size - length, length };
  }
  if (range.offset >= size) throw beyond(size);
  return { offset: range.offset, length: Math.min(range.length ?? size, size - range.offset) };
}

function beyond(size: number): StoreError {
  return new StoreError("INVALID_RANGE", `the range begins beyond the object's ${size} bytes`);
}

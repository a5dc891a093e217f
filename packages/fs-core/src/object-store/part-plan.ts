/** How an object is cut into parts. Arithmetic only. */
import { StoreError } from "./store-error.ts";
import type { StoreLimits } from "./store-capabilities.ts";

/** Parts of an upload whose source does not say how long it is: so many of one size before they double. */
const partsPerSize = 1000;

/**
 * Bytes of each part but the last, of an object of `size` bytes.
 * @param wanted what the caller asked for, raised where it would give too many parts
 * @throws StoreError `TOO_LARGE`
 */
export function partBytesFor(size: number, wanted: number, limits: StoreLimits): number {
  if (size > limits.objectBytesMax) {
    throw new StoreError("TOO_LARGE", `${size} bytes; the store takes objects of ${limits.objectBytesMax}`);
  }
  const bytes = fitting(Math.max(wanted, Math.ceil(size / limits.partsMax)), limits);
  if (bytes * limits.partsMax < size) {
    throw new StoreError("TOO_LARGE", `${size} bytes are more than ${limits.partsMax} parts of ${bytes} bytes`);
  }
  return bytes;
}

/**
 * Bytes of part `number` (from 1) when the size is not known: `first` for the first thousand, then twice that, and so on,
 * so that small objects cost little memory and 10 000 parts reach 7.8 TiB from 8 MiB.
 */
export function streamPartBytes(number: number, first: number, limits: StoreLimits): number {
  return fitting(first * 2 ** Math.min(40, Math.floor((number - 1) / partsPerSize)), limits);
}

/** The nearest size, upwards where possible, that the store takes. */
function fitting(bytes: number, { partBytesMin, partBytesMax, partBytesMultiple }: StoreLimits): number {
  const within = Math.min(Math.max(bytes, partBytesMin), partBytesMax);
  const rounded = Math.ceil(within / partBytesMultiple) * partBytesMultiple;
  return rounded <= partBytesMax ? rounded : rounded - partBytesMultiple;
}

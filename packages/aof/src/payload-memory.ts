import { markAsUntransferable } from "node:worker_threads";
import type { RecordChecker } from "./record-check.ts";

const slabBytes = 64 * 1024;
/** Larger payloads get memory of their own: they would use up slabs and hold them. */
const pooledMax = 4096;

/** Up to here a loop over words is faster than making a view to copy from. */
const loopMax = 256;

let slab = newSlab();
let slabWords = new Int32Array(slab);
let used = 0;

/**
 * Memory for a payload that is handed out for good: never zeroed first, never given out twice. Small ones are cut from a
 * shared slab, at a third of the price of memory of their own; holding one holds the slab's 64 KiB. The slab cannot be
 * transferred to another thread, which would take it from all of them.
 */
function allocatePayload(size: number): Uint8Array {
  if (size > pooledMax) return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
  if (used + size > slabBytes) {
    slab = newSlab();
    slabWords = new Int32Array(slab);
    used = 0;
  }
  const payload = new Uint8Array(slab, used, size);
  used += (size + 7) & ~7;
  return payload;
}

/** A copy of the `size` bytes at `at`, a multiple of 8, of a checker's memory, in memory that is handed out for good. */
export function copyPayload(checker: RecordChecker, at: number, size: number): Uint8Array {
  const payload = allocatePayload(size);
  if (size > loopMax) {
    payload.set(checker.bytes.subarray(at, at + size));
    return payload;
  }
  // Whole words: what comes after the payload is its padding here, and nobody's there.
  const { words } = checker;
  const from = at >>> 2;
  const to = payload.byteOffset >>> 2;
  const count = (size + 3) >>> 2;
  for (let index = 0; index < count; index++) slabWords[to + index] = words[from + index] as number;
  return payload;
}

function newSlab(): ArrayBuffer {
  const { buffer } = Buffer.allocUnsafeSlow(slabBytes);
  markAsUntransferable(buffer);
  return buffer;
}

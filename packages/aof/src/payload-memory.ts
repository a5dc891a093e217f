import { markAsUntransferable } from "node:worker_threads";

const slabBytes = 64 * 1024;
/** Larger payloads get memory of their own: they would use up slabs and hold them. */
const pooledMax = 4096;

let slab = newSlab();
let used = 0;

/**
 * Memory for a payload that is handed out for good: never zeroed first, never given out twice. Small ones are cut from a
 * shared slab, at a third of the price of memory of their own; holding one holds the slab's 64 KiB. The slab cannot be
 * transferred to another thread, which would take it from all of them.
 */
export function allocatePayload(size: number): Uint8Array {
  if (size > pooledMax) return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
  if (used + size > slabBytes) {
    slab = newSlab();
    used = 0;
  }
  const payload = new Uint8Array(slab, used, size);
  used += (size + 7) & ~7;
  return payload;
}

function newSlab(): ArrayBuffer {
  const { buffer } = Buffer.allocUnsafeSlow(slabBytes);
  markAsUntransferable(buffer);
  return buffer;
}

/**
 * Question: what does a CRC-64/NVME cost where log records lie, and is our engine worth having beside hash-wasm's?
 *     node packages/fs-core/bench/checksum.bench.ts
 * Needs the built package. The contenders take turns for some rounds; each figure is the lower quartile of a
 * contender's best round, because other processes can only make a call slower. Look at the ratios.
 */
import { createChecksumMemory, crc64Nvme } from "@varve/fs-core";
import { createCRC64 } from "hash-wasm";
import { do_not_optimize, measure } from "mitata";

const sizes = [64, 92, 256, 1024, 4096, 16_384, 65_536, 1_048_576] as const;
const rounds = 9;
/** Least ratio to hash-wasm that the engine was built for, by bytes. */
const targets = new Map<number, number>([
  [64, 3],
  [16_384, 1.5],
]);

const greatest = Math.max(...sizes);
const fast = createChecksumMemory(greatest, { engine: "wasm" });
const plain = createChecksumMemory(greatest, { engine: "typescript" });
const ordinary = new Uint8Array(greatest);
for (let index = 0; index < greatest; index += 1) ordinary[index] = Math.imul(index, 0x9e3779b1) >>> 24;
for (const memory of [fast, plain]) new Uint8Array(memory.buffer, memory.base).set(ordinary);
const hashWasm = await createCRC64("9a6c9329ac4bc9b5");

const hashWasmDigest = (bytes: Uint8Array): Uint8Array => hashWasm.init().update(bytes).digest("binary");

/** Everybody's way to the checksum of the first `size` bytes. */
function contenders(size: number): Readonly<Record<string, () => unknown>> {
  const bytes = ordinary.subarray(0, size);
  return {
    "in place, WebAssembly": () => fast.engine.foldedAt(fast.base, size, 0, 0),
    "in place, TypeScript": () => plain.engine.foldedAt(plain.base, size, 0, 0),
    "crc64Nvme(bytes)": () => crc64Nvme(bytes),
    "hash-wasm 4.13": () => hashWasmDigest(bytes),
  };
}

async function quartileNanoseconds(task: () => unknown): Promise<number> {
  const { p25 } = await measure(() => do_not_optimize(task()), { min_cpu_time: 30 * 1e6 });
  return p25;
}

let missed = 0;
console.log("bytes      contender               ns/call   GB/s   × hash-wasm");
for (const size of sizes) {
  const expected = crc64Nvme(ordinary.subarray(0, size));
  const theirs = Buffer.from(hashWasmDigest(ordinary.subarray(0, size))).readBigUInt64BE();
  if (theirs !== expected) throw new Error(`${size} bytes: hash-wasm computes ${theirs}, we ${expected}`);

  const best = new Map<string, number>();
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, task] of Object.entries(contenders(size))) {
      best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, await quartileNanoseconds(task)));
    }
  }
  const reference = best.get("hash-wasm 4.13") ?? Number.NaN;
  for (const [name, nanoseconds] of best) {
    const columns = [
      String(size).padEnd(10),
      name.padEnd(22),
      nanoseconds.toFixed(1).padStart(9),
      (size / nanoseconds).toFixed(2).padStart(6),
      (reference / nanoseconds).toFixed(2).padStart(9),
    ];
    console.log(columns.join(" "));
  }
  const ratio = reference / (best.get("in place, WebAssembly") ?? Number.NaN);
  const target = targets.get(size);
  if (target !== undefined && !(ratio >= target)) {
    console.log(`missed: ${ratio.toFixed(2)} × hash-wasm at ${size} bytes, want ${target}`);
    missed += 1;
  }
}

fast.engine.foldedAt(fast.base, 16_384, 0, 0);
const { lastLow, lastHigh } = fast.engine;
const append = await quartileNanoseconds(() => fast.engine.appendSlot(0, lastLow, lastHigh, 16_384));
const appendOdd = await quartileNanoseconds(() => fast.engine.appendSlot(0, lastLow, lastHigh, 16_385));
console.log(`appendSlot: ${append.toFixed(0)} ns for 16,384 bytes, ${appendOdd.toFixed(0)} ns for 16,385`);
process.exitCode = missed === 0 ? 0 : 1;

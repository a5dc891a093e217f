/**
 * Goal: both engines compute CRC-64/NVME in place, whatever the offset and length, and the memory stays where it is.
 * Method: a bit-by-bit reference for ranges up to 4 KiB; each engine against the other where that is too slow, at and
 * around every length at which the fast one changes its method; slots against a model; real files.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { referenceCrc64 } from "../../test/checksum/reference.ts";
import { SeededRandom } from "../testing/seeded-random.ts";
import { type ChecksumMemory, createChecksumMemory } from "./checksum-memory.ts";
import type { Crc64Engine } from "./crc64-engine.ts";
import { crc64Combine, crc64Nvme, foldTo32 } from "./crc64-nvme.ts";
import { crc64ScratchBytes, createCrc64Engine } from "./wasm-engine.ts";
import { webAssembly } from "./web-assembly.ts";

const seed = 20_260_302;
const kinds = ["wasm", "typescript"] as const;

/** A memory of each kind with the same random bytes after its base. */
function filledMemory(engine: "wasm" | "typescript", freeBytes: number): ChecksumMemory {
  const memory = createChecksumMemory(freeBytes, { engine });
  new SeededRandom(seed).fill(new Uint8Array(memory.buffer, memory.base, freeBytes));
  return memory;
}

/** The unfolded checksum of a range, by way of `foldedAt`; the folded one must fit it. */
function checksumAt(engine: Crc64Engine, offset: number, length: number, start = 0n): bigint {
  const folded = engine.foldedAt(
    offset,
    length,
    Number(BigInt.asIntN(32, start)),
    Number(BigInt.asIntN(32, start >> 32n)),
  );
  const crc = (BigInt(engine.lastHigh >>> 0) << 32n) | BigInt(engine.lastLow >>> 0);
  expect(folded).toBe(foldTo32(crc));
  return crc;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe.each(kinds)("%s engine", (kind) => {
  const memory = filledMemory(kind, 700_000);
  const { engine, buffer, base } = memory;
  const bytesAt = (offset: number, length: number): Uint8Array => new Uint8Array(buffer, offset, length);

  test("is the one asked for", () => {
    expect(engine.kind).toBe(kind);
    expect(base % 4096).toBe(0);
    expect(buffer.byteLength).toBeGreaterThanOrEqual(base + 700_000);
  });

  test("foldedAt agrees with the definition on every length to 300 and any offset and seed", () => {
    const random = new SeededRandom(seed);
    for (let length = 0; length <= 300; length += 1) {
      const offset = base + random.int(5000);
      const start = random.u64();
      expect(checksumAt(engine, offset, length, start)).toBe(referenceCrc64(bytesAt(offset, length), start));
    }
  });

  test("foldedAt agrees with the definition on ranges to 4 KiB", () => {
    fc.assert(
      fc.property(fc.nat(4096), fc.nat(600_000), fc.bigInt(0n, 2n ** 64n - 1n), (length, start, crc) => {
        expect(checksumAt(engine, base + start, length, crc)).toBe(referenceCrc64(bytesAt(base + start, length), crc));
      }),
      { seed, numRuns: 60 },
    );
  });

  test("a split anywhere changes nothing", () => {
    fc.assert(
      fc.property(fc.nat(20_000), fc.nat(20_000), fc.nat(1000), (first, second, start) => {
        const offset = base + start;
        const left = checksumAt(engine, offset, first);
        const right = checksumAt(engine, offset + first, second);
        const whole = checksumAt(engine, offset, first + second);
        expect(checksumAt(engine, offset + first, second, left)).toBe(whole);
        expect(crc64Combine(left, right, second)).toBe(whole);
      }),
      { seed, numRuns: 100 },
    );
  });

  test("results do not depend on what was computed before", () => {
    const lengths = [100_000, 5000, 700, 100_000, 64, 20_000, 5000, 1500, 3];
    const first = lengths.map((length) => checksumAt(engine, base + 5, length));
    expect(lengths.toReversed().map((length) => checksumAt(engine, base + 5, length))).toEqual(first.toReversed());
  });

  test("reads nothing outside the range and writes nothing above the base", () => {
    const free = Buffer.from(buffer, base);
    const before = Buffer.from(free);
    const [offset, length] = [base + 1000, 40_001];
    const crc = checksumAt(engine, offset, length);
    // Not toEqual: it compares byte by byte in JavaScript.
    expect(free.equals(before)).toBe(true);
    bytesAt(offset - 64, 64).fill(0xa5);
    bytesAt(offset + length, 64).fill(0xa5);
    expect(checksumAt(engine, offset, length)).toBe(crc);
    free.set(before);
  });

  test("the range may end with the memory", () => {
    for (const length of [0, 1, 7, 8, 64, 93, 6000]) {
      const offset = buffer.byteLength - length;
      expect(checksumAt(engine, offset, length)).toBe(referenceCrc64(bytesAt(offset, length)));
    }
  });

  describe("frames", () => {
    const header = 32;
    const [low, high] = [0x12345678, -77];
    /** Random frames, runs of one size among them, in a memory of this kind. */
    function written(random: SeededRandom, count: number): { starts: number[]; end: number; frames: ChecksumMemory } {
      const frames = createChecksumMemory(2 * 2 ** 20, { engine: kind });
      const view = new DataView(frames.buffer);
      const starts: number[] = [];
      let at = frames.base;
      let size = 0;
      for (let k = 0; k < count; k++) {
        if (random.int(3) > 0) size = random.int(4) === 0 ? random.int(20_000) : random.int(700);
        random.fill(new Uint8Array(frames.buffer, at, header + size));
        view.setUint32(at + 4, size, true);
        starts.push(at);
        at += Math.ceil((header + size) / 8) * 8;
      }
      return { starts, end: at, frames };
    }

    test("are sealed with foldedAt of each, and found sound", () => {
      const random = new SeededRandom(seed);
      for (let round = 0; round < 40; round++) {
        const { starts, end, frames } = written(random, 1 + random.int(60));
        const view = new DataView(frames.buffer);
        frames.engine.sealFrames(frames.base, end - frames.base, header, low, high);
        for (const at of starts) {
          const length = header - 4 + view.getUint32(at + 4, true);
          expect(view.getUint32(at, true)).toBe(frames.engine.foldedAt(at + 4, length, low, high));
        }
        expect(frames.engine.soundFrames(frames.base, end - frames.base, header, low, high)).toBe(end - frames.base);
      }
    });

    test("one flipped bit, or an end inside of one, stops in front of that frame", () => {
      const random = new SeededRandom(seed + 1);
      const { starts, end, frames } = written(random, 25);
      const bytes = new Uint8Array(frames.buffer);
      const view = new DataView(frames.buffer);
      const { base, engine } = frames;
      engine.sealFrames(base, end - base, header, low, high);
      for (let round = 0; round < 400; round++) {
        const frame = random.int(starts.length);
        const start = starts[frame] as number;
        const length = header + view.getUint32(start + 4, true);
        const at = start + random.int(length);
        const before = bytes[at] as number;
        bytes[at] = before ^ (1 << random.int(8));
        expect(engine.soundFrames(base, end - base, header, low, high)).toBe(start - base);
        bytes[at] = before;
        const cut = start + random.int((starts[frame + 1] ?? end) - start);
        expect(engine.soundFrames(base, cut - base, header, low, high)).toBe(start - base);
      }
      expect(engine.soundFrames(base, end - base, header, low, high + 1)).toBe(0);
    });

    test("sizes that lead past the range, and ranges that are none, are refused", () => {
      const { end, frames } = written(new SeededRandom(seed + 2), 4);
      const { base, engine, buffer: all } = frames;
      const view = new DataView(all);
      for (const size of [2 ** 32 - 1, 2 ** 32 - 32, 2 ** 31, end - base]) {
        view.setUint32(base + 4, size, true);
        expect(engine.soundFrames(base, end - base, header, low, high)).toBe(0);
        expect(() => engine.sealFrames(base, end - base, header, low, high)).toThrow(RangeError);
      }
      expect(engine.soundFrames(base, 0, header, low, high)).toBe(0);
      expect(() => engine.soundFrames(base + 4, 64, header, low, high)).toThrow(RangeError);
      expect(() => engine.soundFrames(base, 64, 12, low, high)).toThrow(RangeError);
      expect(() => engine.soundFrames(all.byteLength - 32, 64, header, low, high)).toThrow(RangeError);
    });
  });

  test.each([
    [-1, 1],
    [0, -1],
    [0.5, 1],
    [0, 1.5],
    [Number.NaN, 0],
    [0, Number.POSITIVE_INFINITY],
    [2 ** 32, 0],
    [buffer.byteLength, 1],
    [buffer.byteLength - 5, 6],
    [2 ** 32 - 1, 2 ** 32 - 1],
  ])("refuses a range of %s + %s bytes", (offset, length) => {
    expect(() => engine.foldedAt(offset, length, 0, 0)).toThrow(RangeError);
    expect(() => engine.updateSlot(0, offset, length)).toThrow(RangeError);
  });

  test("slots keep eight checksums apart, beside foldedAt", () => {
    const random = new SeededRandom(seed);
    const model = new Array<bigint>(8).fill(0n);
    const slots = (): bigint[] => model.map((_, slot) => engine.slot(slot));
    expect(slots()).toEqual(model);
    for (let step = 0; step < 400; step += 1) {
      const slot = random.int(8);
      const offset = base + random.int(500_000);
      const length = random.int(step % 40 === 0 ? 50_000 : 500);
      const crc = crc64Nvme(bytesAt(offset, length));
      const last = engine.foldedAt(offset, length, 0, 0);
      const { lastLow, lastHigh } = engine;
      const before = model[slot] ?? 0n;
      const action = random.pick(["set", "append", "update", "update"]);
      if (action === "set") engine.setSlot(slot, (model[slot] = random.u64()));
      if (action === "append") engine.appendSlot(slot, lastLow, lastHigh, length);
      if (action === "update") engine.updateSlot(slot, offset, length);
      if (action !== "set") model[slot] = crc64Combine(before, crc, length);
      expect([last, engine.lastLow, engine.lastHigh]).toEqual([foldTo32(crc), lastLow, lastHigh]);
      expect(slots()).toEqual(model);
    }
  });

  test("appendSlot takes every length of 32 bits", () => {
    for (const length of [0, 1, 255, 256, 65_535, 65_536, 2 ** 24, 2 ** 31, 2 ** 32 - 1]) {
      engine.setSlot(3, 0x0123456789abcdefn);
      engine.appendSlot(3, 0x76543210, -5, length);
      expect(engine.slot(3)).toBe(crc64Combine(0x0123456789abcdefn, 0xfffffffb76543210n, length));
    }
    for (const length of [-1, 0.5, 2 ** 32, Number.NaN]) {
      expect(() => engine.appendSlot(3, 0, 0, length)).toThrow(RangeError);
    }
  });

  test.each([-1, 8, 0.5, Number.NaN])("refuses slot %s", (slot) => {
    expect(() => engine.updateSlot(slot, base, 1)).toThrow(RangeError);
    expect(() => engine.appendSlot(slot, 0, 0, 1)).toThrow(RangeError);
    expect(() => engine.setSlot(slot, 0n)).toThrow(RangeError);
    expect(() => engine.slot(slot)).toThrow(RangeError);
  });

  test("node:fs reads into the memory and writes from it; nothing moves", () => {
    const directory = mkdtempSync(join(tmpdir(), "checksum-"));
    const file = openSync(join(directory, "bytes"), "w+");
    try {
      const crc = checksumAt(engine, base, 300_000);
      expect(writeSync(file, bytesAt(base, 300_000), 0, 300_000, 0)).toBe(300_000);
      const target = createChecksumMemory(300_000, { engine: kind });
      expect(readSync(file, new Uint8Array(target.buffer, target.base), 0, 300_000, 0)).toBe(300_000);
      expect(checksumAt(target.engine, target.base, 300_000)).toBe(crc);
      expect(memory.buffer).toBe(buffer);
      expect(buffer.detached).toBe(false);
      expect(target.buffer.detached).toBe(false);
    } finally {
      closeSync(file);
      rmSync(directory, { recursive: true });
    }
  });

  test.each([-1, 0.5, Number.NaN, 2 ** 32])("refuses a memory of %s bytes", (freeBytes) => {
    expect(() => createChecksumMemory(freeBytes, { engine: kind })).toThrow(RangeError);
  });

  test("a new memory is all zero above its base", () => {
    const fresh = createChecksumMemory(5000, { engine: kind });
    expect(new Uint8Array(fresh.buffer, fresh.base)).toEqual(new Uint8Array(fresh.buffer.byteLength - fresh.base));
  });
});

test("both engines agree around every length at which the fast one changes its method, and far beyond", () => {
  const [fast, plain] = kinds.map((kind) => filledMemory(kind, 200_000)) as [ChecksumMemory, ChecksumMemory];
  const random = new SeededRandom(seed);
  const edges = [576, 768, 832, 896, 4096, 4608, 8192, 8704, 10_048, 12_288, 16_384, 18_240, 65_536, 180_000];
  for (const edge of edges) {
    for (const difference of [-65, -64, -63, -17, -9, -1, 0, 1, 8, 15, 16, 63, 64, 65]) {
      const start = random.int(5000);
      const crc = random.u64();
      const length = edge + difference;
      const results = [fast, plain].map(({ engine, base }) => checksumAt(engine, base + start, length, crc));
      expect(results[0], `${length} bytes at ${start}`).toBe(results[1]);
    }
  }
});

test("every length from 300 to 6500 agrees", () => {
  const [fast, plain] = kinds.map((kind) => filledMemory(kind, 13_000)) as [ChecksumMemory, ChecksumMemory];
  const different: string[] = [];
  for (let length = 300; length <= 6500; length += 1) {
    const offset = length & 63;
    const [a, b] = [fast, plain].map(({ engine, base }) => engine.foldedAt(base + offset, length, length, -1));
    if (a !== b) different.push(`${length} bytes at ${offset}: ${a} and ${b}`);
  }
  expect(different.slice(0, 9)).toEqual([]);
});

describe("the choice of engine", () => {
  test("auto takes WebAssembly where it can be had", () => {
    expect(createChecksumMemory(10).engine.kind).toBe("wasm");
    expect(createChecksumMemory(10, { engine: "auto" }).engine.kind).toBe("wasm");
  });

  test("without WebAssembly auto falls back and wasm says so", () => {
    vi.stubGlobal("WebAssembly", undefined);
    expect(createChecksumMemory(10).engine.kind).toBe("typescript");
    expect(() => createChecksumMemory(10, { engine: "wasm" })).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED" }),
    );
    expect(() => createCrc64Engine({ buffer: new ArrayBuffer(131_072) }, 0)).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED" }),
    );
  });

  test("without address space for the memory, too", () => {
    class Refusing {
      constructor() {
        throw new RangeError("could not allocate memory");
      }
    }
    vi.stubGlobal("WebAssembly", { ...webAssembly(), Memory: Refusing });
    expect(createChecksumMemory(10).engine.kind).toBe("typescript");
    expect(() => createChecksumMemory(10, { engine: "wasm" })).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED" }),
    );
  });

  test("an engine nobody wrote is refused", () => {
    const options = { engine: "native" } as unknown as { readonly engine: "auto" };
    expect(() => createChecksumMemory(10, options)).toThrow(RangeError);
  });
});

describe("createCrc64Engine", () => {
  const Memory = (webAssembly() ?? expect.fail("these tests need WebAssembly")).Memory;

  test("works at any aligned place of a memory of one's own, and after the memory has grown", () => {
    const memory = new Memory({ initial: 8, maximum: 16 });
    const scratchOffset = 200_000 - (200_000 % 16);
    const engine = createCrc64Engine(memory, scratchOffset);
    const low = new SeededRandom(seed).fill(new Uint8Array(memory.buffer, 0, scratchOffset));
    const expected = referenceCrc64(low.subarray(3, 20_003));
    expect(checksumAt(engine, 3, 20_000)).toBe(expected);
    const above = scratchOffset + crc64ScratchBytes;
    new Uint8Array(memory.buffer).copyWithin(above, 3, 20_003);
    expect(checksumAt(engine, above, 20_000)).toBe(expected);
    engine.setSlot(7, 12n);
    (memory as unknown as { grow(pages: number): void }).grow(1);
    expect(checksumAt(engine, above, 20_000)).toBe(expected);
    expect(engine.slot(7)).toBe(12n);
    expect(() => engine.foldedAt(memory.buffer.byteLength - 10, 10, 0, 0)).toThrow(RangeError);
  });

  test("two engines share one memory", () => {
    const memory = new Memory({ initial: 4, maximum: 4 });
    const [a, b] = [createCrc64Engine(memory, 0), createCrc64Engine(memory, crc64ScratchBytes)];
    const offset = 2 * crc64ScratchBytes;
    const bytes = new SeededRandom(seed).fill(new Uint8Array(memory.buffer, offset, 50_000));
    a.setSlot(0, 1n);
    b.setSlot(0, 2n);
    expect(checksumAt(a, offset, 50_000)).toBe(crc64Nvme(bytes));
    expect(checksumAt(b, offset, 50_000)).toBe(crc64Nvme(bytes));
    expect([a.slot(0), b.slot(0)]).toEqual([1n, 2n]);
  });

  test.each([-16, 8, 65_536 * 2 - 16, Number.NaN, 2 ** 31])("refuses scratch at %s of 128 KiB", (scratchOffset) => {
    expect(() => createCrc64Engine(new Memory({ initial: 2, maximum: 2 }), scratchOffset)).toThrow(RangeError);
  });
});

/**
 * Goal: the public checksum is CRC-64/NVME, however the bytes are cut and wherever they lie.
 * Method: published vectors; a bit-by-bit reference over seeded inputs; splits, seeds and combination against the whole;
 * the same again in a process that has no WebAssembly.
 */
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { referenceCrc64 } from "../../test/checksum/reference.ts";
import { SeededRandom } from "../testing/seeded-random.ts";
import { Crc64, crc64Combine, crc64Nvme, foldTo32 } from "./crc64-nvme.ts";
import { webAssembly } from "./web-assembly.ts";

const seed = 20_260_301;
const random = new SeededRandom(seed);
const filled = (length: number, byte: (index: number) => number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => byte(index));
// Content by number: a failure then shrinks to the least length, not byte by byte.
const randomBytes = (content: number, length: number): Uint8Array =>
  new SeededRandom(content).fill(new Uint8Array(length));
const digits = new TextEncoder().encode("123456789");

// The 4 KiB ones are the test cases that the NVM Command Set Specification gives for its 64b CRC.
const vectors: readonly (readonly [string, Uint8Array, bigint])[] = [
  ["nothing", new Uint8Array(0), 0n],
  ["123456789", digits, 0xae8b14860a799888n],
  ["4 KiB of 00", new Uint8Array(4096), 0x6482d367eb22b64en],
  ["4 KiB of FF", filled(4096, () => 255), 0xc0ddba7302eca3acn],
  ["4 KiB counting up", filled(4096, (index) => index), 0x3e729f5f6750449cn],
  ["4 KiB counting down", filled(4096, (index) => 255 - index), 0x9a2df64b8e9e517en],
];

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

describe("crc64Nvme", () => {
  test.each(vectors)("%s", (_, bytes, expected) => {
    expect(crc64Nvme(bytes)).toBe(expected);
    expect(referenceCrc64(bytes)).toBe(expected);
  });

  test.each([
    ["32 of 00", new Uint8Array(32)],
    ["32 of FF", filled(32, () => 255)],
    ["32 counting up", filled(32, (index) => index)],
    ["one byte", Uint8Array.of(1)],
    ["a tail with one bit", filled(93, (index) => (index === 92 ? 128 : 0))],
  ])("agrees with the definition on %s", (_, bytes) => {
    expect(crc64Nvme(bytes)).toBe(referenceCrc64(bytes));
  });

  test("agrees with the definition on any bytes and seed, in views that start anywhere", () => {
    fc.assert(
      fc.property(
        fc.nat(4096),
        fc.nat(),
        fc.bigInt(0n, 2n ** 64n - 1n),
        fc.nat(17),
        (length, content, start, offset) => {
          const bytes = randomBytes(content, length + offset).subarray(offset);
          expect(crc64Nvme(bytes, start)).toBe(referenceCrc64(bytes, start));
        },
      ),
      { seed, numRuns: 60 },
    );
  });

  test("reads a Buffer, and bytes shared between threads", () => {
    const shared = new Uint8Array(new SharedArrayBuffer(9));
    shared.set(digits);
    expect(crc64Nvme(shared)).toBe(0xae8b14860a799888n);
    expect(crc64Nvme(Buffer.from("123456789"))).toBe(0xae8b14860a799888n);
  });
});

describe("Crc64", () => {
  test("pieces of any size give the checksum of the whole, across the copying buffer's 64 KiB too", () => {
    const bytes = random.fill(new Uint8Array(300_000));
    const whole = crc64Nvme(bytes);
    expect(whole).toBe(referenceCrc64(bytes));
    const crc = new Crc64();
    for (let start = 0, piece = 0; start < bytes.length; start += piece) {
      piece = random.pick([0, 1, 7, 65_535, 65_536, 65_537, random.int(3000)]);
      crc.update(bytes.subarray(start, start + piece));
    }
    expect(crc.digest()).toBe(whole);
  });

  test("digest may be asked for at any time, reset starts afresh or from a seed", () => {
    const crc = new Crc64();
    expect(crc.digest()).toBe(0n);
    expect(crc.update(digits.subarray(0, 4)).digest()).toBe(referenceCrc64(digits.subarray(0, 4)));
    expect(crc.update(digits.subarray(4)).digest()).toBe(0xae8b14860a799888n);
    expect(crc.reset().update(digits).digest()).toBe(0xae8b14860a799888n);
    expect(crc.reset(5n).update(digits).digest()).toBe(referenceCrc64(digits, 5n));
  });

  test("two running at once do not mix", () => {
    const [a, b] = [new Crc64(), new Crc64()];
    for (const byte of digits) {
      a.update(Uint8Array.of(byte));
      b.update(Uint8Array.of(byte, byte));
    }
    expect(a.digest()).toBe(0xae8b14860a799888n);
    expect(b.digest()).toBe(referenceCrc64(new TextEncoder().encode("112233445566778899")));
  });
});

describe("crc64Combine", () => {
  test("equals the checksum of the concatenation", () => {
    fc.assert(
      fc.property(fc.nat(600), fc.nat(600), fc.nat(), (lengthA, lengthB, content) => {
        const both = randomBytes(content, lengthA + lengthB);
        const [a, b] = [both.subarray(0, lengthA), both.subarray(lengthA)];
        expect(crc64Combine(crc64Nvme(a), crc64Nvme(b), b.length)).toBe(crc64Nvme(b, crc64Nvme(a)));
        expect(crc64Nvme(b, crc64Nvme(a))).toBe(crc64Nvme(both));
      }),
      { seed, numRuns: 200 },
    );
  });

  test("lengths past 2^32 follow the same rule: 2^40 zero bytes, doubled up from one", () => {
    let [crc, length] = [crc64Nvme(Uint8Array.of(0)), 1];
    for (; length < 2 ** 40; length *= 2) crc = crc64Combine(crc, crc, length);
    // The other way round: one byte short of 2^40, then the last byte itself.
    let [short, shortLength] = [crc64Nvme(Uint8Array.of(0)), 1];
    while (shortLength < 2 ** 40 - 1) {
      short = crc64Nvme(Uint8Array.of(0), crc64Combine(short, short, shortLength));
      shortLength = 2 * shortLength + 1;
    }
    expect(crc64Nvme(Uint8Array.of(0), short)).toBe(crc);
  });

  test.each([-1, 0.5, Number.NaN, 2 ** 53])("refuses %s bytes", (length) => {
    expect(() => crc64Combine(1n, 1n, length)).toThrow(RangeError);
  });
});

test("foldTo32 is the XOR of the halves, unsigned", () => {
  expect(foldTo32(0xae8b14860a799888n)).toBe(0xa4f28c0e);
  expect(foldTo32(0n)).toBe(0);
  expect(foldTo32(0xffffffff00000000n)).toBe(0xffffffff);
});

describe("without WebAssembly", () => {
  test.each([
    ["absent", undefined],
    [
      "too old for the module",
      {
        Memory: webAssembly()?.Memory,
        Module: class {
          constructor() {
            throw new SyntaxError("unknown opcode");
          }
        },
      },
    ],
  ])("%s: the same results", async (_, replacement) => {
    vi.stubGlobal("WebAssembly", replacement);
    const fresh = await import("./crc64-nvme.ts");
    const { createChecksumMemory } = await import("./checksum-memory.ts");
    expect(createChecksumMemory(0).engine.kind).toBe("typescript");
    for (const [, bytes, expected] of vectors) expect(fresh.crc64Nvme(bytes)).toBe(expected);
    const bytes = random.fill(new Uint8Array(70_000));
    expect(fresh.crc64Nvme(bytes, 9n)).toBe(crc64Nvme(bytes, 9n));
  });
});

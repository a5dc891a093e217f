/**
 * Goal: the checksum is CRC-32C, however the bytes are cut, and combines as Cloud Storage's does.
 * Method: the vectors of RFC 3720 appendix B.4 and the catalogue's check value; a bit-by-bit reference over generated
 * inputs at odd offsets; splits and combination against the whole.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32c, crc32cCombine, formatCrc32c, parseCrc32c } from "./crc32c.ts";

const filled = (length: number, byte: (index: number) => number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => byte(index));

const readCommand = Uint8Array.from([
  0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0, 0, 0, 0, 0x14, 0, 0, 0, 0x18,
  0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0,
]);

const vectors: readonly (readonly [string, Uint8Array, number])[] = [
  ["nothing", new Uint8Array(0), 0],
  ["123456789", new TextEncoder().encode("123456789"), 0xe3069283],
  ["32 zeroes", filled(32, () => 0), 0x8a9136aa],
  ["32 ones", filled(32, () => 0xff), 0x62a8ab43],
  ["32 ascending", filled(32, (index) => index), 0x46dd794e],
  ["32 descending", filled(32, (index) => 31 - index), 0x113fdb5c],
  ["a SCSI read command", readCommand, 0xd9963a56],
];

/** One bit at a time, as the definition has it. */
function reference(bytes: Uint8Array): number {
  let register = 0xffffffff;
  for (const byte of bytes) {
    register ^= byte;
    for (let bit = 0; bit < 8; bit++) register = (register >>> 1) ^ ((register & 1) === 1 ? 0x82f63b78 : 0);
  }
  return ~register >>> 0;
}

describe("crc32c", () => {
  test.for(vectors)("of %s", ([, bytes, wanted]) => expect(crc32c(bytes)).toBe(wanted));

  test("is the reference's at any length and offset", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(16), (content, offset) => {
        const bytes = content.subarray(Math.min(offset, content.length));
        expect(crc32c(bytes)).toBe(reference(bytes));
      }),
    );
  });

  test("continues, and combines, to the checksum of the whole", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
        const [a, b] = [bytes.subarray(0, cut), bytes.subarray(cut)];
        expect(crc32c(b, crc32c(a))).toBe(crc32c(bytes));
        expect(crc32cCombine(crc32c(a), crc32c(b), b.length)).toBe(crc32c(bytes));
      }),
    );
  });

  test("combines over more bytes than memory holds", () => {
    // 5 GiB of zeroes, once by squaring and once by doubling a piece.
    let doubled = crc32c(new Uint8Array(1024));
    let length = 1024;
    for (; length < 4 * 2 ** 30; length *= 2) doubled = crc32cCombine(doubled, doubled, length);
    const oneGiB = [...Array(20)].reduce(
      ({ crc, size }: { crc: number; size: number }) => ({ crc: crc32cCombine(crc, crc, size), size: size * 2 }),
      { crc: crc32c(new Uint8Array(1024)), size: 1024 },
    );
    expect(oneGiB.size).toBe(2 ** 30);
    expect(crc32cCombine(doubled, oneGiB.crc, 2 ** 30)).toBe(crc32cCombine(oneGiB.crc, doubled, length));
  });

  test.for([-1, 0.5, Number.NaN, 2 ** 53])("refuses to combine over %s bytes", (length) => {
    expect(() => crc32cCombine(1, 2, length)).toThrow(RangeError);
  });
});

describe("the form in which it travels", () => {
  test("is big-endian base64", () => {
    // Cloud Storage's documented checksum of an empty object.
    expect(formatCrc32c(0)).toBe("AAAAAA==");
    expect(formatCrc32c(0xe3069283)).toBe("4waSgw==");
  });

  test("comes back", () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), (crc) => {
        expect(parseCrc32c(formatCrc32c(crc))).toBe(crc);
      }),
    );
  });

  test.for(["", "AAAA", "4waSgw", "4waSgw=", "4waSgw==x", "!waSgw=="])("is not %j", (text) => {
    expect(parseCrc32c(text)).toBeUndefined();
  });
});

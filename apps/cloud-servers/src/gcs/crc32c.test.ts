// Goal: the checksum is CRC-32C as published, whole, in pieces and combined.
// Method: the vectors of RFC 3720 appendix B.4; a bit-by-bit reference over every short length; splits at each place.
import { expect, test } from "vitest";
import { crc32c, crc32cOfBoth, crc32cText } from "./crc32c.ts";

/** Straight from the definition: one bit at a time. */
function reference(bytes: Uint8Array): number {
  let register = 0xffff_ffff;
  for (const byte of bytes) {
    register ^= byte;
    for (let bit = 0; bit < 8; bit++) register = (register >>> 1) ^ ((register & 1) * 0x82f6_3b78);
  }
  return ~register >>> 0;
}

const counting = Uint8Array.from({ length: 67 }, (_, index) => (index * 89 + 3) & 0xff);

test.for([
  ["123456789", Buffer.from("123456789"), 0xe306_9283],
  ["nothing", Buffer.alloc(0), 0],
  ["32 zeros", Buffer.alloc(32), 0x8a91_36aa],
  ["32 times ff", Buffer.alloc(32, 0xff), 0x62a8_ab43],
  ["0 to 31", Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd_794e],
  ["31 to 0", Uint8Array.from({ length: 32 }, (_, index) => 31 - index), 0x113f_db5c],
] as const)("a published vector: %s", ([, bytes, checksum]) => expect(crc32c(bytes)).toBe(checksum));

test("every length and split agrees with the definition", () => {
  for (let end = 0; end <= counting.length; end++) {
    const whole = counting.subarray(0, end);
    expect(crc32c(whole)).toBe(reference(whole));
    for (let at = 0; at <= end; at++) {
      const [a, b] = [whole.subarray(0, at), whole.subarray(at)];
      expect(crc32c(b, crc32c(a))).toBe(reference(whole));
      expect(crc32cOfBoth(crc32c(a), crc32c(b), b.length)).toBe(reference(whole));
    }
  }
});

test("the text has the highest byte first", () => expect(crc32cText(0xe306_9283)).toBe("4waSgw=="));

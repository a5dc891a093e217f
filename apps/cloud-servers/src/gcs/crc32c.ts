/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum that Cloud Storage keeps of every object. Written apart
 * from the client's, so that one mistake cannot hide in both ends of a test.
 */

/** The generator polynomial, bits reversed. */
const polynomial = 0x82f63b78;

/** Entry `k * 256 + n`: what the byte `n` does to the register `k` bytes later. Four bytes go in at a time. */
const table: Uint32Array = (() => {
  const entries = new Uint32Array(4 * 256);
  for (let n = 0; n < 256; n++) {
    let register = n;
    for (let bit = 0; bit < 8; bit++) register = (register & 1) === 1 ? (register >>> 1) ^ polynomial : register >>> 1;
    entries[n] = register;
  }
  for (let at = 256; at < entries.length; at++) {
    const before = entries[at - 256] as number;
    entries[at] = (before >>> 8) ^ (entries[before & 0xff] as number);
  }
  return entries;
})();

/**
 * The checksum of `bytes` after what `before` is the checksum of.
 * @param before 0 for nothing; so `crc32c(b, crc32c(a))` is that of a, then b
 * @returns an unsigned 32-bit value; 0xe3069283 for "123456789"
 */
export function crc32c(bytes: Uint8Array, before: number = 0): number {
  let register = ~before;
  let at = 0;
  for (const end = bytes.length - 3; at < end; at += 4) {
    register ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    register =
      (table[768 + (register & 0xff)] as number) ^
      (table[512 + ((register >>> 8) & 0xff)] as number) ^
      (table[256 + ((register >>> 16) & 0xff)] as number) ^
      (table[register >>> 24] as number);
  }
  for (; at < bytes.length; at++) {
    register = (register >>> 8) ^ (table[(register ^ (bytes[at] as number)) & 0xff] as number);
  }
  return ~register >>> 0;
}

/**
 * The checksum of a, then b, from those of each: what a compose needs when the bodies were not kept.
 * @param bytesOfB length of b in bytes, an integer in 0..2^53-1
 */
export function crc32cOfBoth(a: number, b: number, bytesOfB: number): number {
  // In the ring of polynomials modulo the generator, n zero bytes after a multiply it by x^(8n).
  let shifted = a;
  let power = 0x0080_0000; // x^8, bits reversed
  for (let rest = bytesOfB; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) shifted = product(shifted, power);
    power = product(power, power);
  }
  return (shifted ^ b) >>> 0;
}

function product(a: number, b: number): number {
  let sum = 0;
  let term = b;
  for (let bit = 31; bit >= 0; bit--) {
    if (((a >>> bit) & 1) === 1) sum ^= term;
    term = (term & 1) === 1 ? (term >>> 1) ^ polynomial : term >>> 1;
  }
  return sum >>> 0;
}

/** As the API writes it: four bytes, the highest first, in base64. */
export function crc32cText(checksum: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(checksum);
  return bytes.toString("base64");
}

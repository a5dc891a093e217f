/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum that Cloud Storage keeps of every object. Node's zlib has
 * CRC-32 with another polynomial only. Eight bytes a step, from eight tables ("slicing by 8").
 */

/** The polynomial with its bits reversed: bit 31 is the coefficient of x^0. */
const polynomial = 0x82f63b78;

/**
 * CRC-32C of `bytes`, which are only read and only during the call.
 * @param seed the checksum of what came before (0 = nothing), so `crc32c(b, crc32c(a))` is that of a then b
 * @returns an unsigned 32-bit value; E3069283 for "123456789"
 */
export function crc32c(bytes: Uint8Array, seed: number = 0): number {
  tables ??= createTables();
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as Tables;
  const length = bytes.length;
  const sliced = length - (length % 8);
  let crc = ~seed;
  let at = 0;
  // Indices stay inside of the array and the tables. Reads are written out: a helper that sees two kinds of array is
  // not compiled to a plain load.
  for (; at < sliced; at += 8) {
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    crc =
      (t7[crc & 0xff] as number) ^
      (t6[(crc >>> 8) & 0xff] as number) ^
      (t5[(crc >>> 16) & 0xff] as number) ^
      (t4[crc >>> 24] as number) ^
      (t3[bytes[at + 4] as number] as number) ^
      (t2[bytes[at + 5] as number] as number) ^
      (t1[bytes[at + 6] as number] as number) ^
      (t0[bytes[at + 7] as number] as number);
  }
  for (; at < length; at++) crc = (crc >>> 8) ^ (t0[(crc ^ (bytes[at] as number)) & 0xff] as number);
  return ~crc >>> 0;
}

/**
 * The checksum of a then b from those of each, without their bytes.
 * @param lengthB length of b in bytes, an integer in 0..2^53-1
 * @throws RangeError for any other length
 */
export function crc32cCombine(a: number, b: number, lengthB: number): number {
  if (!Number.isSafeInteger(lengthB) || lengthB < 0) {
    throw new RangeError(`lengthB: got ${lengthB}, want an integer in 0..2^53-1`);
  }
  // Appending n bytes multiplies a's polynomial by x^(8n): by squaring, one step for each bit of n.
  let factor = 0x80000000;
  let power = 0x00800000;
  for (let rest = lengthB; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) factor = multiply(factor, power);
    power = multiply(power, power);
  }
  return (multiply(factor, a) ^ b) >>> 0;
}

/** As Cloud Storage writes it: four bytes, big-endian, in base64. */
export function formatCrc32c(checksum: number): string {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(checksum);
  return bytes.toString("base64");
}

/** Of {@link formatCrc32c}; undefined for what is none. */
export function parseCrc32c(text: string): number | undefined {
  if (!/^[A-Za-z0-9+/]{6}==$/.test(text)) return undefined;
  return Buffer.from(text, "base64").readUInt32BE();
}

/** Product of two polynomials modulo {@link polynomial}. */
function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let bit = 31; bit >= 0; bit--) {
    if (((a >>> bit) & 1) === 1) product ^= shifted;
    shifted = (shifted >>> 1) ^ ((shifted & 1) === 1 ? polynomial : 0);
  }
  return product >>> 0;
}

type Tables = readonly [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];

/** Made at the first use, because importing the package should cost nothing. */
let tables: readonly Int32Array[] | undefined;

/** Table `k`, entry `n`: the checksum register after the byte `n` and `k` zero bytes. */
function createTables(): readonly Int32Array[] {
  const first = Int32Array.from({ length: 256 }, (_, value) => {
    let register = value;
    for (let bit = 0; bit < 8; bit++) register = (register >>> 1) ^ ((register & 1) === 1 ? polynomial : 0);
    return register;
  });
  const made = [first];
  for (let k = 1; k < 8; k++) {
    const before = made[k - 1] as Int32Array;
    made.push(before.map((register) => (register >>> 8) ^ (first[register & 0xff] as number)));
  }
  return made;
}

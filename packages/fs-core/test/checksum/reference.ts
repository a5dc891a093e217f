/**
 * CRC-64/NVME straight from its definition, one bit at a time over bigints: slow, and unlike anything it judges. The
 * generator is in normal order here, the data's bits in the order they are sent.
 */
export function referenceCrc64(bytes: Uint8Array, seed = 0n): bigint {
  const mask = 2n ** 64n - 1n;
  const generator = 0xad93d23594c93659n;
  let remainder = reversed(seed ^ mask);
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit += 1) {
      const carry = (remainder >> 63n) ^ BigInt((byte >> bit) & 1);
      remainder = ((remainder << 1n) & mask) ^ (carry === 1n ? generator : 0n);
    }
  }
  return reversed(remainder) ^ mask;
}

/** The 64 bits back to front. */
function reversed(value: bigint): bigint {
  let rest = value;
  let result = 0n;
  for (let bit = 0; bit < 64; bit += 1) {
    result = (result << 1n) | (rest & 1n);
    rest >>= 1n;
  }
  return result;
}

/** CRC-32C (Castagnoli, reflected polynomial 82F63B78), a table lookup a byte: Node has no ready-made one. */

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/** @param seed the checksum of what came before; 0 for nothing */
export function crc32c(bytes: Uint8Array, seed: number = 0): number {
  let crc = ~seed;
  for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 255] ?? 0);
  return ~crc >>> 0;
}

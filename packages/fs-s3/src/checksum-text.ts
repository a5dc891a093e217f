/** CRC-64/NVME as S3 writes it: the eight bytes, highest first, in base64. */
export function checksumText(checksum: bigint): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(checksum);
  return bytes.toString("base64");
}

/** @returns undefined for none, and for the checksum of checksums that ends in the number of parts */
export function parseChecksum(text: string | undefined): bigint | undefined {
  if (text === undefined || !/^[A-Za-z0-9+/]{11}=$/.test(text)) return undefined;
  return Buffer.from(text, "base64").readBigUInt64BE();
}

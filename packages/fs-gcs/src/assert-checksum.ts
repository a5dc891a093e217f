import { crc64Nvme, StoreError } from "@varve/fs-core";

/**
 * Cloud Storage knows CRC-32C only. Looking at the caller's CRC-64/NVME at the moment when the CRC-32C is computed leaves
 * no gap between the two in which bytes could change unseen.
 * @throws StoreError `CORRUPT`
 */
export function assertChecksum(bytes: Uint8Array, checksum: bigint | undefined): void {
  if (checksum === undefined || crc64Nvme(bytes) === checksum) return;
  throw new StoreError("CORRUPT", "the bytes do not have the checksum that came with them; nothing was sent");
}

/** The last look at what was stored. */
import { StoreError, type WriteCondition } from "@varve/fs-core";
import { formatCrc32c } from "./crc32c.ts";
import type { GcsClient } from "./gcs-client.ts";
import { objectPath, withQuery } from "./object-address.ts";
import type { WrittenObject } from "./object-resource.ts";

export interface WantedObject {
  readonly bucket: string;
  readonly name: string;
  readonly wanted: { readonly crc32c: number; readonly size: number };
  /** What was asked for tells what was there before, and is gone with what was stored over it. */
  readonly condition: WriteCondition;
  /** The next attempt sends all bytes again. */
  readonly isSentAgain: boolean;
  readonly signal: AbortSignal;
}

/**
 * Cloud Storage compares the checksum that it was told before it stores. This is for servers and proxies that do not: what
 * is stored wrongly is deleted, exactly that generation and nothing newer.
 * @throws StoreError `CORRUPT`; with `outcome` `none` only when it was deleted, and nothing was there before
 */
export async function assertWritten(
  client: GcsClient,
  { bucket, name, wanted, condition, isSentAgain, signal }: WantedObject,
  { generation, size, crc32c }: WrittenObject,
): Promise<void> {
  if (size === wanted.size && (crc32c === undefined || crc32c === wanted.crc32c)) return;
  let isGone = true;
  try {
    const path = withQuery(objectPath(bucket, name), { generation });
    await client.send({ method: "DELETE", target: { path }, changes: true, accepts: [404], signal });
  } catch {
    isGone = false;
  }
  const stored = `${size} bytes with CRC-32C ${crc32c === undefined ? "unknown" : formatCrc32c(crc32c)}`;
  throw new StoreError(
    "CORRUPT",
    `the store has ${stored}, and ${wanted.size} with ${formatCrc32c(wanted.crc32c)} were sent; ` +
      (isGone ? "it was deleted" : "it could not be deleted"),
    {
      outcome: isGone && condition.ifAbsent === true ? "none" : "unknown",
      // The version of `ifMatch` is not there any more: another attempt would blame somebody else for it.
      retryable: isGone && isSentAgain && condition.ifMatch === undefined,
    },
  );
}

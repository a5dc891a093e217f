import type { FileHandle } from "@varve/fs-core";
import type { ExpiringRecords } from "./expiry.ts";
import { readFooter } from "./sealed-segment.ts";
import type { LogSegment } from "./segment-catalog.ts";

/**
 * What is known of when the segment's records expire. A segment that is known from the index only is asked for its
 * footer, once.
 * @param open gives a handle to read the footer from; called only when it is needed
 * @returns undefined when the footer is damaged: then nobody knows
 * @throws StorageError
 */
export async function expiringRecordsOf(
  segment: LogSegment,
  open: () => Promise<FileHandle> | FileHandle,
): Promise<ExpiringRecords | undefined> {
  const known = knownExpiringRecordsOf(segment);
  const { sealed } = segment;
  if (known !== undefined || sealed === undefined) return known;
  const footer = await readFooter(await open(), sealed.fileLength);
  if (footer === undefined || footer.recordCount !== sealed.recordCount) return undefined;
  const { expiringCount, maxExpiresAtUs } = footer;
  segment.sealed = { ...sealed, expiry: { expiringCount, maxExpiresAtUs } };
  return knownExpiringRecordsOf(segment);
}

/** {@link expiringRecordsOf} without asking the file. */
export function knownExpiringRecordsOf({ live, sealed }: LogSegment): ExpiringRecords | undefined {
  if (live !== undefined) return live;
  if (sealed?.expiry === undefined) return undefined;
  return { count: sealed.recordCount, lastTimestampUs: sealed.lastTimestampUs, ...sealed.expiry };
}

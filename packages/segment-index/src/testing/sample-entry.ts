import type { NewSegmentEntry } from "../segment-entry.ts";

/** Records in each {@link sampleEntry}. */
const sampleRecords = 100;

/**
 * A finalized segment of 100 records, one every 10 µs, starting at `baseId * 10` µs. Entries whose base ids are 100 apart
 * follow each other without a hole.
 */
export function sampleEntry(baseId: number, fields: Partial<NewSegmentEntry> = {}): NewSegmentEntry {
  return {
    baseId,
    lastId: baseId + sampleRecords - 1,
    recordCount: sampleRecords,
    createdAt: 1_700_000_000_000 + baseId,
    finalizedAt: 1_700_000_000_500 + baseId,
    firstTimestampUs: baseId * 10,
    lastTimestampUs: (baseId + sampleRecords - 1) * 10,
    dataLength: 64 + sampleRecords * 96,
    originalSize: 64 + sampleRecords * 100 + 64,
    // Above 2^63, so that a signed read would show.
    uncompressedChecksum: 2n ** 63n + BigInt(baseId),
    epoch: 1,
    status: "finalized",
    localPath: `segment_${String(baseId).padStart(20, "0")}.log`,
    ...fields,
  };
}

/** The same segment while the log still appends to it, with nothing in it. */
export function activeEntry(baseId: number, fields: Partial<NewSegmentEntry> = {}): NewSegmentEntry {
  const { finalizedAt: _, ...entry } = sampleEntry(baseId);
  return {
    ...entry,
    lastId: baseId - 1,
    recordCount: 0,
    firstTimestampUs: 0,
    lastTimestampUs: 0,
    status: "active",
    ...fields,
  };
}

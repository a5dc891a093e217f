import type { SegmentIndex } from "../src/segment-index.ts";
import { activeEntry, sampleEntry, sampleLogId } from "../src/testing/index.ts";

/** The life of a log in small: segments are added, sealed, archived and deleted; cursors and the stamp move along. */
export async function fillIndex(index: SegmentIndex, segments: number): Promise<void> {
  await index.setWriterEpoch(3);
  for (let n = 0; n < segments; n++) {
    const baseId = 1 + 100 * n;
    await index.add(activeEntry(baseId));
    await index.setStamp({ logId: sampleLogId, epoch: 3, tailBaseId: baseId, tailLength: 64 });
    const { lastId, recordCount, firstTimestampUs, lastTimestampUs } = sampleEntry(baseId);
    await index.transition(baseId, "active", "finalized", { lastId, recordCount, firstTimestampUs, lastTimestampUs });
    await index.setCursor(`cursor-${n % 3}`, baseId);
    if (n >= 2) await archive(index, 1 + 100 * (n - 2));
    if (n >= 8 && n % 2 === 0) await index.remove(1 + 100 * (n - 8));
  }
  await index.deleteCursor("cursor-1");
}

async function archive(index: SegmentIndex, baseId: number): Promise<void> {
  await index.transition(baseId, "finalized", "archiving");
  await index.transition(baseId, "archiving", "archived", {
    archiveKey: `logs/${sampleLogId}/${baseId}.zst`,
    archiveStoreId: "0190b2f4-7e3a-7cc1-9d53-2f6f1f0a6f11",
    archivedAt: 1_700_000_001_000 + baseId,
    compressedSize: 3333,
    compressedChecksum: 2n ** 64n - BigInt(baseId),
    codec: "zstd",
  });
}

/** Everything a caller can see of an index. */
export interface VisibleState {
  readonly entries: readonly unknown[];
  readonly cursors: readonly unknown[];
  readonly epoch: number;
  readonly stamp: unknown;
}

export async function visibleState(index: SegmentIndex): Promise<VisibleState> {
  return {
    entries: await index.list(),
    cursors: await index.listCursors(),
    epoch: await index.writerEpoch(),
    stamp: await index.stamp(),
  };
}

export const emptyState: VisibleState = { entries: [], cursors: [], epoch: 0, stamp: undefined };

/** The same as text: two states are the same exactly when their texts are. */
export async function fingerprint(index: SegmentIndex): Promise<string> {
  return textOf(await visibleState(index));
}

export function textOf(value: unknown): string {
  return JSON.stringify(value, (_, field: unknown) => {
    if (typeof field === "bigint") return `${field}n`;
    if (typeof field !== "object" || field === null || Array.isArray(field)) return field;
    return Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

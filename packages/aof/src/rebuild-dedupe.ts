import { blockBytes, readBlock } from "./block-read.ts";
import type { DedupeWindow } from "./dedupe-window.ts";
import type { LogView } from "./log-view.ts";

/**
 * Reads the newest records for the keys they carry: at most `maxRecords` of them, once, when a log is opened.
 * @throws AofError `KEY_REQUIRED`, `CORRUPTED_RECORD`, `IO` and what else reading throws
 */
export async function rebuildDedupeWindow(
  window: DedupeWindow,
  view: LogView,
  lastId: number,
  maxRecords: number,
): Promise<void> {
  // A key is remembered for as long as the window says, whether or not its record has expired meanwhile.
  const everything: LogView = { ...view, expiry: { ttlUs: 0, nowUs: () => 0 } };
  for (let id = Math.max(view.firstId(), lastId - maxRecords + 1); id <= lastId; ) {
    const segment = view.catalog.segmentOf(id);
    if (segment === undefined) return;
    const open = view.cache.pin(segment);
    try {
      let offset = open.offsetOf(id);
      const last = Math.min(lastId, segment.lastId);
      while (id <= last) {
        const block = await readBlock(everything, open, id, offset, last, blockBytes);
        for (let index = 0; block.batch !== undefined && index < block.batch.count; index++) {
          const { id: firstId, timestampUs, dedupeKey, dedupeCount = 1 } = block.batch.record(index);
          if (dedupeKey === undefined) continue;
          window.note(dedupeKey, { firstId, lastId: firstId + dedupeCount - 1, timestampUs });
        }
        id = block.nextId;
        offset = block.nextOffset;
      }
    } finally {
      view.cache.unpin(open);
    }
  }
}

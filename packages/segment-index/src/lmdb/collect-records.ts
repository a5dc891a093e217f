import type { Change } from "../change.ts";
import { encodeEntry } from "../entry-codec.ts";
import type { RecordChanges } from "./environment.ts";
import { metadataRecord } from "./metadata-records.ts";

/** A run of changes as records, the last word on each: LMDB is told once about each key. */
export function collectRecords(changes: readonly Change[]): RecordChanges {
  let clear = false;
  const segments = new Map<number, Uint8Array | undefined>();
  const metadata = new Map<string, Uint8Array | undefined>();
  for (const change of changes) {
    if (change.kind === "put") segments.set(change.entry.baseId, encodeEntry(change.entry));
    else if (change.kind === "remove") segments.set(change.baseId, undefined);
    else if (change.kind === "clear") {
      clear = true;
      segments.clear();
    } else {
      const record = metadataRecord(change);
      if (record !== undefined) metadata.set(record.key, record.value);
    }
  }
  return { clear, segments, metadata };
}

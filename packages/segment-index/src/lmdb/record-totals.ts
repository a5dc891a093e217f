import type { Environment, RecordChanges } from "./environment.ts";
import { checksumOf } from "./metadata-records.ts";

/** Number and digest of the records of both databases, the state record aside. */
export interface RecordTotals {
  readonly segments: number;
  readonly segmentsDigest: bigint;
  readonly metadata: number;
  readonly metadataDigest: bigint;
}

export const noRecords: RecordTotals = { segments: 0, segmentsDigest: 0n, metadata: 0, metadataDigest: 0n };

/** The totals after a commit. `before` holds for what the environment has now. */
export function totalsAfter(before: RecordTotals, changes: RecordChanges, environment: Environment): RecordTotals {
  let [segments, segmentsDigest] = changes.clear ? [0, 0n] : [before.segments, before.segmentsDigest];
  let { metadata, metadataDigest } = before;
  for (const [baseId, value] of changes.segments) {
    const old = changes.clear ? undefined : environment.readSegment(baseId);
    segments += presence(value) - presence(old);
    segmentsDigest ^= share(value) ^ share(old);
  }
  for (const [key, value] of changes.metadata) {
    const old = environment.readMetadata(key);
    metadata += presence(value) - presence(old);
    metadataDigest ^= share(value) ^ share(old);
  }
  return { segments, segmentsDigest, metadata, metadataDigest };
}

function presence(value: Uint8Array | undefined): number {
  return value === undefined ? 0 : 1;
}

function share(value: Uint8Array | undefined): bigint {
  return value === undefined ? 0n : checksumOf(value);
}

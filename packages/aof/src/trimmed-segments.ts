import type { Manifest } from "./format/manifest-codec.ts";

/** Segments by whether retention is done with them. Base ids in ascending order. */
export interface SplitSegments {
  /** Wholly below MANIFEST's first id: no part of the log any more, whatever they hold. Gaps among them are normal. */
  readonly trimmed: readonly number[];
  readonly live: readonly number[];
}

/**
 * Tells the segments of the log from what a trim left behind. Pure, and without a look into any file: a trim removes
 * files in any order, and a crash may leave any of them.
 *
 * A segment ends where the next one begins. Behind the newest one stands the active segment, or, when there is none, the
 * end that MANIFEST promises; the active segment itself is never trimmed.
 */
export function splitTrimmed(baseIds: readonly number[], manifest: Manifest): SplitSegments {
  const isTrimmed = (baseId: number, index: number): boolean =>
    baseId !== manifest.active?.baseId && endOf(baseId, baseIds[index + 1], manifest) <= manifest.firstId;
  return {
    trimmed: baseIds.filter(isTrimmed),
    live: baseIds.filter((baseId, index) => !isTrimmed(baseId, index)),
  };
}

/** Whether the segment that MANIFEST calls its tail is wholly below the first id, and so need not exist. */
export function isTailTrimmed(manifest: Manifest): boolean {
  const { tail, firstId } = manifest;
  return tail !== undefined && endOf(tail.baseId, undefined, manifest) <= firstId;
}

/** The first id behind the segment, as far as names and MANIFEST tell; infinite when they do not. */
function endOf(baseId: number, nextListed: number | undefined, manifest: Manifest): number {
  const { active, promisedId } = manifest;
  const ends = [nextListed, active?.baseId ?? promisedId + 1].filter((end) => end !== undefined && end > baseId);
  return Math.min(...(ends as number[]));
}

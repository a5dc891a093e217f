/** Look-up by time. */
import { AofError } from "./errors.ts";
import { findTimestamp } from "./log-reader.ts";
import type { LogView, Visibility } from "./log-view.ts";

/**
 * Id of the oldest record that is not older than `timestampUs` and that `visibility` lets you see; undefined when all are
 * older. About log2(records of a segment) small reads.
 * @throws AofError `INVALID_ARGUMENT`, `CORRUPTED_RECORD`, `CORRUPTED_SEGMENT`, `IO`, `CLOSED`
 */
export function findId(
  view: LogView,
  { timestampUs }: { readonly timestampUs: number },
  visibility: Visibility,
): number | undefined {
  view.assertReadable();
  if (typeof timestampUs !== "number" || !Number.isFinite(timestampUs)) {
    throw new AofError("INVALID_ARGUMENT", `timestampUs: got ${String(timestampUs)}, want microseconds since 1970`);
  }
  const visibleId = view.visibleId(visibility);
  const id = Math.max(view.firstId(), findTimestamp(view, timestampUs, visibleId));
  return id <= visibleId ? id : undefined;
}

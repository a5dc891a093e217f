/**
 * Drops uploads that nobody will finish: what writers left that died. A living one's must not go, so age decides, and by the
 * store's clock alone: ours may be wrong by hours.
 */
import type { Random } from "../random.ts";
import { systemRandom } from "../random.ts";
import type { CallOptions, IncompleteUpload, ObjectStore } from "./object-store.ts";
import { StoreError } from "./store-error.ts";
import { newPutId } from "./write-request.ts";

/** What {@link sweepUploads} takes away. */
export interface SweepUploadsOptions extends Pick<CallOptions, "signal"> {
  /** Only uploads below it. Default: all. */
  readonly prefix?: string;
  /** Only uploads that were begun at least so long ago, in milliseconds, 0 or more. Default a day: longer than any takes. */
  readonly minAgeMs?: number;
  /** Only say which. Default false. */
  readonly dryRun?: boolean;
}

/** What a sweep found. */
export interface SweptUploads {
  /** Dropped, or with `dryRun` old enough to be. */
  readonly swept: readonly IncompleteUpload[];
  /** Too young, or of an age that the store does not tell. */
  readonly kept: number;
}

const dayMs = 24 * 60 * 60 * 1000;

/**
 * @throws StoreError `INVALID_ARGUMENT`, `UNSUPPORTED` where the store cannot list uploads or drop them, and what its
 * requests throw
 */
export async function sweepUploads(
  store: ObjectStore,
  options: SweepUploadsOptions = {},
  parts: { readonly random?: Random } = {},
): Promise<SweptUploads> {
  const { prefix = "", minAgeMs = dayMs, dryRun = false, signal } = options;
  if (!Number.isFinite(minAgeMs) || minAgeMs < 0) {
    throw new StoreError("INVALID_ARGUMENT", `sweepUploads: minAgeMs: got ${minAgeMs}, want 0 or more`, {
      operation: "sweepUploads",
      store: store.url,
    });
  }
  if (!store.capabilities.abortUploads) {
    throw new StoreError("UNSUPPORTED", "sweepUploads: the store forgets uploads by itself, after some days", {
      operation: "sweepUploads",
      store: store.url,
    });
  }
  const call = signal === undefined ? {} : { signal };
  const uploads = store.listIncompleteUploads({ prefix, ...call });
  const nowMs = await storeNowMs(store, parts.random ?? systemRandom, call);
  const swept: IncompleteUpload[] = [];
  let kept = 0;
  for await (const upload of uploads) {
    if (upload.startedMs === undefined || nowMs - upload.startedMs < minAgeMs) {
      kept++;
      continue;
    }
    if (!dryRun) await store.abortIncompleteUpload(upload, call);
    swept.push(upload);
  }
  return { swept, kept };
}

/** What the store's clock says: the time of an object that was put just now. */
async function storeNowMs(store: ObjectStore, random: Random, call: CallOptions): Promise<number> {
  const key = `varve-probe/${newPutId(random)}/clock`;
  try {
    await store.put(key, new Uint8Array(0), call);
    const found = await store.head(key, call);
    if (found !== undefined) return found.lastModifiedMs;
    throw new StoreError("IO", "sweepUploads: an object that was put is not there", { key, operation: "sweepUploads" });
  } finally {
    await store.delete(key).catch(() => {});
  }
}

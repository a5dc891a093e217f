import { AofError, type AofErrorCode } from "./errors.ts";
import type { ExpiryPolicy } from "./expiry.ts";
import type { LogKeys } from "./keys/log-keys.ts";
import type { ReadBuffers } from "./read-ahead.ts";
import type { SegmentCache } from "./segment-cache.ts";
import type { SegmentCatalog } from "./segment-catalog.ts";

/** Which records a reader may see. */
export type Visibility =
  /** Only what power loss cannot take any more. The default of a log open for writing. */
  | "durable"
  /** Also what was handed to the operating system: a process kill cannot take it, power loss can. */
  | "written";

/** What readers need from a log, whether it is open for writing here or followed from another process. */
export interface LogView {
  readonly catalog: SegmentCatalog;
  readonly cache: SegmentCache;
  /** For readers that read ahead. */
  readonly readBuffers: ReadBuffers;
  /** For encrypted records; undefined when the log was opened without keys. */
  readonly keys: LogKeys | undefined;
  /** Records that it calls expired are never handed out. */
  readonly expiry: ExpiryPolicy;
  /** The oldest record, or the next id when there is none. */
  firstId(): number;
  /** {@link firstId} as the directory says now: somebody else may have trimmed the log. Asked when a read failed. */
  latestFirstId(): number;
  /** The newest record that a reader of this visibility may see. */
  visibleId(visibility: Visibility): number;
  /** Resolves true when a record after `id` may be seen, false when the log was closed. */
  waitBeyond(id: number, visibility: Visibility, signal: AbortSignal | undefined): Promise<boolean>;
  /** @throws AofError `CLOSED` */
  assertReadable(): void;
  /** Counts a reader in. @throws AofError `READER_LIMIT_EXCEEDED` */
  readerOpened(): void;
  readerClosed(): void;
  noteReads(records: number): void;
}

/** @throws AofError `INVALID_ARGUMENT`, `RECORD_TRIMMED` */
export function assertReadableId(view: LogView, id: number, name: string): void {
  if (!Number.isSafeInteger(id) || id < 1) {
    throw new AofError("INVALID_ARGUMENT", `${name}: got ${String(id)}, want a record id: an integer in 1..2^53-1`);
  }
  const firstId = view.firstId();
  if (id < firstId) throw trimmedError(id, firstId);
}

function trimmedError(id: number, firstId: number): AofError {
  return new AofError("RECORD_TRIMMED", `record ${id} was removed by retention; the oldest is ${firstId}`, {
    recordId: id,
    earliestId: firstId,
  });
}

/**
 * What a failed read of record `id` means: its segment may have been trimmed while, or since, it was looked up.
 * @returns `RECORD_TRIMMED`, or `error` when the record still belongs to the log
 */
export function trimmedOr(error: unknown, view: LogView, id: number): unknown {
  if (!(error instanceof AofError) || !raceCodes.includes(error.code)) return error;
  try {
    const firstId = view.latestFirstId();
    return id < firstId ? trimmedError(id, firstId) : error;
  } catch {
    // The failure that led here says more than that of looking why.
    return error;
  }
}

/** What a file that went away looks like, to whoever was about to read it. */
const raceCodes: readonly AofErrorCode[] = ["CORRUPTED_SEGMENT", "CORRUPTED_RECORD", "NOT_FOUND", "IO", "CLOSED"];

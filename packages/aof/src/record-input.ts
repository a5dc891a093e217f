import type { AppendConditions, Durability } from "./append-conditions.ts";
import type { RecordHeaders } from "./content/attributes.ts";
import { AofError } from "./errors.ts";
import { describe } from "./describe.ts";
import { maxPayloadBytes } from "./settings.ts";

/** Options of a single append. */
export interface AppendOptions extends AppendConditions {
  /**
   * The record's time in µs since 1970. Times in a log never fall, so that a look-up by time is a binary search: one
   * lower than the record before it is raised to that record's. (A log that was opened when all its records had been
   * removed begins anew.) Default: the clock's.
   */
  readonly timestampUs?: number;
  /**
   * Text that travels with the record: at most 64 headers with names of 1 to 255 bytes as UTF-8, together at most 64 KiB.
   * Encrypted with the payload. In a batch: of the records that name none of their own.
   */
  readonly headers?: RecordHeaders;
  /**
   * The record expires so long after its time: 1 to 2^42 ms. The moment is stored in the clear, even when the record is
   * encrypted. In a batch: of the records that name none of their own.
   */
  readonly ttlMs?: number;
  /**
   * How far it has got when the append returns, whatever the flush strategy: `written` and `durable` block until it is.
   * Default: what the strategy says. While a large write is under way in the thread pool they refuse with `BACKPRESSURE`.
   */
  readonly durability?: Durability;
}

/** A record of a batch, with what only it carries. */
export interface BatchRecord {
  readonly payload: Uint8Array;
  readonly headers?: RecordHeaders;
  readonly ttlMs?: number;
}

/** Options of an append that waits. */
export interface DurableAppendOptions extends Omit<AppendOptions, "durability"> {
  /** Ends the wait with `ABORTED`. The record stays appended and becomes durable with the next flush. */
  readonly signal?: AbortSignal;
}

/** @throws AofError `INVALID_ARGUMENT`, `SEGMENT_FULL` */
export function assertPayload(payload: Uint8Array, segmentSizeBytes: number): void {
  if (!(payload instanceof Uint8Array)) {
    throw new AofError("INVALID_ARGUMENT", `a record is a Uint8Array, got ${describe(payload)}`);
  }
  if (payload.length === 0 && payload.buffer instanceof ArrayBuffer && payload.buffer.detached) {
    throw new AofError("INVALID_ARGUMENT", "the record's buffer is detached: it was transferred elsewhere");
  }
  if (payload.length > maxPayloadBytes(segmentSizeBytes)) {
    throw new AofError(
      "SEGMENT_FULL",
      `a record of ${payload.length} bytes does not fit a segment of ${segmentSizeBytes}: at most ${maxPayloadBytes(segmentSizeBytes)}; raise segmentSizeBytes or split it`,
    );
  }
}

/** @throws AofError `INVALID_ARGUMENT` */
export function assertTimestamp(timestampUs: number): void {
  if (!(Number.isSafeInteger(timestampUs) && timestampUs >= 0)) {
    throw new AofError("INVALID_ARGUMENT", `timestampUs: got ${describe(timestampUs)}, want whole µs since 1970`);
  }
}

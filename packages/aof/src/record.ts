import type { RecordHeaders } from "./content/attributes.ts";

/** One record as a reader gets it. */
export interface AofRecord {
  readonly id: number;
  /** µs since 1970, never lower than that of the record before it. */
  readonly timestampUs: number;
  /** Yours: a copy that nothing else refers to, or a view of a block that is never written again. */
  readonly payload: Uint8Array;
  /** The headers it was appended with; absent when there were none. An object without a prototype. */
  readonly headers?: RecordHeaders;
  /** When it expires, µs since 1970; absent when it carries no expiry of its own. */
  readonly expiresAtUs?: number;
  /** The dedupe key it was appended with, of a batch on its first record; absent when there was none. */
  readonly dedupeKey?: string;
  /** Records of the batch that the key names; absent for one. */
  readonly dedupeCount?: number;
}

/** What an append asks for besides its record: conditions under which it is made, and how far it must have got. */
import type { DedupeWindow, KeyedRecords } from "./dedupe-window.ts";
import { assertDedupeKey } from "./dedupe-window.ts";
import { describe } from "./describe.ts";
import { AofError } from "./errors.ts";

/** How far a record must have got before an append returns. */
export type Durability =
  /** In this process's memory: what `append` does by itself, but for the `sync` strategy. */
  | "buffered"
  /** With the operating system: a kill of this process cannot take it. */
  | "written"
  /** On the disk: power loss cannot take it. */
  | "durable";

/** Conditions of one append. */
export interface AppendConditions {
  /** Append only if the record, of a batch the first, gets this id; else `UNEXPECTED_ID`. */
  readonly expectedId?: number;
  /**
   * Names what is appended, 1 to 255 bytes of UTF-8. If a record in the log's `dedupeWindow` was appended with the same key
   * (a batch: as a whole), nothing is appended and that one's id is the answer. Stored with the record.
   */
  readonly dedupeKey?: string;
}

const durabilities: readonly Durability[] = ["buffered", "written", "durable"];

/** @throws AofError `INVALID_ARGUMENT` */
export function assertDurability(durability: unknown): void {
  if (durability === undefined || (durabilities as readonly unknown[]).includes(durability)) return;
  throw new AofError("INVALID_ARGUMENT", `durability: got ${describe(durability)}, want ${durabilities.join(", ")}`);
}

/** @throws AofError `INVALID_ARGUMENT`: appends that wait for power loss wait for nothing less */
export function refuseDurability(options: object | undefined): void {
  if (options === undefined || !("durability" in options) || options.durability === undefined) return;
  throw new AofError("INVALID_ARGUMENT", "durability: this append waits until the record is durable; use append");
}

/**
 * The records that already answer for an append with these conditions, undefined when it is to be made.
 * @param lastId the newest record's
 * @param nowUs the time that the record would get
 * @throws AofError `INVALID_ARGUMENT`, `UNEXPECTED_ID`
 */
export function judgeConditions(
  { expectedId, dedupeKey }: AppendConditions,
  window: DedupeWindow | undefined,
  lastId: number,
  nowUs: number,
): KeyedRecords | undefined {
  if (expectedId !== undefined && !(Number.isSafeInteger(expectedId) && expectedId >= 1)) {
    throw new AofError("INVALID_ARGUMENT", `expectedId: got ${describe(expectedId)}, want an id: 1..2^53-1`);
  }
  if (dedupeKey !== undefined) {
    assertDedupeKey(dedupeKey);
    if (window === undefined) {
      throw new AofError("INVALID_ARGUMENT", "dedupeKey: this log was opened without the setting dedupeWindow");
    }
    // First: a conditional append that is tried again has found its own success.
    const known = window.find(dedupeKey, lastId, nowUs);
    if (known !== undefined) return known;
  }
  if (expectedId !== undefined && expectedId !== lastId + 1) {
    throw new AofError(
      "UNEXPECTED_ID",
      `the next record gets id ${lastId + 1}, not ${expectedId}: somebody else appended. Read what came, then decide again.`,
      { nextId: lastId + 1 },
    );
  }
  return undefined;
}

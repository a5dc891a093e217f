/**
 * Which dedupe keys the newest records carry. Pure state; no I/O.
 *
 * Always true:
 *  I1  entries are in id order, oldest first, one for each key
 *  I2  after `note` or `find`, no entry is `maxRecords` or more ids older than the newest record it was told of, nor
 *      older than `maxAgeMs` when there is such a bound
 */
import { AofError } from "./errors.ts";
import { describe } from "./describe.ts";

/** How far back a dedupe key is recognised. */
export interface DedupeWindowSettings {
  /** Records, those without a key included. 1 to 10 million. Default 100 000. */
  readonly maxRecords?: number;
  /** By the records' times. 1 ms or more. Default: no bound. */
  readonly maxAgeMs?: number;
}

/** Every bound decided. */
export interface ResolvedDedupeWindow {
  readonly maxRecords: number;
  readonly maxAgeMs: number | undefined;
}

/** The records that were appended with a key. */
export interface KeyedRecords {
  readonly firstId: number;
  readonly lastId: number;
  readonly timestampUs: number;
}

const maxKeyBytes = 255;

export class DedupeWindow {
  readonly #settings: ResolvedDedupeWindow;
  /** A map keeps the order in which keys were noted. */
  readonly #entries = new Map<string, KeyedRecords>();

  constructor(settings: ResolvedDedupeWindow) {
    this.#settings = settings;
  }

  get size(): number {
    return this.#entries.size;
  }

  /**
   * The records that were appended with `key`, undefined when there are none in the window.
   * @param lastId the newest record's
   * @param nowUs the time the next record would get
   */
  find(key: string, lastId: number, nowUs: number): KeyedRecords | undefined {
    const found = this.#entries.get(key);
    return found !== undefined && this.#holds(found, lastId, nowUs) ? found : undefined;
  }

  /** `records`, the newest there are, carry `key`. */
  note(key: string, records: KeyedRecords): void {
    // Again at the end of the order: the older one has left the window.
    this.#entries.delete(key);
    this.#entries.set(key, records);
    for (const [oldest, entry] of this.#entries) {
      if (this.#holds(entry, records.lastId, records.timestampUs)) return;
      this.#entries.delete(oldest);
    }
  }

  #holds({ lastId, timestampUs }: KeyedRecords, newestId: number, nowUs: number): boolean {
    const { maxRecords, maxAgeMs } = this.#settings;
    return newestId - lastId < maxRecords && (maxAgeMs === undefined || nowUs - timestampUs <= maxAgeMs * 1000);
  }
}

/** @param input what was given as `dedupeWindow`; undefined: no window */
export function resolveDedupeWindow(input: unknown, problems: string[]): ResolvedDedupeWindow | undefined {
  if (input === undefined) return undefined;
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    problems.push(`dedupeWindow: got ${describe(input)}, want an object`);
    return undefined;
  }
  const { maxRecords = 100_000, maxAgeMs, ...unknown } = input as DedupeWindowSettings;
  for (const name of Object.keys(unknown)) problems.push(`dedupeWindow.${name}: no such setting`);
  if (!isIntegerIn(maxRecords, 10_000_000)) {
    problems.push(`dedupeWindow.maxRecords: got ${describe(maxRecords)}, want an integer in 1..10000000`);
  }
  if (maxAgeMs !== undefined && !isIntegerIn(maxAgeMs, 2 ** 42)) {
    problems.push(`dedupeWindow.maxAgeMs: got ${describe(maxAgeMs)}, want an integer in 1..2^42`);
  }
  return Object.freeze({ maxRecords, maxAgeMs });
}

function isIntegerIn(value: unknown, high: number): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= high;
}

/** @throws AofError `INVALID_ARGUMENT` */
export function assertDedupeKey(key: unknown): asserts key is string {
  const bytes = typeof key === "string" && key.isWellFormed() ? Buffer.byteLength(key) : 0;
  if (bytes >= 1 && bytes <= maxKeyBytes) return;
  // The key itself may be private.
  throw new AofError(
    "INVALID_ARGUMENT",
    `dedupeKey: got ${typeof key === "string" ? `${bytes} bytes` : typeof key}, want 1..${maxKeyBytes} bytes of UTF-8`,
  );
}

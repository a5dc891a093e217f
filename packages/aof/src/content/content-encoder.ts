/**
 * Makes the bodies of appended records: what the settings and each record's options ask for.
 *
 * Always true:
 *  I1  the data key held is that of `#segment` and `#generation`; it is let go of when another one takes its place
 *  I2  `plan` may be called for records that are refused later; `encode` only for one that has its id for good, so that no
 *      (data key, id) ever covers two contents
 */
import type { KeyObject } from "node:crypto";
import { AofError } from "../errors.ts";
import type { LogKeys } from "../keys/log-keys.ts";
import { describe } from "../describe.ts";
import { encodeAttributes, type RecordHeaders } from "./attributes.ts";
import { BodyProblem } from "./body-problem.ts";
import type { Compression } from "./compression.ts";
import { encodeBody, planBody, type PlannedBody } from "./record-body.ts";
import type { KeyedSegment } from "./record-cipher.ts";

/** What a record may carry besides its payload. */
export interface ContentOptions {
  readonly headers?: RecordHeaders;
  readonly ttlMs?: number;
  readonly dedupeKey?: string;
  /** Records that the key names. Default 1. */
  readonly dedupeCount?: number;
}

/** 139 years: its end in µs is a safe integer for any time of now. */
const maxTtlMs: number = 2 ** 42;

export class ContentEncoder {
  readonly #compression: Compression | undefined;
  readonly #keys: LogKeys | undefined;
  readonly #epoch: number;
  #segment: KeyedSegment | undefined;
  #generation = 0;
  #key: KeyObject | undefined;

  /**
   * @param keys encrypts with their current generation; undefined: in the clear
   * @param epoch of this writer
   */
  constructor(compression: Compression | undefined, keys: LogKeys | undefined, epoch: number) {
    this.#compression = compression;
    this.#keys = keys;
    this.#epoch = epoch;
  }

  /** Whether a record without options is stored as it is. */
  get isPlain(): boolean {
    return this.#compression === undefined && this.#keys === undefined;
  }

  /** @param payload borrowed until `encode` returned. @throws AofError `INVALID_ARGUMENT`, `COMPRESSION` */
  plan(payload: Uint8Array, options: ContentOptions, timestampUs: number): PlannedBody {
    const problems: string[] = [];
    const expiresAtUs = options.ttlMs === undefined ? 0 : expiryOf(options.ttlMs, timestampUs, problems);
    const attributes = encodeAttributes(options.headers, options.dedupeKey, problems, options.dedupeCount);
    if (problems.length > 0) throw new AofError("INVALID_ARGUMENT", problems.join("\n"));
    try {
      return planBody(payload, attributes, expiresAtUs, this.#compression, this.#keys?.currentGeneration ?? 0);
    } catch (error) {
      if (!(error instanceof BodyProblem)) throw error;
      throw new AofError(error.code, `a record of ${payload.length} bytes ${error.message}`, { cause: error.cause });
    }
  }

  /** The bytes of a planned body, for the place it got. @param flags the record's, batch mark included */
  encode(plan: PlannedBody, segment: SegmentSalts, id: number, timestampUs: number, flags: number): Uint8Array {
    const generation = plan.codecBits >>> 8;
    if (this.#segment?.baseId !== segment.baseId || this.#generation !== generation) this.#take(segment, generation);
    return encodeBody(plan, this.#key, this.#segment as KeyedSegment, id, timestampUs, flags);
  }

  /** Lets go of the data key. */
  close(): void {
    this.#key = undefined;
    this.#segment = undefined;
  }

  #take({ baseId, saltLow, saltHigh }: SegmentSalts, generation: number): void {
    this.close();
    this.#segment = { baseId, epoch: this.#epoch, saltLow, saltHigh };
    this.#generation = generation;
    this.#key = generation === 0 ? undefined : this.#keys?.newDataKey(this.#segment, generation);
  }
}

/** What an active segment knows of itself. */
interface SegmentSalts {
  readonly baseId: number;
  readonly saltLow: number;
  readonly saltHigh: number;
}

function expiryOf(ttlMs: number, timestampUs: number, problems: string[]): number {
  const expiresAtUs = timestampUs + ttlMs * 1000;
  if (!Number.isInteger(ttlMs) || ttlMs < 1 || ttlMs > maxTtlMs) {
    problems.push(`ttlMs: got ${describe(ttlMs)}, want an integer in 1..2^42`);
  } else if (!Number.isSafeInteger(expiresAtUs)) {
    problems.push("ttlMs: the record would expire after 2^53 µs");
  }
  return expiresAtUs;
}

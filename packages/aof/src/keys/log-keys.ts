/**
 * A log's keys in memory, and the data keys derived from them. No I/O.
 *
 * Always true:
 *  I1  keys are in private fields only: no inspection, no JSON, no message holds a byte of them
 *  I2  at most {@link dataKeysMax} data keys are kept
 *  I3  after `close` there is none, and none can be had
 */
import type { KeyObject } from "node:crypto";
import type { KeyedSegment } from "../content/record-cipher.ts";
import { BodyProblem } from "../content/body-problem.ts";
import type { KeyEntry } from "../format/keys-codec.ts";
import { deriveDataKey } from "./key-derivation.ts";

/** Data keys kept for readers: as many as segments are usually open, at 10 µs to derive one again. */
const dataKeysMax = 128;

export class LogKeys {
  /** 32 hexadecimal digits: whose keys these are. */
  readonly logId: string;
  readonly #generations = new Map<number, Uint8Array>();
  /** By generation and segment, in order of first use. */
  readonly #dataKeys = new Map<string, KeyObject>();
  #newest: { readonly segment: KeyedSegment; readonly generation: number; readonly key: KeyObject } | undefined;
  #current = 0;
  #entries: readonly KeyEntry[] = [];

  constructor(logId: string) {
    this.logId = logId;
  }

  /** The generation that encrypts now, 0 when there is none yet. */
  get currentGeneration(): number {
    return this.#current;
  }

  /** The keys as they are stored: wrapped. */
  get entries(): readonly KeyEntry[] {
    return this.#entries;
  }

  has(generation: number): boolean {
    return this.#generations.has(generation);
  }

  /**
   * Takes the keys of `entries` that are new. The last entry's is the current one from now on.
   * @param unwrapped by generation; owned from now on, those that are known already wiped
   */
  adopt(entries: readonly KeyEntry[], unwrapped: ReadonlyMap<number, Uint8Array>): void {
    for (const [generation, key] of unwrapped) {
      if (this.#generations.has(generation)) key.fill(0);
      else this.#generations.set(generation, key);
    }
    this.#entries = entries;
    this.#current = entries.at(-1)?.generation ?? 0;
  }

  /** A copy of a generation's key, to be wrapped; the caller wipes it. */
  copyOf(generation: number): Uint8Array {
    return new Uint8Array(this.#generation(generation));
  }

  /** The data key of a segment, for reading. @throws BodyProblem `CORRUPTED_KEYS` */
  dataKey(segment: KeyedSegment, generation: number): KeyObject {
    const newest = this.#newest;
    if (newest?.segment === segment && newest.generation === generation) return newest.key;
    const name = `${generation} ${segment.baseId} ${segment.epoch} ${segment.saltLow} ${segment.saltHigh}`;
    let key = this.#dataKeys.get(name);
    if (key === undefined) {
      key = this.newDataKey(segment, generation);
      this.#dataKeys.set(name, key);
      if (this.#dataKeys.size > dataKeysMax) this.#dropOldest();
    }
    this.#newest = { segment, generation, key };
    return key;
  }

  /** The same, not kept here. @throws BodyProblem `CORRUPTED_KEYS` */
  newDataKey(segment: KeyedSegment, generation: number): KeyObject {
    return deriveDataKey(this.#generation(generation), segment);
  }

  /** Wipes every key, and lets go of the data keys. */
  close(): void {
    for (const key of this.#generations.values()) key.fill(0);
    this.#generations.clear();
    this.#dataKeys.clear();
    this.#newest = undefined;
  }

  #generation(generation: number): Uint8Array {
    const key = this.#generations.get(generation);
    if (key === undefined) {
      throw new BodyProblem("CORRUPTED_KEYS", `is encrypted with key ${generation}, which KEYS does not have`);
    }
    return key;
  }

  #dropOldest(): void {
    for (const name of this.#dataKeys.keys()) {
      this.#dataKeys.delete(name);
      return;
    }
  }
}

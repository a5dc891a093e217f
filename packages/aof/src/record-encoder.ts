import type { ChecksumMemory } from "@varve/fs-core";
import { recordHeaderBytes, recordVersion } from "./format/record-layout.ts";

/**
 * Writes one record into checksum memory: header, payload, zero padding. Its checksum comes later, for a whole run of
 * records at once ({@link sealRecords}): a call for each costs a quarter more. The append path: no allocation, no bigint,
 * no view made per call. `Int32Array` stores are little-endian on every platform this runs on ({@link assertLittleEndian}).
 */
export class RecordEncoder {
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;

  constructor(memory: ChecksumMemory) {
    this.#bytes = new Uint8Array(memory.buffer);
    this.#words = new Int32Array(memory.buffer);
  }

  /**
   * @param at multiple of 8; `recordBytes(payload.length)` bytes from here are overwritten
   * @param bits codec and key bits, 0 for a plain body
   * @param durableDistance bytes between the synced end of the segment and this record
   */
  encode(
    at: number,
    payload: Uint8Array,
    id: number,
    timestampUs: number,
    flags: number,
    bits: number,
    durableDistance: number,
  ): void {
    const words = this.#words;
    const size = payload.length;
    const word = at >>> 2;
    words[word + 1] = size;
    words[word + 2] = id;
    words[word + 3] = id / 0x100000000;
    words[word + 4] = timestampUs;
    words[word + 5] = timestampUs / 0x100000000;
    words[word + 6] = recordVersion | (flags << 8) | (bits << 16);
    words[word + 7] = durableDistance / 8;
    const payloadAt = at + recordHeaderBytes;
    // The padding lies in the last 8 bytes; the payload then covers the rest of them.
    if ((size & 7) !== 0) {
      const lastWord = ((payloadAt + size) >>> 3) << 1;
      words[lastWord] = 0;
      words[lastWord + 1] = 0;
    }
    this.#bytes.set(payload, payloadAt);
  }
}

/** Writes the checksums of the records that fill `[at, at + length)`. */
export function sealRecords(
  memory: ChecksumMemory,
  at: number,
  length: number,
  salt: { readonly saltLow: number; readonly saltHigh: number },
): void {
  memory.engine.sealFrames(at, length, recordHeaderBytes, salt.saltLow, salt.saltHigh);
}

/** @throws RangeError on a big-endian machine: header fields are stored through typed arrays */
export function assertLittleEndian(): void {
  if (new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1) {
    throw new RangeError("Varve's log runs on little-endian machines only");
  }
}

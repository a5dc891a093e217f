import { createHash, type Hash } from "node:crypto";

/**
 * SHA-256 over a run of records: of each its length (u32, little-endian) and its bytes, so that two runs with the same
 * bytes but other borders differ. A writer and a checker that agree on it saw the same records.
 */
export class ContentHash {
  readonly #hash: Hash = createHash("sha256");
  readonly #length = new Uint8Array(4);
  readonly #view = new DataView(this.#length.buffer);

  add(record: Uint8Array): void {
    this.#view.setUint32(0, record.length, true);
    this.#hash.update(this.#length).update(record);
  }

  /** Of everything added so far, in hex. More can be added afterwards. */
  digest(): string {
    return this.#hash.copy().digest("hex");
  }
}

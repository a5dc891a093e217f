/** Memory of a part that is being filled. Begins small, because most objects are, and grows up to the part's size. */
const firstBytes = 64 * 1024;

export class PartBuffer {
  /** Bytes that it takes. */
  readonly limit: number;
  /** Whether the memory is the caller's: it is never written to, nor used for another part. */
  readonly isBorrowed: boolean;
  #memory: Uint8Array;
  #length = 0;

  /** @param borrowed what it holds, all there will be; left out: nothing, in memory of its own */
  constructor(limit: number, borrowed?: Uint8Array) {
    this.limit = limit;
    this.isBorrowed = borrowed !== undefined;
    this.#memory = borrowed ?? new Uint8Array(Math.min(limit, firstBytes));
    this.#length = borrowed?.byteLength ?? 0;
  }

  /** A full one that looks at `bytes` where they lie. */
  static over(bytes: Uint8Array): PartBuffer {
    return new PartBuffer(bytes.byteLength, bytes);
  }

  get isFull(): boolean {
    return this.#length === this.limit;
  }

  /** What it holds; a view. */
  get bytes(): Uint8Array {
    return this.#memory.subarray(0, this.#length);
  }

  /** Copies from the beginning of `bytes`. @returns how many */
  take(bytes: Uint8Array): number {
    const taken = Math.min(bytes.byteLength, this.limit - this.#length);
    const needed = this.#length + taken;
    if (needed > this.#memory.byteLength) {
      const larger = new Uint8Array(Math.min(this.limit, Math.max(needed, this.#memory.byteLength * 4)));
      larger.set(this.bytes);
      this.#memory = larger;
    }
    this.#memory.set(bytes.subarray(0, taken), this.#length);
    this.#length = needed;
    return taken;
  }

  /** Empties it; the memory stays. */
  clear(): void {
    this.#length = 0;
  }
}

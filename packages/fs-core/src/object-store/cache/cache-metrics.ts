/** What a cache was good for. */

/** At one moment, of all stores that share the cache. */
export interface CacheMetrics {
  /** Parts that were read from the cache. */
  readonly hits: number;
  /** Parts that were looked for and not there, or not whole. */
  readonly misses: number;
  /** Of parts that were read from the cache. */
  readonly hitBytes: number;
  /** Of parts that were written to the cache. */
  readonly storedBytes: number;
  readonly evictions: number;
  /** Parts that were dropped because their files were damaged, or could not be read. */
  readonly corrupt: number;
  /** Failures of the file system. Nothing else fails for them. */
  readonly failures: number;
  /** Parts that are there. */
  readonly parts: number;
  /** What they take, of `maxBytes`. */
  readonly usedBytes: number;
}

export class CacheCounters {
  #hits = 0;
  #misses = 0;
  #hitBytes = 0;
  #storedBytes = 0;
  #evictions = 0;
  #corrupt = 0;
  #failures = 0;

  /** @param bytes undefined for a miss */
  noteRead(bytes: number | undefined): void {
    if (bytes === undefined) {
      this.#misses++;
      return;
    }
    this.#hits++;
    this.#hitBytes += bytes;
  }

  noteStored(bytes: number): void {
    this.#storedBytes += bytes;
  }

  noteEviction(): void {
    this.#evictions++;
  }

  noteCorrupt(): void {
    this.#corrupt++;
  }

  noteFailure(): void {
    this.#failures++;
  }

  snapshot(parts: number, usedBytes: number): CacheMetrics {
    return {
      hits: this.#hits,
      misses: this.#misses,
      hitBytes: this.#hitBytes,
      storedBytes: this.#storedBytes,
      evictions: this.#evictions,
      corrupt: this.#corrupt,
      failures: this.#failures,
      parts,
      usedBytes,
    };
  }
}

/**
 * Which parts a cache has, and which goes next: second chance, an approximation of least recently used that costs one bit.
 *
 * Always true: `keys` holds exactly the names of `entries`, by the digests of their keys.
 */
import { keyDigestOf } from "./part-name.ts";

/** A part's file. Compared by identity: a file that was written anew has another. */
export interface PartEntry {
  /** What it takes of the cache. */
  readonly chargedBytes: number;
  /** Read since it was last considered for eviction. */
  isUsed: boolean;
}

export class PartIndex {
  // In order of consideration: the first is considered next.
  readonly #entries = new Map<string, PartEntry>();
  readonly #keys = new Map<string, Set<string>>();

  get size(): number {
    return this.#entries.size;
  }

  get(name: string): PartEntry | undefined {
    return this.#entries.get(name);
  }

  /** @returns what it replaced */
  set(name: string, entry: PartEntry): PartEntry | undefined {
    const before = this.#entries.get(name);
    this.delete(name);
    this.#entries.set(name, entry);
    const names = this.#keys.get(keyDigestOf(name)) ?? new Set();
    this.#keys.set(keyDigestOf(name), names.add(name));
    return before;
  }

  delete(name: string): void {
    if (!this.#entries.delete(name)) return;
    const names = this.#keys.get(keyDigestOf(name));
    names?.delete(name);
    if (names?.size === 0) this.#keys.delete(keyDigestOf(name));
  }

  /** Names of all parts of a key. */
  namesOf(keyDigest: string): string[] {
    return [...(this.#keys.get(keyDigest) ?? [])];
  }

  /** Who goes next; it stays in the index. */
  victim(): { readonly name: string; readonly entry: PartEntry } | undefined {
    // At most once around: each step takes a bit away.
    for (const [name, entry] of this.#entries) {
      if (!entry.isUsed) return { name, entry };
      entry.isUsed = false;
      this.#entries.delete(name);
      this.#entries.set(name, entry);
    }
    return undefined;
  }
}

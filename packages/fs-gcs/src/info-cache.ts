/**
 * What was last known of some objects, by version. The bytes of a version never change, its metadata may: who uses an
 * entry compares `metageneration` with what the store says.
 */
import type { GcsObjectInfo } from "./object-resource.ts";

/** Metadata has up to 8 KiB, so this is at most about 3 MiB. */
const entriesMax = 256;

export class InfoCache {
  readonly #entries = new Map<string, GcsObjectInfo>();

  get(key: string, version: string): GcsObjectInfo | undefined {
    const found = this.#entries.get(key);
    if (found?.version !== version) return undefined;
    this.set(found);
    return found;
  }

  /** The one used longest ago makes room. */
  set(info: GcsObjectInfo): void {
    this.#entries.delete(info.key);
    this.#entries.set(info.key, info);
    const oldest = this.#entries.keys().next();
    if (this.#entries.size > entriesMax && oldest.done === false) this.#entries.delete(oldest.value);
  }

  clear(): void {
    this.#entries.clear();
  }
}

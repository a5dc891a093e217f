/** What the store said lately of versions of objects: spares a read that names a version the question for its size. */
import type { DriverInfo } from "../object-driver.ts";

/** About 300 bytes each. */
const entriesMax = 1024;

export class KnownVersions {
  // In order of use.
  readonly #infos = new Map<string, DriverInfo>();

  get(key: string, version: string): DriverInfo | undefined {
    const name = nameOf(key, version);
    const info = this.#infos.get(name);
    if (info === undefined) return undefined;
    this.#infos.delete(name);
    this.#infos.set(name, info);
    return info;
  }

  note(info: DriverInfo): void {
    // An empty object has no part of which the fetch would tell that it is gone.
    if (info.size === 0) return;
    const name = nameOf(info.key, info.version);
    this.#infos.delete(name);
    this.#infos.set(name, info);
    for (const oldest of this.#infos.keys()) {
      if (this.#infos.size <= entriesMax) break;
      this.#infos.delete(oldest);
    }
  }

  /** All versions of a key. */
  forget(key: string): void {
    for (const [name, info] of this.#infos) if (info.key === key) this.#infos.delete(name);
  }
}

function nameOf(key: string, version: string): string {
  return JSON.stringify([key, version]);
}

/**
 * The part of lmdb 3.5 that we use, in our words, and the only place that loads it.
 */
import { IndexError } from "../errors.ts";

export interface LmdbModule {
  open(path: string, options: LmdbOptions): LmdbRoot;
}

export interface LmdbOptions {
  readonly noSubdir: boolean;
  /** False: with it, a commit resolves before its pages are synced, and recovery needs the previous snapshot. */
  readonly overlappingSync: boolean;
  readonly encoding: "binary";
  readonly keyEncoding: "binary";
  readonly maxDbs: number;
  /** Bytes of address space to begin with; the library doubles it as needed. */
  readonly mapSize: number;
}

export interface LmdbRoot extends LmdbDatabase {
  openDB(name: string, options: Pick<LmdbOptions, "encoding" | "keyEncoding">): LmdbDatabase;
  /** Commits and syncs before it returns; aborts when `body` throws. */
  transactionSync<T>(body: () => T): T;
  close(): Promise<void>;
}

export interface LmdbDatabase {
  /** A copy of the value. */
  get(key: Uint8Array): Uint8Array | undefined;
  putSync(key: Uint8Array, value: Uint8Array): boolean;
  removeSync(key: Uint8Array): boolean;
  clearSync(): void;
  getStats(): unknown;
}

/** @throws IndexError `INDEX_UNAVAILABLE` */
export async function loadLmdbModule(load: () => Promise<unknown> = () => import("lmdb")): Promise<LmdbModule> {
  let loaded: unknown;
  try {
    loaded = await load();
  } catch (cause) {
    throw new IndexError("INDEX_UNAVAILABLE", "the native lmdb module cannot be loaded here", { cause });
  }
  if (!isLmdbModule(loaded)) throw new IndexError("INDEX_UNAVAILABLE", "what was loaded as lmdb is something else");
  return loaded;
}

function isLmdbModule(value: unknown): value is LmdbModule {
  return typeof value === "object" && value !== null && "open" in value && typeof value.open === "function";
}

/**
 * An open LMDB environment with our two databases: the thin shell around the library.
 *
 * Commits are synchronous. The asynchronous ones leave rejected promises that nobody can reach when a disk is full,
 * and an unhandled rejection ends the process (seen with lmdb 3.5.6 under a file size limit).
 */
import { damaged } from "../errors.ts";
import { toUtf8 } from "../bytes.ts";
import { metadataName, segmentsName } from "./check-environment.ts";
import type { LmdbDatabase, LmdbModule, LmdbRoot } from "./lmdb-module.ts";
import { encodeState, type EnvironmentState, segmentKey, stateKey } from "./metadata-records.ts";

/** Address space to begin with: holds some ten thousand segments; the library grows it. */
const mapBytes = 16 * 2 ** 20;
const binary = { encoding: "binary", keyEncoding: "binary" } as const;

/** What one commit does to the records, each named at most once. */
export interface RecordChanges {
  /** First remove all entries. */
  readonly clear: boolean;
  /** By base id; undefined removes. */
  readonly segments: ReadonlyMap<number, Uint8Array | undefined>;
  /** By key; undefined removes. Never the state record. */
  readonly metadata: ReadonlyMap<string, Uint8Array | undefined>;
}

export class Environment {
  readonly #root: LmdbRoot;
  readonly #segments: LmdbDatabase;
  readonly #metadata: LmdbDatabase;

  private constructor(root: LmdbRoot, segments: LmdbDatabase, metadata: LmdbDatabase) {
    this.#root = root;
    this.#segments = segments;
    this.#metadata = metadata;
  }

  /**
   * @param directory of the operating system; its `data.mdb` is absent, or exactly what the library left there
   */
  static async open(lmdb: LmdbModule, directory: string): Promise<Environment> {
    const root = lmdb.open(directory, {
      ...binary,
      noSubdir: false,
      overlappingSync: false,
      maxDbs: 4,
      mapSize: mapBytes,
    });
    try {
      return new Environment(root, root.openDB(segmentsName, binary), root.openDB(metadataName, binary));
    } catch (cause) {
      await root.close();
      throw cause;
    }
  }

  readSegment(baseId: number): Uint8Array | undefined {
    return this.#segments.get(segmentKey(baseId));
  }

  readMetadata(key: string): Uint8Array | undefined {
    return this.#metadata.get(toUtf8(key));
  }

  /** Durable when it returns, or nothing happened and it throws. */
  commit(changes: RecordChanges, state: EnvironmentState): void {
    this.#root.transactionSync(() => {
      if (changes.clear) this.#segments.clearSync();
      for (const [baseId, value] of changes.segments) write(this.#segments, segmentKey(baseId), value);
      for (const [key, value] of changes.metadata) write(this.#metadata, toUtf8(key), value);
      write(this.#metadata, toUtf8(stateKey), encodeState(state));
      // The library reports some failures of a write only by not having done it; throwing here aborts.
      const count = entryCount(this.#segments) + entryCount(this.#metadata) - 1;
      if (count !== state.records)
        throw damaged(`data.mdb: ${count} records after a commit that leaves ${state.records}`);
    });
  }

  close(): Promise<void> {
    return this.#root.close();
  }
}

function write(database: LmdbDatabase, key: Uint8Array, value: Uint8Array | undefined): void {
  if (value === undefined) database.removeSync(key);
  else if (!database.putSync(key, value)) throw damaged("data.mdb: the library refused a record");
}

function entryCount(database: LmdbDatabase): number {
  const stats = database.getStats();
  const isStats = typeof stats === "object" && stats !== null && "entryCount" in stats;
  return isStats ? Number(stats.entryCount) : Number.NaN;
}

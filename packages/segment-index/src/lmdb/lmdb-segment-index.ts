import { basename, dirname, resolve } from "node:path";
import { type FileSystem, LocalFileSystem } from "@varve/fs-core";
import { checkLogId } from "../entry-rules.ts";
import { invalid } from "../errors.ts";
import type { OpenOutcome } from "../index-storage.ts";
import { StoredSegmentIndex } from "../stored-segment-index.ts";
import { loadLmdbModule } from "./lmdb-module.ts";
import { LmdbStorage } from "./lmdb-storage.ts";
import { localPath } from "./open-environment.ts";

/** Which index, as data. */
export interface LmdbSegmentIndexSettings {
  /** A directory of the operating system, not on a network file system; created when missing. See `../../FORMAT.md`. */
  readonly directory: string;
  /** The log it belongs to: 2 to 32 lower-case hex digits. An index of another log is damage. */
  readonly logId: string;
  /** What to do with an index that is useless: reject, or begin an empty one and say so. Default `throw`. */
  readonly onDamage?: "throw" | "reset";
}

/** What the index works with. */
export interface LmdbSegmentIndexParts {
  /** Gives the lmdb 3.5 module, for bundles that carry it under another name. Default: `import("lmdb")`. */
  readonly loadLmdb?: () => Promise<unknown>;
}

/**
 * An index in an LMDB environment: entries are read from a B+tree on disk, memory holds some 32 bytes for each. A
 * change blocks the event loop for LMDB's two disk syncs.
 *
 * Whatever happened to the files while nobody had them open is found before LMDB sees it. What happens to them while
 * they are open is not: the library maps them into memory. Where that is a worry, use `FileSegmentIndex`.
 */
export class LmdbSegmentIndex extends StoredSegmentIndex {
  readonly opened: OpenOutcome;

  private constructor(storage: LmdbStorage) {
    super(storage);
    this.opened = storage.opened;
  }

  /**
   * @throws IndexError `INDEX_DAMAGED`, `INDEX_FOREIGN`, `INDEX_FORMAT_TOO_NEW` (with `onDamage: "throw"`);
   * `INDEX_UNAVAILABLE`, `INDEX_ALREADY_OPEN`, `INDEX_IO`, `INDEX_INVALID_ARGUMENT`
   */
  static open(settings: LmdbSegmentIndexSettings, parts: LmdbSegmentIndexParts = {}): Promise<LmdbSegmentIndex> {
    const directory = resolve(settings.directory);
    // Rooted one level up, so that something else in the directory's place can be told apart and removed.
    return LmdbSegmentIndex.openIn(
      { ...settings, path: basename(directory) },
      { ...parts, fileSystem: new LocalFileSystem(dirname(directory)) },
    );
  }

  /** {@link open} for a directory named by a file system that has local paths. */
  static async openIn(
    settings: Omit<LmdbSegmentIndexSettings, "directory"> & { readonly path: string },
    parts: LmdbSegmentIndexParts & { readonly fileSystem: FileSystem },
  ): Promise<LmdbSegmentIndex> {
    const { path, logId, onDamage = "throw" } = settings;
    checkLogId(logId);
    if (onDamage !== "throw" && onDamage !== "reset") throw invalid(`onDamage: got ${String(onDamage)}`);
    const { fileSystem } = parts;
    localPath(fileSystem, path);
    const lmdb = await loadLmdbModule(parts.loadLmdb);
    return new LmdbSegmentIndex(await LmdbStorage.open({ fileSystem, path, lmdb }, logId, onDamage === "reset"));
  }
}

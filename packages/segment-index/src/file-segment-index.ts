import type { FileSystem } from "@varve/fs-core";
import { checkLogId } from "./entry-rules.ts";
import { FileStorage } from "./file/file-storage.ts";
import { invalid } from "./errors.ts";
import type { OpenOutcome } from "./index-storage.ts";
import { StoredSegmentIndex } from "./stored-segment-index.ts";

/** Which index, as data. */
export interface FileSegmentIndexSettings {
  /** A directory, created when missing; see `../FORMAT.md` for what is in it. */
  readonly path: string;
  /** The log it belongs to: 2 to 32 lower-case hex digits. An index of another log is damage. */
  readonly logId: string;
  /** What to do with an index that is useless: reject, or begin an empty one and say so. Default `throw`. */
  readonly onDamage?: "throw" | "reset";
}

/** What the index works with. */
export interface FileSegmentIndexParts {
  /** Not owned. */
  readonly fileSystem: FileSystem;
}

/**
 * An index in one file, in plain TypeScript: a journal that is rewritten when it outgrows its contents. All entries
 * are in memory; a change costs two small synced writes. Changing its file under it cannot hurt the process.
 */
export class FileSegmentIndex extends StoredSegmentIndex {
  readonly opened: OpenOutcome;

  private constructor(storage: FileStorage) {
    super(storage);
    this.opened = storage.opened;
  }

  /**
   * @throws IndexError `INDEX_DAMAGED`, `INDEX_FOREIGN`, `INDEX_FORMAT_TOO_NEW` (with `onDamage: "throw"`);
   * `INDEX_ALREADY_OPEN`, `INDEX_IO`, `INDEX_INVALID_ARGUMENT`
   */
  static async open(settings: FileSegmentIndexSettings, parts: FileSegmentIndexParts): Promise<FileSegmentIndex> {
    const { path, logId, onDamage = "throw" } = settings;
    checkLogId(logId);
    if (onDamage !== "throw" && onDamage !== "reset") throw invalid(`onDamage: got ${String(onDamage)}`);
    return new FileSegmentIndex(await FileStorage.open(parts.fileSystem, path, logId, onDamage === "reset"));
  }
}

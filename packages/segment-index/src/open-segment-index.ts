import { type FileSystem, joinPath } from "@varve/fs-core";
import { checkLogId } from "./entry-rules.ts";
import { invalid, ioError, isIndexError } from "./errors.ts";
import { indexFileName } from "./file/file-storage.ts";
import { FileSegmentIndex } from "./file-segment-index.ts";
import { discard } from "./index-directory.ts";
import type { OpenOutcome } from "./index-storage.ts";
import { LmdbSegmentIndex } from "./lmdb/lmdb-segment-index.ts";
import { environmentNames } from "./lmdb/open-environment.ts";
import { MemorySegmentIndex } from "./memory-segment-index.ts";
import type { IndexKind, SegmentIndex } from "./segment-index.ts";

/** Which index, as data. */
export interface OpenSegmentIndexSettings {
  /**
   * `auto`: the kind that is there already; else `lmdb` where the directory is the operating system's and the native
   * module loads; else `file`.
   */
  readonly kind: "auto" | IndexKind;
  /** The index's directory; created when missing. Nothing else belongs in it. Unused by `memory`. */
  readonly path: string;
  /** The log it belongs to: 2 to 32 lower-case hex digits. */
  readonly logId: string;
}

/** What the index works with. */
export interface OpenSegmentIndexParts {
  /** Not owned. */
  readonly fileSystem: FileSystem;
  /** Gives the lmdb 3.5 module, for bundles that carry it under another name. Default: `import("lmdb")`. */
  readonly loadLmdb?: () => Promise<unknown>;
}

/** An open index, and whether it knows anything. */
export interface OpenedSegmentIndex extends OpenOutcome {
  readonly index: SegmentIndex;
}

/**
 * Opens the index of a log, whatever became of its files: one that is damaged, foreign or from a newer release is
 * deleted, and an empty one takes its place, with `outcome: "reset"` and the reason. After `created` and `reset`
 * the caller rebuilds it with `replaceAll`.
 *
 * @throws IndexError `INDEX_UNAVAILABLE` (kind `lmdb` only), `INDEX_ALREADY_OPEN`, `INDEX_INVALID_ARGUMENT`;
 * `INDEX_IO` when the disk or its permissions allow no index there at all
 */
export async function openSegmentIndex(
  settings: OpenSegmentIndexSettings,
  parts: OpenSegmentIndexParts,
): Promise<OpenedSegmentIndex> {
  const { kind, logId } = settings;
  checkLogId(logId);
  switch (kind) {
    case "memory":
      return { index: new MemorySegmentIndex({ logId }), outcome: "created" };
    case "file":
      return openFile(settings, parts);
    case "lmdb":
      return openLmdb(settings, parts);
    case "auto":
      return openAuto(settings, parts);
    default:
      throw invalid(`kind: got ${String(kind)}`);
  }
}

async function openAuto(settings: OpenSegmentIndexSettings, parts: OpenSegmentIndexParts): Promise<OpenedSegmentIndex> {
  const isLocal = parts.fileSystem.localPath(settings.path) !== undefined;
  // An index that is there keeps its kind, and its cursors.
  if (!isLocal || (await stands(parts.fileSystem, settings.path, indexFileName))) return openFile(settings, parts);
  try {
    return await openLmdb(settings, parts);
  } catch (cause) {
    if (!isIndexError(cause) || cause.code !== "INDEX_UNAVAILABLE") throw cause;
    return openFile(settings, parts);
  }
}

async function openFile(
  { path, logId }: OpenSegmentIndexSettings,
  { fileSystem }: OpenSegmentIndexParts,
): Promise<OpenedSegmentIndex> {
  const index = await FileSegmentIndex.open({ path, logId, onDamage: "reset" }, { fileSystem });
  return withoutOtherKind(index, fileSystem, path, environmentNames);
}

async function openLmdb(
  { path, logId }: OpenSegmentIndexSettings,
  parts: OpenSegmentIndexParts,
): Promise<OpenedSegmentIndex> {
  const index = await LmdbSegmentIndex.openIn({ path, logId, onDamage: "reset" }, parts);
  return withoutOtherKind(index, parts.fileSystem, path, [indexFileName]);
}

/** Two kinds side by side would drift apart, and the stale one might be opened one day. */
async function withoutOtherKind(
  index: SegmentIndex & { readonly opened: OpenOutcome },
  fileSystem: FileSystem,
  path: string,
  names: readonly string[],
): Promise<OpenedSegmentIndex> {
  try {
    const other = await stands(fileSystem, path, names[0] as string);
    for (const name of names) await discard(fileSystem, joinPath(path, name));
    if (!other || index.opened.outcome !== "created") return { index, ...index.opened };
    return { index, outcome: "reset", reason: `the index there was not of kind ${index.kind}` };
  } catch (cause) {
    await index.close();
    throw ioError("removing an index of another kind", cause);
  }
}

async function stands(fileSystem: FileSystem, path: string, name: string): Promise<boolean> {
  try {
    return await fileSystem.fileExists(joinPath(path, name));
  } catch {
    // Something odd in the way: opening will deal with it, or report it.
    return false;
  }
}

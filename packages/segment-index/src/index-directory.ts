import { type FileMetadata, type FileSystem, isStorageError, sweepTemporaryFiles } from "@varve/fs-core";
import { damaged, type IndexError, isIndexError } from "./errors.ts";

/** Above this a file is no index: a hundred thousand segments need about 20 MB. */
const fileBytesMax = 2 ** 30;

/**
 * Makes sure `path` is a directory without leftovers of crashed replacements.
 * @throws IndexError `INDEX_DAMAGED` when something else stands there
 */
async function prepareDirectory(fileSystem: FileSystem, path: string): Promise<void> {
  try {
    await fileSystem.mkdir(path);
  } catch (cause) {
    if (isStorageError(cause) && cause.code === "NOT_A_DIRECTORY") {
      throw damaged("something that is no directory stands where the index should be", { cause });
    }
    throw cause;
  }
  await sweepTemporaryFiles(fileSystem, path);
}

/**
 * {@link prepareDirectory}, with whatever is in the way removed first when `reset` allows it.
 * @returns what was in the way
 */
export async function prepareOrReset(
  fileSystem: FileSystem,
  path: string,
  reset: boolean,
): Promise<IndexError | undefined> {
  try {
    await prepareDirectory(fileSystem, path);
    return undefined;
  } catch (cause) {
    if (!reset || !isDisposable(cause)) throw cause;
    await discard(fileSystem, path);
    await prepareDirectory(fileSystem, path);
    return cause;
  }
}

/**
 * All bytes of a file, or undefined where nothing is.
 * @throws IndexError `INDEX_DAMAGED` for anything but a file of a possible size
 */
export async function readWholeFile(fileSystem: FileSystem, path: string): Promise<Uint8Array | undefined> {
  const found = await lookAt(fileSystem, path);
  if (found === undefined) return undefined;
  if (found.kind !== "file") throw damaged(`${path}: not a file`);
  if (found.size > fileBytesMax) throw damaged(`${path}: ${found.size} bytes are too many for an index`);
  const handle = await fileSystem.openFile(path);
  try {
    return await handle.readAll({ limitBytes: fileBytesMax });
  } finally {
    await handle.close();
  }
}

/** Deletes whatever stands at `path`. Idempotent. */
export async function discard(fileSystem: FileSystem, path: string): Promise<void> {
  const found = await lookAt(fileSystem, path);
  if (found?.kind === "directory") await fileSystem.removeDirectory(path);
  else if (found !== undefined) await fileSystem.deleteFile(path);
}

async function lookAt(fileSystem: FileSystem, path: string): Promise<FileMetadata | undefined> {
  try {
    return await fileSystem.fileMetadata(path);
  } catch (cause) {
    if (isStorageError(cause) && cause.code === "NOT_FOUND") return undefined;
    throw cause;
  }
}

/** Whether an empty index in its place is right: the bytes are useless, and nothing else is wrong. */
export function isDisposable(error: unknown): error is IndexError {
  const codes: readonly string[] = ["INDEX_DAMAGED", "INDEX_FOREIGN", "INDEX_FORMAT_TOO_NEW"];
  return isIndexError(error) && codes.includes(error.code);
}

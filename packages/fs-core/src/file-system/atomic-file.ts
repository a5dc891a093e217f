/**
 * Replacing a small file in one step: temporary file in the same directory, sync, rename, sync of the directory.
 *
 * After a crash at any moment, power loss included:
 * - before the call returned: the old file or the new one, whole, and perhaps a temporary file beside it;
 * - after it returned: the new file.
 * After a rejection: the old file or the new one, and a crash may still turn one into the other. Who must know reads
 * the file again after a reopen. Never is there a mixture, an empty file, or none where there was one.
 *
 * Temporary files are named by {@link temporaryName}; whoever owns the directory sweeps them when it opens it.
 */
import { isStorageError, StorageError } from "../errors.ts";
import { type Random, systemRandom } from "../random.ts";
import type { DirectoryEntry, FileHandle, FileSystem } from "./file-system.ts";
import { baseName, joinPath, parentPath, quotePath } from "./path-rules.ts";
import { maxTemporaryTargetBytes, parseTemporaryName, temporaryName } from "./temporary-name.ts";

/** What {@link replaceFile} may be given. */
export interface ReplaceFileParts {
  /** Names the temporary file. Default: the system's. */
  readonly random?: Random;
}

/**
 * Makes `path` a file that holds `bytes`, durably and in one step, whether or not there was one.
 *
 * @param path its name has at most 233 bytes, so that the temporary name fits; its directory exists
 * @param bytes borrowed until the promise settles; leave them unmodified
 * @throws StorageError any code of the calls it makes; the temporary file is removed if that is still possible
 */
export async function replaceFile(
  fs: FileSystem,
  path: string,
  bytes: Uint8Array,
  parts: ReplaceFileParts = {},
): Promise<void> {
  const handle = await createTemporary(fs, path, parts.random ?? systemRandom);
  const temporary = handle.path;
  try {
    await fillAndClose(handle, bytes);
    await fs.rename(temporary, path);
  } catch (cause) {
    // The first failure is the one to report; a temporary file that stays behind is the sweeper's.
    await fs.deleteFile(temporary).catch(() => {});
    throw cause;
  }
  await fs.syncDirectory(parentPath(path));
}

// A name may be taken by the leftover of a crash if the random part repeats, as a seeded one does after a restart.
const attemptsMax = 4;

async function createTemporary(fs: FileSystem, path: string, random: Random): Promise<FileHandle> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await fs.createFile(temporaryPath(path, random));
    } catch (cause) {
      if (!isTaken(cause) || attempt === attemptsMax) throw cause;
    }
  }
}

function createTemporarySync(fs: FileSystem, path: string, random: Random): FileHandle {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return fs.createFileSync(temporaryPath(path, random));
    } catch (cause) {
      if (!isTaken(cause) || attempt === attemptsMax) throw cause;
    }
  }
}

function isTaken(cause: unknown): boolean {
  return isStorageError(cause) && cause.code === "ALREADY_EXISTS";
}

async function fillAndClose(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  try {
    await handle.writeAt(0, bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** {@link replaceFile} without a turn of the event loop. */
export function replaceFileSync(fs: FileSystem, path: string, bytes: Uint8Array, parts: ReplaceFileParts = {}): void {
  const handle = createTemporarySync(fs, path, parts.random ?? systemRandom);
  const temporary = handle.path;
  try {
    fillAndCloseSync(handle, bytes);
    fs.renameSync(temporary, path);
  } catch (cause) {
    deleteQuietly(fs, temporary);
    throw cause;
  }
  fs.syncDirectorySync(parentPath(path));
}

function fillAndCloseSync(handle: FileHandle, bytes: Uint8Array): void {
  try {
    handle.writeAtSync(0, bytes);
    handle.syncSync();
  } finally {
    handle.closeSync();
  }
}

function deleteQuietly(fs: FileSystem, path: string): void {
  try {
    fs.deleteFileSync(path);
  } catch {
    // As in replaceFile.
  }
}

/**
 * Deletes what crashed {@link replaceFile} calls left in `directory` (not below it). Call it while holding whatever
 * keeps other writers out: a temporary file of a call that still runs looks the same. Not synced: what a crash brings
 * back, the next sweep removes.
 *
 * @returns the names it deleted, sorted
 */
export async function sweepTemporaryFiles(fs: FileSystem, directory: string): Promise<string[]> {
  const names = temporaryFilesAmong(await fs.list(directory));
  for (const name of names) await fs.deleteFile(joinPath(directory, name));
  return names;
}

/** {@link sweepTemporaryFiles} without a turn of the event loop. */
export function sweepTemporaryFilesSync(fs: FileSystem, directory: string): string[] {
  const names = temporaryFilesAmong(fs.listSync(directory));
  for (const name of names) fs.deleteFileSync(joinPath(directory, name));
  return names;
}

function temporaryFilesAmong(entries: readonly DirectoryEntry[]): string[] {
  const found = entries.filter((entry) => entry.kind === "file" && parseTemporaryName(entry.name) !== undefined);
  return found.map((entry) => entry.name);
}

function temporaryPath(path: string, random: Random): string {
  const name = baseName(path);
  if (name === "" || Buffer.byteLength(name) > maxTemporaryTargetBytes) {
    const message = `replaceFile ${quotePath(path)}: a name of 1 to ${maxTemporaryTargetBytes} bytes is needed`;
    throw new StorageError("INVALID_PATH", message, { operation: "replaceFile", path });
  }
  return joinPath(parentPath(path), temporaryName(name, random.u64()));
}

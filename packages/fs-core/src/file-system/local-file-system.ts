import { renameSync, type Stats, unlinkSync } from "node:fs";
import { link, rename, rm, unlink } from "node:fs/promises";
import { lockDirectory } from "./directory-lock.ts";
import type {
  DirectoryEntry,
  FileHandle,
  FileLock,
  FileMetadata,
  FileSystem,
  FileSystemSupport,
  FileWatch,
} from "./file-system.ts";
import {
  canSyncDirectories,
  kindOf,
  listLocal,
  listLocalSync,
  makeLocalDirectory,
  syncLocalDirectory,
  syncLocalDirectorySync,
} from "./local-directory.ts";
import { openLocal, openLocalSync } from "./local-open.ts";
import {
  checkDirectory,
  checkEntry,
  checkFile,
  LocalPaths,
  pathError,
  statEntry,
  statEntrySync,
} from "./local-paths.ts";
import { errnoOf, toStorageError } from "./map-node-error.ts";
import { watchLocal } from "./local-watch.ts";

/**
 * A directory of the local disk as a {@link FileSystem}. Holds no resource of its own: nothing to close.
 *
 * The root need not exist yet: `mkdir("")` creates it with mode 0700. It may itself be a symbolic link; below it,
 * links are refused.
 */
export class LocalFileSystem implements FileSystem {
  readonly supports: FileSystemSupport = { memoryMap: false, hardLinks: true, directorySync: canSyncDirectories };
  readonly #paths: LocalPaths;

  /** @param root a directory; relative to the process's working directory at this moment, unless absolute */
  constructor(root: string) {
    this.#paths = new LocalPaths(root);
  }

  createFile(path: string): Promise<FileHandle> {
    return openLocal(this.#paths, path, "create", "createFile");
  }

  openFile(path: string): Promise<FileHandle> {
    return openLocal(this.#paths, path, "read", "openFile");
  }

  openFileMut(path: string): Promise<FileHandle> {
    return openLocal(this.#paths, path, "readWrite", "openFileMut");
  }

  createFileSync(path: string): FileHandle {
    return openLocalSync(this.#paths, path, "create", "createFile");
  }

  openFileSync(path: string): FileHandle {
    return openLocalSync(this.#paths, path, "read", "openFile");
  }

  openFileMutSync(path: string): FileHandle {
    return openLocalSync(this.#paths, path, "readWrite", "openFileMut");
  }

  async deleteFile(path: string): Promise<void> {
    const target = await this.#paths.below(path, "deleteFile");
    const stats = await statEntry(target, "deleteFile", path);
    if (stats === undefined) return;
    checkDeletable(stats, path);
    try {
      await unlink(target);
    } catch (cause) {
      if (errnoOf(cause) !== "ENOENT") throw toStorageError(cause, "deleteFile", path);
    }
  }

  deleteFileSync(path: string): void {
    const target = this.#paths.belowSync(path, "deleteFile");
    const stats = statEntrySync(target, "deleteFile", path);
    if (stats === undefined) return;
    checkDeletable(stats, path);
    try {
      unlinkSync(target);
    } catch (cause) {
      if (errnoOf(cause) !== "ENOENT") throw toStorageError(cause, "deleteFile", path);
    }
  }

  async fileExists(path: string): Promise<boolean> {
    const target = await this.#paths.below(path, "fileExists");
    const stats = await statEntry(target, "fileExists", path);
    return stats !== undefined && checkEntry(stats, "fileExists", path).isFile();
  }

  async fileMetadata(path: string): Promise<FileMetadata> {
    const target = await this.#paths.below(path, "fileMetadata");
    return metadataOf(await this.#paths.entry(path, target, "fileMetadata"));
  }

  fileMetadataSync(path: string): FileMetadata {
    const target = this.#paths.belowSync(path, "fileMetadata");
    return metadataOf(this.#paths.entrySync(path, target, "fileMetadata"));
  }

  list(path: string): Promise<DirectoryEntry[]> {
    return listLocal(this.#paths, path);
  }

  listSync(path: string): DirectoryEntry[] {
    return listLocalSync(this.#paths, path);
  }

  async rename(from: string, to: string): Promise<void> {
    const source = await this.#paths.below(from, "rename");
    const target = await this.#paths.below(to, "rename");
    checkRename(await statEntry(source, "rename", from), from, await statEntry(target, "rename", to), to);
    try {
      await rename(source, target);
    } catch (cause) {
      throw toStorageError(cause, "rename", from);
    }
  }

  renameSync(from: string, to: string): void {
    const source = this.#paths.belowSync(from, "rename");
    const target = this.#paths.belowSync(to, "rename");
    checkRename(statEntrySync(source, "rename", from), from, statEntrySync(target, "rename", to), to);
    try {
      renameSync(source, target);
    } catch (cause) {
      throw toStorageError(cause, "rename", from);
    }
  }

  async linkNoReplace(existing: string, path: string): Promise<void> {
    const source = await this.#paths.below(existing, "linkNoReplace");
    const target = await this.#paths.below(path, "linkNoReplace");
    checkFile(await this.#paths.entry(existing, source, "linkNoReplace"), "linkNoReplace", existing);
    try {
      await link(source, target);
    } catch (cause) {
      // Linux answers EPERM where the file system has no hard links (vfat).
      if (errnoOf(cause) === "EPERM") throw toStorageError(unsupported(cause), "linkNoReplace", path);
      throw toStorageError(cause, "linkNoReplace", path);
    }
  }

  mkdir(path: string): Promise<void> {
    return makeLocalDirectory(this.#paths, path);
  }

  async removeDirectory(path: string): Promise<void> {
    if (path === "") throw pathError("INVALID_PATH", "removeDirectory", path, "the root stays");
    const target = await this.#paths.below(path, "removeDirectory");
    const stats = await statEntry(target, "removeDirectory", path);
    if (stats === undefined) return;
    checkDirectory(stats, "removeDirectory", path);
    try {
      await rm(target, { recursive: true, force: true });
    } catch (cause) {
      throw toStorageError(cause, "removeDirectory", path);
    }
  }

  async syncDirectory(path: string): Promise<void> {
    const target = await this.#paths.directory(path, "syncDirectory");
    try {
      await syncLocalDirectory(target);
    } catch (cause) {
      throw toStorageError(cause, "syncDirectory", path);
    }
  }

  syncDirectorySync(path: string): void {
    const target = this.#paths.directorySync(path, "syncDirectory");
    try {
      syncLocalDirectorySync(target);
    } catch (cause) {
      throw toStorageError(cause, "syncDirectory", path);
    }
  }

  async lock(path: string): Promise<FileLock> {
    return lockDirectory(await this.#paths.directory(path, "lock"), path);
  }

  watch(path: string, onChange: () => void): FileWatch {
    return watchLocal(this.#paths.directorySync(path, "watch"), path, onChange);
  }

  localPath(path: string): string {
    return this.#paths.local(path, "localPath");
  }
}

function metadataOf(stats: Stats): FileMetadata {
  return { kind: kindOf(stats), size: stats.size, mtimeMs: stats.mtimeMs, ino: stats.ino, dev: stats.dev };
}

/** Anything but a directory or a link may be deleted: a stray pipe or socket is in the way and holds no data. */
function checkDeletable(stats: Stats, path: string): void {
  checkEntry(stats, "deleteFile", path);
  if (stats.isDirectory()) throw pathError("NOT_A_DIRECTORY", "deleteFile", path, "a directory; see removeDirectory");
}

function checkRename(source: Stats | undefined, from: string, target: Stats | undefined, to: string): void {
  const moved = checkEntry(source, "rename", from);
  if (target === undefined) return;
  checkEntry(target, "rename", to);
  if (moved.isDirectory()) throw pathError("ALREADY_EXISTS", "rename", to, "a directory never replaces anything");
  if (target.isDirectory()) throw pathError("NOT_A_DIRECTORY", "rename", to, "a directory stands where a file should");
}

function unsupported(cause: unknown): Error {
  return Object.assign(new Error("this file system has no hard links", { cause }), { code: "ENOTSUP" });
}

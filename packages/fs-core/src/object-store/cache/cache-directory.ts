/** The directory of a cache: taken by one process, swept, and looked through. */
import { isStorageError } from "../../errors.ts";
import type { FileLock, FileSystem } from "../../file-system/file-system.ts";
import { joinPath } from "../../file-system/path-rules.ts";
import { inParallel } from "../in-parallel.ts";
import { isPartName, partsFolder } from "./part-name.ts";

export const stagingFolder = "staging";
const lockFolder = "lock";
const looksAtOnce = 16;

/** Takes the lock and drops what was being written when the last owner ended. @throws StorageError `LOCKED` */
export async function takeDirectory(fileSystem: FileSystem): Promise<FileLock> {
  await fileSystem.mkdir(lockFolder);
  const lock = await fileSystem.lock(lockFolder);
  try {
    await fileSystem.removeDirectory(stagingFolder);
    await fileSystem.mkdir(stagingFolder);
    await fileSystem.mkdir(partsFolder);
    return lock;
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** A file of the cache. */
export interface FoundPart {
  readonly name: string;
  readonly size: number;
}

/** All parts by their names and sizes, the oldest first. Files of other names are left alone. */
export async function findParts(fileSystem: FileSystem): Promise<FoundPart[]> {
  const found: (FoundPart & { readonly mtimeMs: number })[] = [];
  for (const folder of await fileSystem.list(partsFolder)) {
    if (folder.kind !== "directory") continue;
    const path = joinPath(partsFolder, folder.name);
    const names = (await fileSystem.list(path))
      .filter(({ name, kind }) => kind === "file" && isPartName(name) && name.startsWith(folder.name))
      .map(({ name }) => name);
    await inParallel(names, looksAtOnce, async (name) => {
      const metadata = await metadataOf(fileSystem, joinPath(path, name));
      if (metadata !== undefined) found.push({ name, size: metadata.size, mtimeMs: metadata.mtimeMs });
    });
  }
  return found.toSorted((a, b) => a.mtimeMs - b.mtimeMs || (a.name < b.name ? -1 : 1));
}

async function metadataOf(
  fileSystem: FileSystem,
  path: string,
): Promise<{ readonly size: number; readonly mtimeMs: number } | undefined> {
  try {
    return await fileSystem.fileMetadata(path);
  } catch (error) {
    if (isStorageError(error) && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}

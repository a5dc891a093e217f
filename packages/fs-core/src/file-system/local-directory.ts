import { closeSync, constants, type Dirent, fsyncSync, openSync, readdirSync } from "node:fs";
import { mkdir, open, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { DirectoryEntry } from "./file-system.ts";
import { checkDirectory, type LocalPaths, pathError, statEntry } from "./local-paths.ts";
import { errnoOf, toStorageError } from "./map-node-error.ts";
import { pathParts } from "./path-rules.ts";

/** Promise 8. */
const directoryMode = 0o700;

/** Windows has no call that syncs a directory; NTFS journals its names. */
export const canSyncDirectories: boolean = process.platform !== "win32";

const directoryFlags = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0);

/** Makes the names in `target` durable. */
export async function syncLocalDirectory(target: string): Promise<void> {
  if (!canSyncDirectories) return;
  const handle = await open(target, directoryFlags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export function syncLocalDirectorySync(target: string): void {
  if (!canSyncDirectories) return;
  const fd = openSync(target, directoryFlags);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Creates `path` and what is missing above it, the root included. Every parent from the root's own parent down is
 * synced even when nothing was missing: an earlier process may have died between its mkdir and its sync.
 */
export async function makeLocalDirectory(
  paths: LocalPaths,
  path: string,
  syncDirectory: (target: string) => Promise<void> = syncLocalDirectory,
): Promise<void> {
  await paths.below(path, "mkdir");
  try {
    await makeRoot(paths.root, syncDirectory);
    let parent = paths.root;
    for (const part of pathParts(path, "mkdir")) {
      const target = join(parent, part);
      await makeOne(target, path);
      await syncDirectory(parent);
      parent = target;
    }
  } catch (cause) {
    throw toStorageError(cause, "mkdir", path);
  }
}

async function makeOne(target: string, path: string): Promise<void> {
  try {
    await mkdir(target, { mode: directoryMode });
  } catch (cause) {
    if (errnoOf(cause) !== "EEXIST") throw cause;
    const stats = await statEntry(target, "mkdir", path);
    if (stats === undefined) throw cause;
    checkDirectory(stats, "mkdir", path);
  }
}

/**
 * With what is missing above it. Not Node's recursive mkdir: it never returns where the system says ENOENT below a
 * directory that is there, as /proc does (seen on Node 20 and 24), and takes a thread of the pool with it.
 * @returns the topmost directory it created; undefined if all were there
 */
async function makeRecursively(target: string): Promise<string | undefined> {
  try {
    return await makeUnlessThere(target);
  } catch (cause) {
    if (errnoOf(cause) !== "ENOENT" || dirname(target) === target) throw cause;
  }
  const topmost = await makeRecursively(dirname(target));
  const made = await makeUnlessThere(target);
  return topmost ?? made;
}

/** @returns `target` when it is new; undefined when it was there */
async function makeUnlessThere(target: string): Promise<string | undefined> {
  try {
    await mkdir(target, { mode: directoryMode });
    return target;
  } catch (cause) {
    // Not only after EEXIST: some systems answer with EISDIR or EPERM for the root of a volume.
    const stats = await stat(target).catch(() => undefined);
    if (stats?.isDirectory() === true) return undefined;
    if (errnoOf(cause) !== "EEXIST") throw cause;
    throw pathError("NOT_A_DIRECTORY", "mkdir", "", "a file stands where the root should");
  }
}

async function makeRoot(root: string, syncDirectory: (target: string) => Promise<void>): Promise<void> {
  const topmost = await makeRecursively(root);
  if (topmost === undefined) return syncParentIfAllowed(root, syncDirectory);
  // From the new root up to the first parent that was already there.
  for (let created = root; ; created = dirname(created)) {
    await syncDirectory(dirname(created));
    if (created === topmost || dirname(created) === created) return;
  }
}

/** The parent of a root that existed may be closed to us; its name was then made by somebody else, who answers for it. */
async function syncParentIfAllowed(root: string, syncDirectory: (target: string) => Promise<void>): Promise<void> {
  try {
    await syncDirectory(dirname(root));
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno !== "EACCES" && errno !== "EPERM" && errno !== "EROFS") throw cause;
  }
}

export async function listLocal(paths: LocalPaths, path: string): Promise<DirectoryEntry[]> {
  const target = await paths.directory(path, "list");
  try {
    return sortEntries(await readdir(target, { withFileTypes: true }));
  } catch (cause) {
    throw toStorageError(cause, "list", path);
  }
}

export function listLocalSync(paths: LocalPaths, path: string): DirectoryEntry[] {
  const target = paths.directorySync(path, "list");
  try {
    return sortEntries(readdirSync(target, { withFileTypes: true }));
  } catch (cause) {
    throw toStorageError(cause, "list", path);
  }
}

function sortEntries(entries: Dirent[]): DirectoryEntry[] {
  return entries
    .map((entry): DirectoryEntry => ({ name: entry.name, kind: kindOf(entry) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The kind of a directory entry or of a stat result. */
export function kindOf(entry: { isFile(): boolean; isDirectory(): boolean }): DirectoryEntry["kind"] {
  if (entry.isFile()) return "file";
  return entry.isDirectory() ? "directory" : "other";
}

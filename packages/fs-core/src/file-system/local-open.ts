import { close, closeSync, constants, fstat, fstatSync, open, openSync } from "node:fs";
import { promisify } from "node:util";
import { LocalFileHandle } from "./local-file-handle.ts";
import { checkFile, type LocalPaths } from "./local-paths.ts";
import { toStorageError } from "./map-node-error.ts";

const openFd = promisify(open);
const statFd = promisify(fstat);
const closeFd = promisify(close);

/** Promise 8. */
const fileMode = 0o600;

export type OpenMode = "create" | "read" | "readWrite";

// O_NONBLOCK: opening a pipe somebody left in the directory must not hang; it changes nothing for a regular file.
// Windows has neither flag, and there the final part is looked at first.
const guards = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const looksFirst = constants.O_NOFOLLOW === undefined;

const flagsOf: Readonly<Record<OpenMode, number>> = {
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | guards,
  read: constants.O_RDONLY | guards,
  readWrite: constants.O_RDWR | guards,
};

/** Opens a regular file below the root, following no symbolic link. */
export async function openLocal(
  paths: LocalPaths,
  path: string,
  mode: OpenMode,
  operation: string,
): Promise<LocalFileHandle> {
  const target = await paths.below(path, operation);
  if (looksFirst && mode !== "create") await paths.entry(path, target, operation);
  let fd = -1;
  try {
    fd = await openFd(target, flagsOf[mode], fileMode);
    if (mode !== "create") checkFile(await statFd(fd), operation, path);
    return new LocalFileHandle(fd, path, mode !== "read");
  } catch (cause) {
    if (fd >= 0) await closeFd(fd);
    throw toStorageError(cause, operation, path);
  }
}

export function openLocalSync(paths: LocalPaths, path: string, mode: OpenMode, operation: string): LocalFileHandle {
  const target = paths.belowSync(path, operation);
  if (looksFirst && mode !== "create") paths.entrySync(path, target, operation);
  let fd = -1;
  try {
    fd = openSync(target, flagsOf[mode], fileMode);
    if (mode !== "create") checkFile(fstatSync(fd), operation, path);
    return new LocalFileHandle(fd, path, mode !== "read");
  } catch (cause) {
    if (fd >= 0) closeSync(fd);
    throw toStorageError(cause, operation, path);
  }
}

/**
 * From paths below the root to paths of the operating system, refusing symbolic links on the way.
 *
 * The check and the call that follows are two steps: somebody who may write inside the root can swap a directory for a
 * link between them. The check keeps accidents and prepared archives out, not an attacker with write access; against
 * that one, the root's mode 0700 stands.
 */
import { lstatSync, type Stats } from "node:fs";
import { lstat } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { StorageError } from "../errors.ts";
import { argumentError, errnoOf, toStorageError } from "./map-node-error.ts";
import { pathParts, quotePath } from "./path-rules.ts";

export class LocalPaths {
  readonly root: string;

  constructor(root: string) {
    if (typeof root !== "string" || root === "" || root.includes("\0")) {
      throw argumentError("LocalFileSystem", String(root), "the root is the path of a directory");
    }
    this.root = isAbsolute(root) ? join(root) : resolve(root);
  }

  /** `path` in the operating system's terms, its text checked and nothing else. */
  local(path: string, operation: string): string {
    return join(this.root, ...pathParts(path, operation));
  }

  /** {@link local}, with no symbolic link among the parents of `path`. */
  async below(path: string, operation: string): Promise<string> {
    const target = this.local(path, operation);
    for (const parent of this.#parents(path)) {
      const stats = await statEntry(parent, operation, path);
      if (stats === undefined) break;
      checkDirectory(stats, operation, path);
    }
    return target;
  }

  belowSync(path: string, operation: string): string {
    const target = this.local(path, operation);
    for (const parent of this.#parents(path)) {
      const stats = statEntrySync(parent, operation, path);
      if (stats === undefined) break;
      checkDirectory(stats, operation, path);
    }
    return target;
  }

  /** {@link below}, and `path` itself is a directory. */
  async directory(path: string, operation: string): Promise<string> {
    const target = await this.below(path, operation);
    // The root is its owner's choice and may be a link: only what is inside it is suspect.
    if (path !== "") checkDirectory(await this.entry(path, target, operation), operation, path);
    return target;
  }

  directorySync(path: string, operation: string): string {
    const target = this.belowSync(path, operation);
    if (path !== "") checkDirectory(this.entrySync(path, target, operation), operation, path);
    return target;
  }

  /** What stands at `target`. @throws StorageError `NOT_FOUND`, `INVALID_PATH` for a symbolic link */
  async entry(path: string, target: string, operation: string): Promise<Stats> {
    return checkEntry(await statEntry(target, operation, path), operation, path);
  }

  entrySync(path: string, target: string, operation: string): Stats {
    return checkEntry(statEntrySync(target, operation, path), operation, path);
  }

  /** The directories between the root and `path`, outermost first. */
  #parents(path: string): string[] {
    const parts = path.split("/").slice(0, -1);
    return parts.map((_, index) => join(this.root, ...parts.slice(0, index + 1)));
  }
}

/** The entry itself, not what a link points at; undefined where nothing stands. */
export async function statEntry(target: string, operation: string, path: string): Promise<Stats | undefined> {
  try {
    return await lstat(target);
  } catch (cause) {
    if (errnoOf(cause) === "ENOENT") return undefined;
    throw toStorageError(cause, operation, path);
  }
}

export function statEntrySync(target: string, operation: string, path: string): Stats | undefined {
  try {
    return lstatSync(target, { throwIfNoEntry: false });
  } catch (cause) {
    throw toStorageError(cause, operation, path);
  }
}

export function checkEntry(stats: Stats | undefined, operation: string, path: string): Stats {
  if (stats === undefined) throw pathError("NOT_FOUND", operation, path, "nothing is there");
  if (stats.isSymbolicLink()) throw pathError("INVALID_PATH", operation, path, "a symbolic link is on the way");
  return stats;
}

export function checkDirectory(stats: Stats, operation: string, path: string): void {
  checkEntry(stats, operation, path);
  if (!stats.isDirectory())
    throw pathError("NOT_A_DIRECTORY", operation, path, "a file stands where a directory should");
}

export function checkFile(stats: Stats, operation: string, path: string): void {
  checkEntry(stats, operation, path);
  if (stats.isDirectory())
    throw pathError("NOT_A_DIRECTORY", operation, path, "a directory stands where a file should");
  if (!stats.isFile()) throw pathError("INVALID_PATH", operation, path, "not a regular file");
}

type PathCode = "NOT_FOUND" | "ALREADY_EXISTS" | "NOT_A_DIRECTORY" | "INVALID_PATH" | "INVALID_ARGUMENT";

export function pathError(code: PathCode, operation: string, path: string, problem: string): StorageError {
  return new StorageError(code, `${operation} ${quotePath(path)}: ${problem}`, { operation, path });
}

/** The keys below a directory, in order of their UTF-8 bytes, reading each folder only when its turn comes. */
import { isStorageError } from "../../errors.ts";
import type { FileSystem } from "../../file-system/file-system.ts";
import { joinPath } from "../../file-system/path-rules.ts";
import { compareKeys, reservedFolder } from "../object-key.ts";

/** A key, or with a delimiter a folder with its slash. */
export type WalkedName = string;

/**
 * @param after only names after this one; a folder's name with its slash stands for all keys in it
 * @param isFlat folders are not entered below the prefix
 */
export async function* walkKeys(
  fileSystem: FileSystem,
  prefix: string,
  after: string | undefined,
  isFlat: boolean,
): AsyncGenerator<WalkedName, void, undefined> {
  yield* walk(fileSystem, prefix.slice(0, Math.max(0, prefix.lastIndexOf("/"))), prefix, after, isFlat);
}

async function* walk(
  fileSystem: FileSystem,
  folder: string,
  prefix: string,
  after: string | undefined,
  isFlat: boolean,
): AsyncGenerator<WalkedName, void, undefined> {
  for (const name of await namesIn(fileSystem, folder)) {
    if (!name.startsWith(prefix) && !(name.endsWith("/") && prefix.startsWith(name))) continue;
    if (after !== undefined && isDone(name, after)) continue;
    if (!name.endsWith("/")) yield name;
    else if (!isFlat) yield* walk(fileSystem, name.slice(0, -1), prefix, after, false);
    // A folder is shown for the objects in it: there may be none any more.
    else if (await hasKeys(fileSystem, name.slice(0, -1))) yield name;
  }
}

/** Whether nothing of `name` comes after `after`. */
function isDone(name: string, after: string): boolean {
  if (compareKeys(name, after) > 0) return false;
  return !(name.endsWith("/") && after.startsWith(name) && after !== name);
}

/** Of a folder: keys, and folders with a slash, in the order that their keys have. */
async function namesIn(fileSystem: FileSystem, folder: string): Promise<string[]> {
  try {
    const entries = await fileSystem.list(folder);
    return entries
      .filter(({ name, kind }) => kind !== "other" && !(folder === "" && name === reservedFolder))
      .map(({ name, kind }) => joinPath(folder, kind === "directory" ? `${name}/` : name))
      .toSorted(compareKeys);
  } catch (error) {
    if (isStorageError(error) && (error.code === "NOT_FOUND" || error.code === "NOT_A_DIRECTORY")) return [];
    throw error;
  }
}

async function hasKeys(fileSystem: FileSystem, folder: string): Promise<boolean> {
  for await (const _key of walk(fileSystem, folder, `${folder}/`, undefined, false)) return true;
  return false;
}

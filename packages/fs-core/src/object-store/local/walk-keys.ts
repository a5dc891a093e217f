/** The keys below a directory, in order of their UTF-8 bytes, reading each folder only when its turn comes. */
import { isStorageError } from "../../errors.ts";
import type { FileSystem } from "../../file-system/file-system.ts";
import { joinPath } from "../../file-system/path-rules.ts";
import { compareKeys, isReservedKey } from "../object-key.ts";

/** A key, or with a delimiter a folder with its slash. */
export type WalkedName = string;

const fromTheStart: WalkStart = { name: "", isShown: false };

/** Where a walk goes on. */
export interface WalkStart {
  /** Only names after this one. */
  readonly name: string;
  /** Whether a folder of this name, with its slash, was shown: all keys in it were then. */
  readonly isShown: boolean;
}

/**
 * What the store keeps beside its objects is not walked.
 * @param isFlat folders are not entered below the prefix
 */
export async function* walkKeys(
  fileSystem: FileSystem,
  prefix: string,
  after: WalkStart,
  isFlat: boolean,
): AsyncGenerator<WalkedName, void, undefined> {
  if (isReservedKey(prefix) && prefix.includes("/")) return;
  yield* walk(fileSystem, prefix.slice(0, Math.max(0, prefix.lastIndexOf("/"))), prefix, after, isFlat);
}

async function* walk(
  fileSystem: FileSystem,
  folder: string,
  prefix: string,
  after: WalkStart,
  isFlat: boolean,
): AsyncGenerator<WalkedName, void, undefined> {
  for (const name of await namesIn(fileSystem, folder)) {
    if (!name.startsWith(prefix) && !(name.endsWith("/") && prefix.startsWith(name))) continue;
    if (isDone(name, after)) continue;
    if (!name.endsWith("/")) yield name;
    else if (!isFlat) yield* walk(fileSystem, name.slice(0, -1), prefix, after, false);
    // A folder is shown for the objects in it: there may be none any more.
    else if (await hasKeys(fileSystem, name.slice(0, -1))) yield name;
  }
}

/** Whether nothing of `name` comes after `after`. */
function isDone(name: string, after: WalkStart): boolean {
  if (compareKeys(name, after.name) > 0) return false;
  const isAmid = name.endsWith("/") && after.name.startsWith(name) && !(after.isShown && after.name === name);
  return !isAmid;
}

/** Of a folder: keys, and folders with a slash, in the order that their keys have. */
async function namesIn(fileSystem: FileSystem, folder: string): Promise<string[]> {
  try {
    const entries = await fileSystem.list(folder);
    return entries
      .filter(({ name, kind }) => kind !== "other" && !(folder === "" && isReservedKey(name)))
      .map(({ name, kind }) => joinPath(folder, kind === "directory" ? `${name}/` : name))
      .toSorted(compareKeys);
  } catch (error) {
    if (isStorageError(error) && (error.code === "NOT_FOUND" || error.code === "NOT_A_DIRECTORY")) return [];
    throw error;
  }
}

async function hasKeys(fileSystem: FileSystem, folder: string): Promise<boolean> {
  for await (const _key of walk(fileSystem, folder, `${folder}/`, fromTheStart, false)) return true;
  return false;
}

/** An object's file: reading its footer, and giving a staged one its name. */
import { isStorageError } from "../../errors.ts";
import type { FileHandle, FileSystem } from "../../file-system/file-system.ts";
import { parentPath } from "../../file-system/path-rules.ts";
import type { DriverInfo } from "../object-driver.ts";
import { isReservedKey } from "../object-key.ts";
import { StoreError } from "../store-error.ts";
import { decodeFooter, footerBytesMax, type ObjectFooter } from "./object-footer.ts";

/** An open object. The caller closes the handle. */
export interface OpenObject {
  readonly handle: FileHandle;
  readonly footer: ObjectFooter;
}

/** undefined when no object is there: nothing, a folder, or what the store keeps beside its objects. @throws StoreError `CORRUPT`, StorageError */
export async function openObject(fileSystem: FileSystem, key: string): Promise<OpenObject | undefined> {
  if (isReservedKey(key)) return undefined;
  let handle: FileHandle;
  try {
    handle = await fileSystem.openFile(key);
  } catch (error) {
    if (isStorageError(error) && (error.code === "NOT_FOUND" || error.code === "NOT_A_DIRECTORY")) return undefined;
    throw error;
  }
  try {
    return { handle, footer: await readFooter(handle, key) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** @throws StoreError `CORRUPT` */
async function readFooter(handle: FileHandle, key: string): Promise<ObjectFooter> {
  const size = await handle.size();
  const end = new Uint8Array(Math.min(size, footerBytesMax));
  const got = await handle.readAt(size - end.byteLength, end);
  const footer = got === end.byteLength ? decodeFooter(end, size) : undefined;
  if (footer !== undefined) return footer;
  throw new StoreError(
    "CORRUPT",
    "the file does not end as an object of this store does: it was cut, changed, or put there by other means",
    { key },
  );
}

/** The object's footer alone. */
export async function statObject(fileSystem: FileSystem, key: string): Promise<ObjectFooter | undefined> {
  const object = await openObject(fileSystem, key);
  await object?.handle.close();
  return object?.footer;
}

export function infoOf(key: string, footer: ObjectFooter): DriverInfo {
  return {
    key,
    size: footer.size,
    version: footer.version,
    lastModifiedMs: footer.modifiedMs,
    metadata: footer.metadata,
    contentType: footer.contentType,
    checksum: footer.checksum,
  };
}

/** Makes the folders of `key`. @throws StoreError `KEY_CONFLICT` when one of them is an object */
export async function makeFolders(fileSystem: FileSystem, key: string): Promise<void> {
  const folder = parentPath(key);
  if (folder === "") return;
  try {
    await fileSystem.mkdir(folder);
  } catch (error) {
    if (isStorageError(error) && (error.code === "NOT_A_DIRECTORY" || error.code === "ALREADY_EXISTS")) {
      throw new StoreError("KEY_CONFLICT", "a part of the key's path is an object, and cannot be a folder too", {
        key,
        cause: error,
      });
    }
    throw error;
  }
}

/** @throws StoreError `KEY_CONFLICT` when `key` is a folder */
export async function assertNoFolder(fileSystem: FileSystem, key: string): Promise<void> {
  try {
    if ((await fileSystem.fileMetadata(key)).kind !== "directory") return;
  } catch (error) {
    if (isStorageError(error) && error.code === "NOT_FOUND") return;
    throw error;
  }
  throw new StoreError("KEY_CONFLICT", "the key is a folder of other objects here", { key });
}

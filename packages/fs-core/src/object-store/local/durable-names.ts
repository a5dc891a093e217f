/**
 * Names that objects get and lose. A name is durable when its folder was synced, so nothing is answered before that: neither
 * that an object is there or gone, nor that somebody else's is.
 *
 * Always true:
 *  I1  what resolves here, and what is refused because an object is there, survives a crash
 *  I2  after a folder could not be synced nothing is known of the names in it: `failure` is set for good
 */
import { isStorageError } from "../../errors.ts";
import type { FileSystem } from "../../file-system/file-system.ts";
import { parentPath } from "../../file-system/path-rules.ts";
import { StoreError } from "../store-error.ts";
import { toStoreError } from "./map-storage-error.ts";
import { assertNoFolder } from "./object-file.ts";

export class DurableNames {
  readonly #fileSystem: FileSystem;
  readonly #staging: string;
  #failure: unknown;

  /** @param staging folder of the files that get names */
  constructor(fileSystem: FileSystem, staging: string) {
    this.#fileSystem = fileSystem;
    this.#staging = staging;
  }

  /** Why nothing may be answered any more; undefined as long as all is well. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Gives the staged file `path` the name `key`, which nothing has. @throws StoreError `ALREADY_EXISTS` */
  async create(path: string, key: string): Promise<void> {
    const folders = [parentPath(key)];
    try {
      await this.#change(key, folders, () => this.#fileSystem.linkNoReplace(path, key));
    } catch (error) {
      if (!isStorageError(error) || error.code !== "ALREADY_EXISTS") throw error;
      await assertNoFolder(this.#fileSystem, key);
      // Its creator may be an attempt of ours that still syncs, or a process that died before it did: who is told that
      // the object is there goes on as if it stayed.
      await this.#sync(key, folders);
      throw new StoreError("ALREADY_EXISTS", "an object is there", { key, cause: error });
    }
  }

  /** Gives the staged file `path` the name `key`, whatever had it. A rename is durable when both its folders are. */
  async replace(path: string, key: string): Promise<void> {
    await this.#change(key, [parentPath(key), this.#staging], () => this.#fileSystem.rename(path, key));
  }

  /** Takes the name away, if something has it. */
  async remove(key: string): Promise<void> {
    const folders = [parentPath(key)];
    if (await this.#fileSystem.fileExists(key)) {
      await this.#change(key, folders, () => this.#fileSystem.deleteFile(key));
      return;
    }
    // Who deleted it may have died before the sync. A folder that was never there has no names to bring back.
    if (await this.#isFolder(parentPath(key))) await this.#sync(key, folders);
  }

  /** A refusal changed nothing. Of any other failure it is not known what it did: what is there is made to stay. */
  async #change(key: string, folders: readonly string[], step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (isStorageError(error) && error.code !== "IO") throw error;
      await this.#sync(key, folders);
      throw toStoreError(error, key, "unknown");
    }
    await this.#sync(key, folders);
  }

  /** What failed here may be there or not after a crash: see I2. */
  async #sync(key: string, folders: readonly string[]): Promise<void> {
    try {
      for (const folder of folders) await this.#fileSystem.syncDirectory(folder);
    } catch (error) {
      this.#failure = error;
      throw toStoreError(error, key, "unknown");
    }
  }

  async #isFolder(path: string): Promise<boolean> {
    if (path === "") return true;
    try {
      return (await this.#fileSystem.fileMetadata(path)).kind === "directory";
    } catch (error) {
      if (isStorageError(error) && (error.code === "NOT_FOUND" || error.code === "NOT_A_DIRECTORY")) return false;
      throw error;
    }
  }
}

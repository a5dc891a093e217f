/**
 * Files on their way to a name. Every open store has a folder of its own below `.varve-store/staging`, which it holds locked;
 * a folder without an owner was left by a process that died, and goes at the next open of any store there.
 */
import type { Clock } from "../../clock.ts";
import type { Random } from "../../random.ts";
import { isStorageError } from "../../errors.ts";
import type { FileHandle, FileLock, FileSystem } from "../../file-system/file-system.ts";
import { joinPath } from "../../file-system/path-rules.ts";
import { reservedFolder } from "../object-key.ts";
import { waitForLock } from "./wait-for-lock.ts";

const stagingFolder: string = joinPath(reservedFolder, "staging");

/** A file that has no name of its own yet. */
export interface StagedFile {
  readonly path: string;
  readonly handle: FileHandle;
}

export class Staging {
  readonly folder: string;
  readonly #fileSystem: FileSystem;
  readonly #random: Random;
  readonly #lock: FileLock;

  private constructor(fileSystem: FileSystem, random: Random, folder: string, lock: FileLock) {
    this.#fileSystem = fileSystem;
    this.#random = random;
    this.folder = folder;
    this.#lock = lock;
  }

  static async open(fileSystem: FileSystem, clock: Clock, random: Random): Promise<Staging> {
    await fileSystem.mkdir(stagingFolder);
    // One opens at a time: a folder that is made and not locked yet would be swept by another.
    const turn = await waitForLock(fileSystem, stagingFolder, clock);
    try {
      await sweep(fileSystem);
      const folder = joinPath(stagingFolder, hexOf(random.u64()));
      await fileSystem.mkdir(folder);
      return new Staging(fileSystem, random, folder, await fileSystem.lock(folder));
    } finally {
      await turn.release();
    }
  }

  /** A new empty file. The caller closes it, and moves it away or calls {@link drop}. */
  async create(): Promise<StagedFile> {
    const path = joinPath(this.folder, hexOf(this.#random.u64()));
    return { path, handle: await this.#fileSystem.createFile(path) };
  }

  /** Does not reject: what stays is swept later. */
  async drop(path: string): Promise<void> {
    await this.#fileSystem.deleteFile(path).catch(() => {});
  }

  async close(): Promise<void> {
    await this.#fileSystem.removeDirectory(this.folder).catch(() => {});
    await this.#lock.release();
  }
}

/** Removes the folders of owners that are no more. */
async function sweep(fileSystem: FileSystem): Promise<void> {
  for (const { name, kind } of await fileSystem.list(stagingFolder)) {
    if (kind !== "directory") continue;
    const folder = joinPath(stagingFolder, name);
    try {
      const lock = await fileSystem.lock(folder);
      try {
        await fileSystem.removeDirectory(folder);
      } finally {
        await lock.release();
      }
    } catch (error) {
      // Its owner lives, or is just taking its folder away.
      if (!isStorageError(error) || (error.code !== "LOCKED" && error.code !== "NOT_FOUND")) throw error;
    }
  }
}

function hexOf(value: bigint): string {
  return value.toString(16).padStart(16, "0");
}

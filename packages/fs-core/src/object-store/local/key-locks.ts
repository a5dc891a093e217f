/**
 * Turns for keys, between the stores of all processes that share a directory: a lock of the kernel for each of a few
 * shards, and a queue within this process before it.
 *
 * Creating needs none: a link never replaces. Replacing and deleting do, because they look first.
 */
import type { Clock } from "../../clock.ts";
import type { FileLock, FileSystem } from "../../file-system/file-system.ts";
import { isStorageError } from "../../errors.ts";
import { crc64Nvme } from "../../checksum/crc64-nvme.ts";
import { joinPath } from "../../file-system/path-rules.ts";
import { reservedFolder } from "../object-key.ts";
import { StoreError } from "../store-error.ts";

/** Keys of one shard wait for each other. */
const shards = 16;
const locksFolder: string = joinPath(reservedFolder, "locks");
/** Between two attempts while another process has the lock. */
const pollMs = 2;

export class KeyLocks {
  readonly #fileSystem: FileSystem;
  readonly #clock: Clock;
  readonly #queues = new Map<string, Promise<void>>();

  private constructor(fileSystem: FileSystem, clock: Clock) {
    this.#fileSystem = fileSystem;
    this.#clock = clock;
  }

  static async open(fileSystem: FileSystem, clock: Clock): Promise<KeyLocks> {
    for (let shard = 0; shard < shards; shard++) await fileSystem.mkdir(folderOf(shard));
    return new KeyLocks(fileSystem, clock);
  }

  /** Runs `work` while nobody else, in any process, works on a key of the same shard. */
  async with<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const folder = folderOf(Number(crc64Nvme(new TextEncoder().encode(key)) % BigInt(shards)));
    const before = this.#queues.get(folder) ?? Promise.resolve();
    const result = before.then(() => this.#locked(folder, signal, work));
    const ended = result.then(
      () => {},
      () => {},
    );
    this.#queues.set(folder, ended);
    return result;
  }

  async #locked<T>(folder: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const lock = await this.#lock(folder, signal);
    try {
      return await work();
    } finally {
      await lock.release();
    }
  }

  async #lock(folder: string, signal: AbortSignal): Promise<FileLock> {
    for (;;) {
      if (signal.aborted) throw new StoreError("ABORTED", "stopped while waiting for the key's lock");
      try {
        return await this.#fileSystem.lock(folder);
      } catch (error) {
        if (!isStorageError(error) || error.code !== "LOCKED") throw error;
      }
      await this.#clock.sleep(pollMs, { signal }).catch(() => {});
    }
  }
}

function folderOf(shard: number): string {
  return joinPath(locksFolder, shard.toString(16).padStart(2, "0"));
}

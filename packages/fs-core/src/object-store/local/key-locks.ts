/**
 * Turns for keys, between the stores of all processes that share a directory: a lock of the kernel for each of a few
 * shards, and a queue within this process before it.
 *
 * Creating needs none: a link never replaces. Replacing and deleting do, because they look first.
 */
import type { Clock } from "../../clock.ts";
import type { FileSystem } from "../../file-system/file-system.ts";
import { crc64Nvme } from "../../checksum/crc64-nvme.ts";
import { joinPath } from "../../file-system/path-rules.ts";
import { reservedFolder } from "../object-key.ts";
import { waitForLock } from "./wait-for-lock.ts";

/** Keys of one shard wait for each other. */
const shards = 16;
const locksFolder: string = joinPath(reservedFolder, "locks");

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
    const lock = await waitForLock(this.#fileSystem, folder, this.#clock, signal);
    try {
      return await work();
    } finally {
      await lock.release();
    }
  }
}

function folderOf(shard: number): string {
  return joinPath(locksFolder, shard.toString(16).padStart(2, "0"));
}

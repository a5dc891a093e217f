/**
 * Parts of objects as files, for any number of stores in one process. A cache: what is lost is fetched again, so nothing is
 * synced, and whatever the disk does, no read and no write of an object fails for it.
 *
 * Always true:
 *  I1  the files of `parts`, those being written included, take at most `maxBytes`, counted in blocks of 4 KiB
 *  I2  a part is given out only when its file's checksums are right and it says that it is this part
 *  I3  a file has its name only when it was written whole (before a crash: see I2)
 *  I4  at most one eviction is under way; one process has the directory
 */
import { isStorageError } from "../../errors.ts";
import type { FileLock, FileSystem } from "../../file-system/file-system.ts";
import { joinPath } from "../../file-system/path-rules.ts";
import { CacheCounters, type CacheMetrics } from "./cache-metrics.ts";
import { type CacheSettings, resolveCacheSettings } from "./cache-settings.ts";
import { findParts, stagingFolder, takeDirectory } from "./cache-directory.ts";
import { type CachedPart, decodePart, encodePart, partOverheadBytesMax } from "./part-file.ts";
import { PartIndex, type PartEntry } from "./part-index.ts";
import { type CachedObject, folderOf, keyDigest, keyDigestOf, objectName, partName, partPath } from "./part-name.ts";

const blockBytes = 4096;

/** Cached parts. `LocalCacheStorage.open({ fileSystem, maxBytes })`; shared by all stores that are given it. */
export class LocalCacheStorage implements AsyncDisposable {
  readonly maxBytes: number;
  /** Default of the stores' `partBytes`. */
  readonly partBytes: number;
  readonly #fileSystem: FileSystem;
  readonly #lock: FileLock;
  readonly #index = new PartIndex();
  readonly #counters = new CacheCounters();
  readonly #folders = new Set<string>();
  readonly #running = new Set<Promise<unknown>>();
  #usedBytes = 0;
  #staged = 0;
  #evicting: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(settings: Required<CacheSettings>, lock: FileLock) {
    this.maxBytes = settings.maxBytes;
    this.partBytes = settings.partBytes;
    this.#fileSystem = settings.fileSystem;
    this.#lock = lock;
  }

  /**
   * Takes the root of `fileSystem`, which should hold nothing else, and finds what is cached there.
   * @throws StoreError `INVALID_ARGUMENT`; StorageError `LOCKED` while another process, or another storage, has it
   */
  static async open(settings: CacheSettings): Promise<LocalCacheStorage> {
    const resolved = resolveCacheSettings(settings);
    const { fileSystem } = resolved;
    const lock = await takeDirectory(fileSystem);
    try {
      const storage = new LocalCacheStorage(resolved, lock);
      for (const { name, size } of await findParts(fileSystem)) {
        storage.#folders.add(folderOf(name));
        storage.#index.set(name, { chargedBytes: chargeOf(size), isUsed: false });
        storage.#usedBytes += chargeOf(size);
      }
      await storage.#makeRoom(0);
      return storage;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Whether a file of the part is there; whether it is whole, only reading tells. */
  has(object: CachedObject, number: number): boolean {
    return this.#index.get(partName(objectName(object), number)) !== undefined;
  }

  /** The part, in memory of its own; undefined when there is none that is whole. Does not reject. */
  async read(object: CachedObject, number: number): Promise<CachedPart | undefined> {
    const part = await this.#own(this.#read(partName(objectName(object), number), object, number));
    this.#counters.noteRead(part?.bytes.byteLength);
    return part;
  }

  /** Any part of the object, `preferred` if it is there. Not counted as a hit. Does not reject. */
  async readAny(object: CachedObject, preferred: number): Promise<CachedPart | undefined> {
    const start = `${objectName(object)}-`;
    const names = this.#index.namesOf(keyDigestOf(start)).filter((name) => name.startsWith(start));
    const wanted = `${start}${preferred}`;
    for (const name of names.toSorted((a, b) => Number(b === wanted) - Number(a === wanted))) {
      const part = await this.#own(this.#read(name, object, Number(name.slice(start.length))));
      if (part !== undefined) return part;
    }
    return undefined;
  }

  /** Keeps `part`, if it can. `part.bytes` stay as they are until the promise settles. Does not reject. */
  async store(part: CachedPart): Promise<void> {
    if (this.#closing !== undefined) return;
    await this.#own(this.#store(part).catch(() => this.#counters.noteFailure()));
  }

  /** Drops all versions of a key, or one. Does not reject. */
  async drop(target: { readonly storeId: string; readonly key: string } | CachedObject): Promise<void> {
    if (this.#closing !== undefined) return;
    const start = "version" in target ? objectName(target) : keyDigest(target.storeId, target.key);
    const names = this.#index.namesOf(keyDigestOf(start)).filter((name) => name.startsWith(`${start}-`));
    await this.#own(Promise.all(names.map((name) => this.#remove(name, this.#index.get(name)))));
  }

  /** Of all stores that share the cache. */
  metrics(): CacheMetrics {
    return this.#counters.snapshot(this.#index.size, this.#usedBytes);
  }

  /** Waits for what is under way. Stores that still use it go on without a cache. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#closeNow();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #closeNow(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    await this.#lock.release();
  }

  async #read(name: string, object: CachedObject, number: number): Promise<CachedPart | undefined> {
    const entry = this.#index.get(name);
    if (entry === undefined || this.#closing !== undefined) return undefined;
    entry.isUsed = true;
    let file: Uint8Array | undefined;
    try {
      file = await this.#readFile(partPath(name));
    } catch {
      this.#counters.noteFailure();
    }
    const part = file === undefined ? undefined : decodePart(file);
    if (part !== undefined && isOf(part, object, number)) return part;
    // Evicted meanwhile: that is no damage.
    if (this.#index.get(name) !== entry) return undefined;
    this.#counters.noteCorrupt();
    await this.#remove(name, entry);
    return undefined;
  }

  async #readFile(path: string): Promise<Uint8Array | undefined> {
    let handle: Awaited<ReturnType<FileSystem["openFile"]>>;
    try {
      handle = await this.#fileSystem.openFile(path);
    } catch (error) {
      if (isStorageError(error) && error.code === "NOT_FOUND") return undefined;
      throw error;
    }
    try {
      // What is larger is none of ours, and is not read into memory.
      if ((await handle.size()) > partFileBytesMax) return undefined;
      return await handle.readAll({ limitBytes: partFileBytesMax });
    } finally {
      await handle.close();
    }
  }

  async #store(part: CachedPart): Promise<void> {
    const file = encodePart(part);
    const chargedBytes = chargeOf(file.byteLength);
    if (file.byteLength - part.bytes.byteLength > partOverheadBytesMax || !(await this.#reserve(chargedBytes))) return;
    const name = partName(objectName(part.object), part.number);
    const staged = joinPath(stagingFolder, String(this.#staged++));
    try {
      await this.#write(staged, file);
      await this.#makeFolder(folderOf(name));
      await this.#fileSystem.rename(staged, partPath(name));
    } catch (error) {
      // The rename may have been done all the same. What cannot be deleted stays charged until the next open.
      await this.#remove(name, this.#index.get(name));
      await this.#fileSystem.deleteFile(staged);
      await this.#fileSystem.deleteFile(partPath(name));
      this.#usedBytes -= chargedBytes;
      throw error;
    }
    const before = this.#index.set(name, { chargedBytes, isUsed: false });
    this.#usedBytes -= before?.chargedBytes ?? 0;
    this.#counters.noteStored(part.bytes.byteLength);
  }

  async #write(path: string, file: Uint8Array): Promise<void> {
    const handle = await this.#fileSystem.createFile(path);
    try {
      await handle.writeAt(0, file);
    } finally {
      await handle.close();
    }
  }

  async #makeFolder(folder: string): Promise<void> {
    if (this.#folders.has(folder)) return;
    await this.#fileSystem.mkdir(folder);
    this.#folders.add(folder);
  }

  /** @returns false when there is no room and none can be made */
  #reserve(bytes: number): Promise<boolean> {
    const reserved = this.#evicting.then(async () => {
      if (!(await this.#makeRoom(bytes))) return false;
      this.#usedBytes += bytes;
      return true;
    });
    this.#evicting = reserved;
    return reserved;
  }

  async #makeRoom(bytes: number): Promise<boolean> {
    if (bytes > this.maxBytes) return false;
    while (this.#usedBytes + bytes > this.maxBytes) {
      const victim = this.#index.victim();
      if (victim === undefined || !(await this.#remove(victim.name, victim.entry))) return false;
      this.#counters.noteEviction();
    }
    return true;
  }

  /** @returns whether its bytes are free; those of a file that cannot be deleted stay charged until the next open */
  async #remove(name: string, entry: PartEntry | undefined): Promise<boolean> {
    if (entry === undefined || this.#index.get(name) !== entry) return true;
    this.#index.delete(name);
    try {
      await this.#fileSystem.deleteFile(partPath(name));
    } catch {
      this.#counters.noteFailure();
      return false;
    }
    this.#usedBytes -= entry.chargedBytes;
    return true;
  }

  #own<T>(running: Promise<T>): Promise<T> {
    const tracked = running.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
    return tracked;
  }
}

/** Largest `partBytes`, and what stands beside the bytes. */
const partFileBytesMax = 64 * 2 ** 20 + partOverheadBytesMax;

function chargeOf(fileBytes: number): number {
  return Math.ceil(fileBytes / blockBytes) * blockBytes;
}

function isOf(part: CachedPart, { storeId, key, version, partBytes }: CachedObject, number: number): boolean {
  const { object } = part;
  return (
    object.storeId === storeId &&
    object.key === key &&
    object.version === version &&
    object.partBytes === partBytes &&
    part.number === number
  );
}

/**
 * Objects as files in a directory, durable when acknowledged. A key is a path; a file is the object's bytes and a footer
 * (`object-footer.ts`).
 *
 * Always true:
 *  I1  an object's file is written and synced under a staging name; one link (create) or rename (replace) gives it its
 *      name, and the folder is synced before the call resolves
 *  I2  who replaces or deletes holds the key's lock from the look to the deed; creating needs none, a link never replaces
 *  I3  after a folder could not be synced nothing is known of the names in it: the store refuses everything but reads
 *      until it is opened again
 *  I4  what changes files and was given up by its caller is owned until it is over; `close` waits for it
 */
import { type Clock, systemClock } from "../../clock.ts";
import { Crc64 } from "../../checksum/crc64-nvme.ts";
import { type Random, systemRandom } from "../../random.ts";
import type { FileSystem } from "../../file-system/file-system.ts";
import { LocalFileSystem } from "../../file-system/local-file-system.ts";
import type {
  DriverBody,
  DriverCall,
  DriverComplete,
  DriverCopy,
  DriverGet,
  DriverInfo,
  DriverList,
  DriverListPage,
  DriverPart,
  DriverPut,
  DriverPutResult,
  ObjectStoreDriver,
  UploadedPart,
} from "../object-driver.ts";
import type { IncompleteUpload } from "../object-store.ts";
import { isReservedKey } from "../object-key.ts";
import { resolveRange } from "../resolve-range.ts";
import { StoreError } from "../store-error.ts";
import { newPutId } from "../write-request.ts";
import { DurableNames } from "./durable-names.ts";
import { KeyLocks } from "./key-locks.ts";
import { localCapabilities } from "./local-capabilities.ts";
import { LocalUploads } from "./local-uploads.ts";
import { toStoreError } from "./map-storage-error.ts";
import { assertNoFolder, infoOf, makeFolders, openObject, statObject } from "./object-file.ts";
import { encodeFooter, footerBytesMax } from "./object-footer.ts";
import { assertRunning, readChunks } from "./read-chunks.ts";
import { type StagedFile, Staging } from "./staging.ts";
import { walkKeys } from "./walk-keys.ts";

/** What a local store gets from outside. */
export interface LocalDriverParts {
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Files in a directory. `createObjectStore(await LocalDriver.open("/data/archive"))`. */
export class LocalDriver implements ObjectStoreDriver {
  readonly url: string;
  readonly capabilities: ObjectStoreDriver["capabilities"] = localCapabilities;
  readonly #fileSystem: FileSystem;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #staging: Staging;
  readonly #uploads: LocalUploads;
  readonly #locks: KeyLocks;
  readonly #names: DurableNames;
  readonly #running = new Set<Promise<unknown>>();

  private constructor(
    url: string,
    fileSystem: FileSystem,
    clock: Clock,
    random: Random,
    staging: Staging,
    locks: KeyLocks,
  ) {
    this.url = url;
    this.#fileSystem = fileSystem;
    this.#clock = clock;
    this.#random = random;
    this.#staging = staging;
    this.#uploads = new LocalUploads(staging);
    this.#locks = locks;
    this.#names = new DurableNames(fileSystem, staging.folder);
  }

  /**
   * Opens the directory, or makes it, and clears away what processes that died were about to store.
   * @param root its absolute path, or a file system whose root it is
   * @throws StoreError `PERMISSION_DENIED`, `NO_SPACE`, `IO`, …
   */
  static async open(root: string | FileSystem, parts: LocalDriverParts = {}): Promise<LocalDriver> {
    const { clock = systemClock, random = systemRandom } = parts;
    const fileSystem = typeof root === "string" ? new LocalFileSystem(root) : root;
    const path = fileSystem.localPath("") ?? "/";
    const url = `file://${path.split("/").map(encodeURIComponent).join("/")}`;
    try {
      await fileSystem.mkdir("");
      const locks = await KeyLocks.open(fileSystem, clock);
      return new LocalDriver(url, fileSystem, clock, random, await Staging.open(fileSystem, clock, random), locks);
    } catch (error) {
      throw cannotOpen(url, toStoreError(error, ""));
    }
  }

  async head(key: string, call: DriverCall): Promise<DriverInfo | undefined> {
    this.#assertSound(key, call);
    try {
      const footer = await statObject(this.#fileSystem, key);
      return footer === undefined ? undefined : infoOf(key, footer);
    } catch (error) {
      throw toStoreError(error, key);
    }
  }

  async get(key: string, { range, ifMatch }: DriverGet, { signal }: DriverCall): Promise<DriverBody> {
    assertRunning(signal);
    const object = await openObject(this.#fileSystem, key).catch(typed(key));
    if (object === undefined) throw new StoreError("NOT_FOUND", "no object is there", { key });
    const { handle, footer } = object;
    try {
      if (ifMatch !== undefined && ifMatch !== footer.version) throw mismatch(key);
      const resolved = resolveRange(range, footer.size);
      const chunks = readChunks(handle, resolved.offset, resolved.length, key, signal);
      return { info: infoOf(key, footer), range: resolved, chunks };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async put(key: string, bytes: Uint8Array, put: DriverPut, call: DriverCall): Promise<DriverPutResult> {
    this.#assertSound(key, call);
    const checksum = new Crc64().update(bytes).digest();
    if (put.checksum !== undefined && put.checksum !== checksum) throw corrupt(key);
    return this.#own(
      this.#stage(key, (file) =>
        this.#publish(key, file, put, bytes.byteLength, checksum, call, () => file.handle.writeAt(0, bytes)),
      ),
    );
  }

  async beginUpload(key: string, _put: DriverPut, call: DriverCall): Promise<string> {
    this.#assertSound(key, call);
    return this.#own(this.#uploads.begin(key, this.#nowMs()).catch(typed(key)));
  }

  async uploadPart(key: string, uploadId: string, part: DriverPart, call: DriverCall): Promise<UploadedPart> {
    this.#assertSound(key, call);
    return this.#own(this.#uploads.write(key, uploadId, part).catch(typed(key)));
  }

  async completeUpload(
    key: string,
    uploadId: string,
    parts: readonly UploadedPart[],
    complete: DriverComplete,
    call: DriverCall,
  ): Promise<DriverPutResult> {
    this.#assertSound(key, call);
    if (complete.checksum === undefined) throw corrupt(key);
    const { size, checksum } = complete;
    const taking = this.#uploads.take(key, uploadId, parts, size).catch(typed(key));
    return this.#own(taking.then((file) => this.#publish(key, file, complete, size, checksum, call, async () => {})));
  }

  async abortUpload(_key: string, uploadId: string, _call: DriverCall): Promise<void> {
    await this.#own(this.#uploads.drop(uploadId));
  }

  async copy(from: DriverInfo, to: string, copy: DriverCopy, call: DriverCall): Promise<DriverPutResult> {
    this.#assertSound(to, call);
    return this.#own(this.#copy(from, to, copy, call));
  }

  async #copy(from: DriverInfo, to: string, copy: DriverCopy, call: DriverCall): Promise<DriverPutResult> {
    const source = await openObject(this.#fileSystem, from.key).catch(typed(from.key));
    if (source === undefined) throw new StoreError("NOT_FOUND", "no object is there", { key: from.key });
    const { handle, footer } = source;
    try {
      if (footer.version !== copy.ifSourceMatch) throw mismatch(from.key);
      return await this.#stage(to, (file) =>
        this.#publish(to, file, copy, footer.size, footer.checksum, call, async () => {
          let at = 0;
          const crc = new Crc64();
          for await (const chunk of readChunks(handle, 0, footer.size, from.key, call.signal)) {
            await file.handle.writeAt(at, chunk);
            crc.update(chunk);
            at += chunk.byteLength;
          }
          if (crc.digest() !== footer.checksum) throw corrupt(from.key);
        }),
      );
    } finally {
      await handle.close();
    }
  }

  async delete(key: string, { ifMatch }: { readonly ifMatch?: string }, call: DriverCall): Promise<void> {
    this.#assertSound(key, call);
    if (isReservedKey(key)) return;
    const deleting = this.#locks.with(key, call.signal, async () => {
      this.#assertSound(key, call);
      if (ifMatch !== undefined && (await statObject(this.#fileSystem, key))?.version !== ifMatch) throw mismatch(key);
      await this.#names.remove(key);
    });
    await this.#own(deleting.catch(typed(key)));
  }

  async listPage(
    { prefix, startAfter, delimiter, pageSize, pageToken }: DriverList,
    call: DriverCall,
  ): Promise<DriverListPage> {
    this.#assertSound("", call);
    const objects: DriverListPage["objects"][number][] = [];
    const prefixes: string[] = [];
    let last: string | undefined;
    try {
      const after =
        pageToken === undefined ? { name: startAfter ?? "", isShown: false } : { name: pageToken, isShown: true };
      const names = walkKeys(this.#fileSystem, prefix, after, delimiter !== undefined);
      for await (const name of names) {
        assertRunning(call.signal);
        if (objects.length + prefixes.length === pageSize) return { objects, prefixes, nextPageToken: last };
        if (name.endsWith("/")) {
          prefixes.push(name);
        } else {
          const footer = await statObject(this.#fileSystem, name);
          // It went away meanwhile.
          if (footer === undefined) continue;
          objects.push({ key: name, size: footer.size, version: footer.version, lastModifiedMs: footer.modifiedMs });
        }
        last = name;
      }
    } catch (error) {
      throw toStoreError(error, prefix);
    }
    return { objects, prefixes, nextPageToken: undefined };
  }

  async listUploadsPage({
    prefix,
  }: {
    readonly prefix: string;
  }): Promise<{ readonly uploads: readonly IncompleteUpload[]; readonly nextPageToken: undefined }> {
    return { uploads: this.#uploads.list(prefix), nextPageToken: undefined };
  }

  async close(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    await this.#uploads.close();
    await this.#staging.close();
  }

  async #stage<T>(key: string, use: (file: StagedFile) => Promise<T>): Promise<T> {
    return use(await this.#staging.create().catch(typed(key)));
  }

  /** Fills the staged file, syncs it and gives it its name. The file is gone afterwards, whatever happens. */
  async #publish(
    key: string,
    { path, handle }: StagedFile,
    put: DriverPut,
    size: number,
    checksum: bigint,
    call: DriverCall,
    fill: () => Promise<void>,
  ): Promise<DriverPutResult> {
    const version = newPutId(this.#random);
    try {
      try {
        const { contentType, metadata } = put;
        const footer = encodeFooter({ version, size, checksum, modifiedMs: this.#nowMs(), contentType, metadata });
        if (footer.byteLength > footerBytesMax) throw tooMuchBeside(key, footer.byteLength);
        await fill();
        await handle.writeAt(size, footer);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await makeFolders(this.#fileSystem, key);
      assertRunning(call.signal);
      if (put.ifAbsent === true && this.#fileSystem.supports.hardLinks) await this.#names.create(path, key);
      else await this.#locks.with(key, call.signal, () => this.#replace(path, key, put, call));
      return { version };
    } catch (error) {
      throw toStoreError(error, key);
    } finally {
      await this.#staging.drop(path);
    }
  }

  async #replace(path: string, key: string, { ifAbsent, ifMatch }: DriverPut, call: DriverCall): Promise<void> {
    this.#assertSound(key, call);
    await assertNoFolder(this.#fileSystem, key);
    if (ifAbsent === true && (await this.#fileSystem.fileExists(key))) {
      throw new StoreError("ALREADY_EXISTS", "an object is there", { key });
    }
    if (ifMatch !== undefined && (await statObject(this.#fileSystem, key))?.version !== ifMatch) throw mismatch(key);
    await this.#names.replace(path, key);
  }

  /** `close` waits for it, even when its caller has given it up. */
  #own<T>(running: Promise<T>): Promise<T> {
    const tracked = running.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
    return tracked;
  }

  #assertSound(key: string, { signal }: DriverCall): void {
    assertRunning(signal);
    if (this.#names.failure === undefined) return;
    throw new StoreError("IO", "a folder could not be synced, so what is durable is not known: open the store again", {
      key,
      cause: this.#names.failure,
    });
  }

  #nowMs(): number {
    return Math.floor(this.#clock.wallUs() / 1000);
  }
}

/** For `catch`. */
function typed(key: string): (error: unknown) => never {
  return (error) => {
    throw toStoreError(error, key);
  };
}

/** Names the directory: the file system knows only paths below it. */
function cannotOpen(url: string, { code, message, cause }: StoreError): StoreError {
  // There are no keys yet that could be in each other's way.
  const meant = code === "KEY_CONFLICT" || code === "INVALID_KEY" ? "INVALID_ARGUMENT" : code;
  return new StoreError(meant, `the directory of ${url} cannot be made or read: ${message}`, {
    ...{ store: url, operation: "openStore", cause },
  });
}

function mismatch(key: string): StoreError {
  return new StoreError("VERSION_MISMATCH", "another version is there, or none", { key });
}

function tooMuchBeside(key: string, bytes: number): StoreError {
  const message = `metadata and content type make a footer of ${bytes} bytes, and ${footerBytesMax} are read again`;
  return new StoreError("INVALID_ARGUMENT", message, { key });
}

function corrupt(key: string): StoreError {
  return new StoreError("CORRUPT", "the bytes do not have the checksum that came with them", { key });
}

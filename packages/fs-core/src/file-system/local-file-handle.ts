/**
 * One open file of the local disk. The synchronous and the asynchronous calls share one descriptor.
 *
 * Always true:
 *  I1  #fd ≥ 0 ⇔ the handle is open; every call reads #fd once, first
 *  I2  the descriptor is closed only when no asynchronous call is in flight: the number may be reused at once by
 *      another file, and a late read or write in the thread pool would hit that one
 *  I3  an open handle is in `leaks`; a closed one is not
 */
import {
  close,
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstat,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncate,
  ftruncateSync,
  read,
  readSync,
  write,
  writeSync,
} from "node:fs";
import { promisify } from "node:util";
import { StorageError } from "../errors.ts";
import { type FileHandle, readAllLimitBytes } from "./file-system.ts";
import { argumentError, closedError, toStorageError } from "./map-node-error.ts";
import { quotePath } from "./path-rules.ts";
import { readWhole, readWholeSync, writeWhole, writeWholeSync } from "./whole-io.ts";
import { zeroPieces } from "./zeroes.ts";

const closeFd = promisify(close);
const syncFd = promisify(fsync);
const syncFdData = promisify(fdatasync);
const statFd = promisify(fstat);
const truncateFd = promisify(ftruncate);

export class LocalFileHandle implements FileHandle {
  readonly path: string;
  readonly #writable: boolean;
  #fd: number;
  #inFlight = 0;
  #closed: Promise<void> | undefined;
  #whenIdle: (() => void) | undefined;

  /** Takes ownership of `fd`. */
  constructor(fd: number, path: string, writable: boolean) {
    this.#fd = fd;
    this.path = path;
    this.#writable = writable;
    leaks.register(this, { fd, path }, this);
  }

  readAtSync(position: number, buffer: Uint8Array): number {
    const fd = this.#fd;
    if (fd < 0 || !isOffset(position)) throw this.#refusal("readAt", position);
    try {
      return readWholeSync(readSync, fd, buffer, position);
    } catch (cause) {
      throw toStorageError(cause, "readAt", this.path);
    }
  }

  writeAtSync(position: number, data: Uint8Array): void {
    const fd = this.#fd;
    if (fd < 0 || !this.#writable || !isOffset(position)) throw this.#refusal("writeAt", position);
    try {
      writeWholeSync(writeSync, fd, data, position);
    } catch (cause) {
      throw toStorageError(cause, "writeAt", this.path);
    }
  }

  syncSync(options?: { readonly dataOnly?: boolean }): void {
    const fd = this.#fd;
    if (fd < 0) throw closedError("sync", this.path);
    try {
      if (options?.dataOnly === true) fdatasyncSync(fd);
      else fsyncSync(fd);
    } catch (cause) {
      throw toStorageError(cause, "sync", this.path);
    }
  }

  setSizeSync(size: number): void {
    const fd = this.#fd;
    if (fd < 0 || !this.#writable || !isOffset(size)) throw this.#refusal("setSize", size);
    try {
      ftruncateSync(fd, size);
    } catch (cause) {
      throw toStorageError(cause, "setSize", this.path);
    }
  }

  preallocateSync(position: number, length: number): void {
    const fd = this.#fd;
    this.#checkRange("preallocate", position, length);
    if (!this.#writable) throw this.#refusal("preallocate", position);
    try {
      for (const [at, zeroes] of zeroPieces(position, length)) writeWholeSync(writeSync, fd, zeroes, at);
    } catch (cause) {
      throw toStorageError(cause, "preallocate", this.path);
    }
  }

  sizeSync(): number {
    const fd = this.#fd;
    if (fd < 0) throw closedError("size", this.path);
    try {
      return fstatSync(fd).size;
    } catch (cause) {
      throw toStorageError(cause, "size", this.path);
    }
  }

  linkCountSync(): number {
    const fd = this.#fd;
    if (fd < 0) throw closedError("linkCount", this.path);
    try {
      return fstatSync(fd).nlink;
    } catch (cause) {
      throw toStorageError(cause, "linkCount", this.path);
    }
  }

  closeSync(): void {
    const fd = this.#giveUp();
    if (fd < 0) return;
    if (this.#inFlight > 0) {
      this.#closed = this.#closeWhenIdle(fd);
      return;
    }
    this.#closed = Promise.resolve();
    try {
      closeSync(fd);
    } catch (cause) {
      throw toStorageError(cause, "close", this.path);
    }
  }

  async readAt(position: number, buffer: Uint8Array): Promise<number> {
    if (!isOffset(position)) throw this.#refusal("readAt", position);
    return this.#run("readAt", (fd) => readWhole(read, fd, buffer, position));
  }

  async writeAt(position: number, data: Uint8Array): Promise<void> {
    if (!this.#writable || !isOffset(position)) throw this.#refusal("writeAt", position);
    return this.#run("writeAt", (fd) => writeWhole(write, fd, data, position));
  }

  async readAll(options?: { readonly limitBytes?: number }): Promise<Uint8Array> {
    const limitBytes = options?.limitBytes ?? readAllLimitBytes;
    return this.#run("readAll", async (fd) => {
      const { size } = await statFd(fd);
      if (size <= limitBytes) return readCopy(fd, 0, size);
      throw argumentError("readAll", this.path, `${size} bytes, more than the limit ${limitBytes}`);
    });
  }

  async readView(position: number, length: number): Promise<Uint8Array> {
    this.#checkRange("readView", position, length);
    return this.#run("readView", async (fd) => {
      // The caller's length may be far beyond the end: it must not decide how much memory is taken.
      const available = Math.max(0, (await statFd(fd)).size - position);
      return readCopy(fd, position, Math.min(length, available));
    });
  }

  async setSize(size: number): Promise<void> {
    if (!this.#writable || !isOffset(size)) throw this.#refusal("setSize", size);
    return this.#run("setSize", (fd) => truncateFd(fd, size));
  }

  async preallocate(position: number, length: number): Promise<void> {
    this.#checkRange("preallocate", position, length);
    if (!this.#writable) throw this.#refusal("preallocate", position);
    return this.#run("preallocate", async (fd) => {
      for (const [at, zeroes] of zeroPieces(position, length)) await writeWhole(write, fd, zeroes, at);
    });
  }

  async size(): Promise<number> {
    return this.#run("size", async (fd) => (await statFd(fd)).size);
  }

  async flush(): Promise<void> {
    if (this.#fd < 0) throw closedError("flush", this.path);
  }

  async sync(options?: { readonly dataOnly?: boolean }): Promise<void> {
    return this.#run("sync", options?.dataOnly === true ? syncFdData : syncFd);
  }

  async memoryMap(): Promise<Uint8Array> {
    const message = `memoryMap ${quotePath(this.path)}: Node has no mmap; use readView`;
    throw new StorageError("UNSUPPORTED", message, { operation: "memoryMap", path: this.path });
  }

  close(): Promise<void> {
    const fd = this.#giveUp();
    if (fd >= 0) this.#closed = this.#inFlight > 0 ? this.#closeWhenIdle(fd) : closeNow(fd, this.path);
    return this.#closed as Promise<void>;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run<T>(operation: string, call: (fd: number) => Promise<T>): Promise<T> {
    const fd = this.#fd;
    if (fd < 0) throw closedError(operation, this.path);
    this.#inFlight += 1;
    try {
      return await call(fd);
    } catch (cause) {
      throw toStorageError(cause, operation, this.path);
    } finally {
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#whenIdle?.();
    }
  }

  /** Marks the handle closed; the descriptor if it was open, else -1. */
  #giveUp(): number {
    const fd = this.#fd;
    if (fd >= 0) leaks.unregister(this);
    this.#fd = -1;
    return fd;
  }

  /** Never rejects: whoever called `closeSync` is gone, and a close promises nothing about bytes, only a sync does. */
  #closeWhenIdle(fd: number): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle = () => close(fd, () => resolve());
    });
  }

  #checkRange(operation: string, position: number, length: number): void {
    if (this.#fd < 0 || !isOffset(position)) throw this.#refusal(operation, position);
    if (!isOffset(length)) throw this.#refusal(operation, length);
  }

  #refusal(operation: string, value: number): StorageError {
    if (this.#fd < 0) return closedError(operation, this.path);
    if (!isOffset(value)) return argumentError(operation, this.path, `${value} is not a whole number of bytes`);
    return argumentError(operation, this.path, "the handle was opened for reading only");
  }
}

async function readCopy(fd: number, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const count = await readWhole(read, fd, bytes, position);
  return count === length ? bytes : bytes.slice(0, count);
}

async function closeNow(fd: number, path: string): Promise<void> {
  try {
    await closeFd(fd);
  } catch (cause) {
    throw toStorageError(cause, "close", path);
  }
}

// Node takes a position of -1 for "where the cursor is", so negative ones must not reach it.
function isOffset(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

// A handle that nobody can close any more: free the descriptor, and say so, because the next leak may hit the limit.
const leaks = new FinalizationRegistry<{ readonly fd: number; readonly path: string }>(({ fd, path }) => {
  process.emitWarning(`The handle of ${quotePath(path)} was dropped without close()`, "FileHandleLeakWarning");
  close(fd, () => {});
});

import { StorageError } from "../errors.ts";
import { type FileHandle, readAllLimitBytes } from "./file-system.ts";
import { argumentError, closedError } from "./map-node-error.ts";
import type { MemoryFile } from "./memory-node.ts";
import type { MemoryTree } from "./memory-tree.ts";
import { quotePath } from "./path-rules.ts";
import { zeroPieces } from "./zeroes.ts";

/**
 * One open file of a {@link MemoryTree}. An asynchronous call checks its arguments at once and acts one microtask later,
 * so that a caller who changes a borrowed buffer too early, or overlaps two writes, is found out here too.
 */
export class MemoryFileHandle implements FileHandle {
  readonly path: string;
  readonly #tree: MemoryTree;
  readonly #file: MemoryFile;
  readonly #writable: boolean;
  #open = true;

  constructor(tree: MemoryTree, file: MemoryFile, path: string, writable: boolean) {
    this.#tree = tree;
    this.#file = file;
    this.path = path;
    this.#writable = writable;
  }

  /** The file behind the handle, for the crash simulator. */
  get file(): MemoryFile {
    return this.#file;
  }

  readAtSync(position: number, buffer: Uint8Array): number {
    this.#check("readAt", position);
    return this.#file.bytes.readAt(position, buffer);
  }

  writeAtSync(position: number, data: Uint8Array): void {
    this.#checkWritable("writeAt", position);
    this.#write("writeAt", position, data);
  }

  setSizeSync(size: number): void {
    this.#checkWritable("setSize", size);
    this.#resize(size);
  }

  preallocateSync(position: number, length: number): void {
    this.#checkWritable("preallocate", position, length);
    this.#writeZeroes(position, length);
  }

  sizeSync(): number {
    this.#check("size");
    return this.#file.bytes.size;
  }

  linkCountSync(): number {
    this.#check("linkCount");
    return this.#file.links;
  }

  syncSync(_options?: { readonly dataOnly?: boolean }): void {
    this.#check("sync");
    this.#tree.sync(this.#file, this.#tree.mark());
  }

  closeSync(): void {
    this.#open = false;
  }

  async readAt(position: number, buffer: Uint8Array): Promise<number> {
    this.#check("readAt", position);
    await Promise.resolve();
    return this.#file.bytes.readAt(position, buffer);
  }

  async writeAt(position: number, data: Uint8Array): Promise<void> {
    this.#checkWritable("writeAt", position);
    await Promise.resolve();
    this.#write("writeAt", position, data);
  }

  async readAll(options?: { readonly limitBytes?: number }): Promise<Uint8Array> {
    const size = this.sizeSync();
    const limitBytes = options?.limitBytes ?? readAllLimitBytes;
    if (size > limitBytes)
      throw argumentError("readAll", this.path, `${size} bytes, more than the limit ${limitBytes}`);
    return this.readView(0, size);
  }

  async readView(position: number, length: number): Promise<Uint8Array> {
    this.#check("readView", position, length);
    await Promise.resolve();
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.#file.bytes.size - position)));
    this.#file.bytes.readAt(position, bytes);
    return bytes;
  }

  async setSize(size: number): Promise<void> {
    this.#checkWritable("setSize", size);
    await Promise.resolve();
    this.#resize(size);
  }

  async preallocate(position: number, length: number): Promise<void> {
    this.#checkWritable("preallocate", position, length);
    await Promise.resolve();
    this.#writeZeroes(position, length);
  }

  async size(): Promise<number> {
    this.#check("size");
    await Promise.resolve();
    return this.#file.bytes.size;
  }

  async flush(): Promise<void> {
    this.#check("flush");
  }

  async sync(_options?: { readonly dataOnly?: boolean }): Promise<void> {
    this.#check("sync");
    // Promise 2 covers what was written before the call; what is written meanwhile must wait for the next sync.
    const mark = this.#tree.mark();
    await Promise.resolve();
    this.#tree.sync(this.#file, mark);
  }

  async memoryMap(): Promise<Uint8Array> {
    const message = `memoryMap ${quotePath(this.path)}: use readView`;
    throw new StorageError("UNSUPPORTED", message, { operation: "memoryMap", path: this.path });
  }

  async close(): Promise<void> {
    this.#open = false;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #write(operation: string, position: number, data: Uint8Array): void {
    try {
      this.#tree.write(this.#file, position, data);
    } catch (cause) {
      throw this.#full(cause, operation);
    }
  }

  #writeZeroes(position: number, length: number): void {
    for (const [at, zeroes] of zeroPieces(position, length)) this.#write("preallocate", at, zeroes);
  }

  #resize(size: number): void {
    try {
      this.#tree.resize(this.#file, size);
    } catch (cause) {
      throw this.#full(cause, "setSize");
    }
  }

  /** More than an ArrayBuffer may hold is this file system's full disk. */
  #full(cause: unknown, operation: string): unknown {
    if (!(cause instanceof RangeError)) return cause;
    const message = `${operation} ${quotePath(this.path)}: more than memory can hold`;
    return new StorageError("NO_SPACE", message, { operation, path: this.path, cause });
  }

  #check(operation: string, ...offsets: number[]): void {
    if (!this.#open) throw closedError(operation, this.path);
    for (const value of offsets) {
      if (Number.isSafeInteger(value) && value >= 0) continue;
      throw argumentError(operation, this.path, `${value} is not a whole number of bytes`);
    }
  }

  #checkWritable(operation: string, ...offsets: number[]): void {
    this.#check(operation, ...offsets);
    if (!this.#writable) throw argumentError(operation, this.path, "the handle was opened for reading only");
  }
}

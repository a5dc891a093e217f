import type { FileHandle } from "../file-system/file-system.ts";
import { argumentError, closedError } from "../file-system/map-node-error.ts";
import { oddDecode, oddEncode, oddPieces } from "./odd-bytes.ts";

/** {@link OddFileSystem}'s handle. Since one call is many inner ones, it keeps its own account of what is under way. */
export class OddFileHandle implements FileHandle {
  readonly path: string;
  readonly #inner: FileHandle;
  #open = true;
  #inFlight = 0;
  #whenIdle: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(inner: FileHandle) {
    this.#inner = inner;
    this.path = inner.path;
  }

  readAtSync(position: number, buffer: Uint8Array): number {
    this.#check("readAt", position);
    let done = 0;
    for (const [from, to] of oddPieces(position, position + buffer.byteLength)) {
      const piece = buffer.subarray(from - position, to - position);
      const count = this.#inner.readAtSync(from, piece);
      oddDecode(piece.subarray(0, count), from);
      done += count;
      if (count < piece.byteLength) break;
    }
    return done;
  }

  writeAtSync(position: number, data: Uint8Array): void {
    this.#check("writeAt", position);
    if (data.byteLength === 0) this.#inner.writeAtSync(position, data);
    for (const [from, to] of oddPieces(position, position + data.byteLength)) {
      this.#inner.writeAtSync(from, oddEncode(data.subarray(from - position, to - position), from));
    }
  }

  setSizeSync(size: number): void {
    this.#check("setSize");
    this.#inner.setSizeSync(size);
  }

  preallocateSync(position: number, length: number): void {
    this.#check("preallocate");
    this.#inner.preallocateSync(position, length);
  }

  sizeSync(): number {
    this.#check("size");
    return this.#inner.sizeSync();
  }

  linkCountSync(): number {
    this.#check("linkCount");
    return this.#inner.linkCountSync();
  }

  syncSync(options?: { readonly dataOnly?: boolean }): void {
    this.#check("sync");
    this.#inner.syncSync(options);
  }

  closeSync(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#inFlight > 0) {
      // Nobody is left to hear of a failure, and a close promises nothing about bytes.
      this.#closed = this.#idle().then(() => this.#inner.close().catch(() => {}));
      return;
    }
    this.#closed = Promise.resolve();
    this.#inner.closeSync();
  }

  async readAt(position: number, buffer: Uint8Array): Promise<number> {
    this.#check("readAt", position);
    return this.#run(async () => {
      let done = 0;
      for (const [from, to] of oddPieces(position, position + buffer.byteLength)) {
        const piece = buffer.subarray(from - position, to - position);
        const count = await this.#inner.readAt(from, piece);
        oddDecode(piece.subarray(0, count), from);
        done += count;
        if (count < piece.byteLength) break;
      }
      return done;
    });
  }

  async writeAt(position: number, data: Uint8Array): Promise<void> {
    this.#check("writeAt", position);
    return this.#run(async () => {
      if (data.byteLength === 0) await this.#inner.writeAt(position, data);
      for (const [from, to] of oddPieces(position, position + data.byteLength)) {
        await this.#inner.writeAt(from, oddEncode(data.subarray(from - position, to - position), from));
      }
    });
  }

  async readAll(options?: { readonly limitBytes?: number }): Promise<Uint8Array> {
    this.#check("readAll");
    return this.#run(async () => oddDecode(await this.#inner.readAll(options), 0));
  }

  async readView(position: number, length: number): Promise<Uint8Array> {
    this.#check("readView", position);
    return this.#run(async () => oddDecode(await this.#inner.readView(position, length), position));
  }

  async setSize(size: number): Promise<void> {
    this.#check("setSize");
    return this.#run(() => this.#inner.setSize(size));
  }

  async preallocate(position: number, length: number): Promise<void> {
    this.#check("preallocate");
    return this.#run(() => this.#inner.preallocate(position, length));
  }

  async size(): Promise<number> {
    this.#check("size");
    return this.#run(() => this.#inner.size());
  }

  async flush(): Promise<void> {
    this.#check("flush");
    return this.#run(() => this.#inner.flush());
  }

  async sync(options?: { readonly dataOnly?: boolean }): Promise<void> {
    this.#check("sync");
    return this.#run(() => this.#inner.sync(options));
  }

  memoryMap(): Promise<Uint8Array> {
    return this.#inner.memoryMap();
  }

  close(): Promise<void> {
    if (this.#open) {
      this.#open = false;
      this.#closed = this.#inFlight === 0 ? this.#inner.close() : this.#idle().then(() => this.#inner.close());
    }
    return this.#closed as Promise<void>;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle = resolve;
    });
  }

  async #run<T>(call: () => Promise<T>): Promise<T> {
    this.#inFlight += 1;
    try {
      return await call();
    } finally {
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#whenIdle?.();
    }
  }

  #check(operation: string, position = 0): void {
    if (!this.#open) throw closedError(operation, this.path);
    if (Number.isSafeInteger(position) && position >= 0) return;
    throw argumentError(operation, this.path, `${position} is not a whole number of bytes`);
  }
}

import type { FileHandle } from "../file-system/file-system.ts";
import type { FileInterceptor, FileOperation, FileOperationName } from "./operation.ts";

/** A handle every operation of which passes an interceptor. */
export class InterceptedFileHandle implements FileHandle {
  readonly path: string;
  /** The wrapped handle. */
  readonly inner: FileHandle;
  readonly #interceptor: FileInterceptor;

  constructor(inner: FileHandle, interceptor: FileInterceptor) {
    this.inner = inner;
    this.path = inner.path;
    this.#interceptor = interceptor;
  }

  readAt(position: number, buffer: Uint8Array): Promise<number> {
    return this.#around("readAt", () => this.inner.readAt(position, buffer));
  }

  writeAt(position: number, data: Uint8Array): Promise<void> {
    return this.#around("writeAt", () => this.inner.writeAt(position, data), { position, data });
  }

  readAll(options?: { readonly limitBytes?: number }): Promise<Uint8Array> {
    return this.#around("readAll", () => this.inner.readAll(options));
  }

  readView(position: number, length: number): Promise<Uint8Array> {
    return this.#around("readView", () => this.inner.readView(position, length));
  }

  setSize(size: number): Promise<void> {
    return this.#around("setSize", () => this.inner.setSize(size));
  }

  preallocate(position: number, length: number): Promise<void> {
    return this.#around("preallocate", () => this.inner.preallocate(position, length));
  }

  size(): Promise<number> {
    return this.#around("size", () => this.inner.size());
  }

  flush(): Promise<void> {
    return this.#around("flush", () => this.inner.flush());
  }

  sync(options?: { readonly dataOnly?: boolean }): Promise<void> {
    return this.#around("sync", () => this.inner.sync(options));
  }

  memoryMap(): Promise<Uint8Array> {
    return this.inner.memoryMap();
  }

  close(): Promise<void> {
    return this.#around("close", () => this.inner.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readAtSync(position: number, buffer: Uint8Array): number {
    return this.#aroundSync("readAt", () => this.inner.readAtSync(position, buffer));
  }

  writeAtSync(position: number, data: Uint8Array): void {
    this.#aroundSync("writeAt", () => this.inner.writeAtSync(position, data), { position, data });
  }

  setSizeSync(size: number): void {
    this.#aroundSync("setSize", () => this.inner.setSizeSync(size));
  }

  preallocateSync(position: number, length: number): void {
    this.#aroundSync("preallocate", () => this.inner.preallocateSync(position, length));
  }

  sizeSync(): number {
    return this.#aroundSync("size", () => this.inner.sizeSync());
  }

  linkCountSync(): number {
    return this.#aroundSync("linkCount", () => this.inner.linkCountSync());
  }

  syncSync(options?: { readonly dataOnly?: boolean }): void {
    this.#aroundSync("sync", () => this.inner.syncSync(options));
  }

  closeSync(): void {
    this.#aroundSync("close", () => this.inner.closeSync());
  }

  #around<T>(name: FileOperationName, call: () => Promise<T>, write?: FileOperation["write"]): Promise<T> {
    return this.#interceptor.around(this.#operation(name, false, write), call);
  }

  #aroundSync<T>(name: FileOperationName, call: () => T, write?: FileOperation["write"]): T {
    return this.#interceptor.aroundSync(this.#operation(name, true, write), call);
  }

  #operation(name: FileOperationName, synchronous: boolean, write: FileOperation["write"]): FileOperation {
    const operation = { name, path: this.path, synchronous, handle: this.inner };
    return write === undefined ? operation : { ...operation, write };
  }
}

/**
 * Promise 10 in one place: what fails below, wherever it was found out, says which key, operation and store it was about.
 * Errors that are not the store's, such as those of a caller's source, pass as they are.
 */
import type { ObjectStoreDriver } from "./object-driver.ts";
import type {
  ByteRange,
  CallOptions,
  CopyOptions,
  DeleteFailure,
  DeleteOptions,
  FileSource,
  GetOptions,
  GetRangesOptions,
  IncompleteUpload,
  ListEntry,
  ListOptions,
  ListUploadsOptions,
  ObjectBody,
  ObjectInfo,
  ObjectStore,
  ObjectWriter,
  ProbeOptions,
  PutOptions,
  PutResult,
  RenameOptions,
  UploadOptions,
} from "./object-store.ts";
import type { ProbeReport } from "./probe-report.ts";
import type { Source } from "./source-items.ts";
import type { StoreCapabilities } from "./store-capabilities.ts";
import { placed } from "./store-error.ts";
import type { StoreParts } from "./store-parts.ts";
import type { StoreSettings } from "./store-settings.ts";

export class PlacedStore implements ObjectStore {
  readonly url: string;
  readonly scheme: string;
  readonly capabilities: StoreCapabilities;
  readonly driver: ObjectStoreDriver;
  readonly parts: Required<StoreParts>;
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
    this.url = store.url;
    this.scheme = store.scheme;
    this.capabilities = store.capabilities;
    this.driver = store.driver;
    this.parts = store.parts;
  }

  derive(driver: ObjectStoreDriver, settings?: StoreSettings, parts?: StoreParts): ObjectStore {
    return this.#store.derive(driver, settings, parts);
  }

  get(key: string, options?: GetOptions): Promise<ObjectBody> {
    return this.#told("get", key, this.#store.get(key, options));
  }

  getRanges(key: string, ranges: readonly ByteRange[], options?: GetRangesOptions): Promise<Uint8Array[]> {
    return this.#told("getRanges", key, this.#store.getRanges(key, ranges, options));
  }

  head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined> {
    return this.#told("head", key, this.#store.head(key, options));
  }

  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<PutResult> {
    return this.#told("put", key, this.#store.put(key, bytes, options));
  }

  putStream(key: string, source: Source<Uint8Array>, options?: UploadOptions): Promise<PutResult> {
    return this.#told("putStream", key, this.#store.putStream(key, source, options));
  }

  putFile(key: string, source: FileSource, options?: UploadOptions): Promise<PutResult> {
    return this.#told("putFile", key, this.#store.putFile(key, source, options));
  }

  createWriter(key: string, options?: UploadOptions): ObjectWriter {
    try {
      return this.#store.createWriter(key, options);
    } catch (error) {
      throw this.#placed("createWriter", key, error);
    }
  }

  copy(from: string, to: string, options?: CopyOptions): Promise<PutResult> {
    return this.#told("copy", to, this.#store.copy(from, to, options));
  }

  rename(from: string, to: string, options?: RenameOptions): Promise<void> {
    return this.#told("rename", to, this.#store.rename(from, to, options));
  }

  delete(key: string, options?: DeleteOptions): Promise<void> {
    return this.#told("delete", key, this.#store.delete(key, options));
  }

  async deleteMany(keys: Source<string>, options?: CallOptions): Promise<DeleteFailure[]> {
    const failures = await this.#told("deleteMany", undefined, this.#store.deleteMany(keys, options));
    return failures.map(({ key, error }) => ({ key, error: this.#placed("deleteMany", key, error) as Error }));
  }

  list(options?: ListOptions): AsyncIterable<ListEntry> {
    return this.#listed("list", () => this.#store.list(options));
  }

  listIncompleteUploads(options?: ListUploadsOptions): AsyncIterable<IncompleteUpload> {
    return this.#listed("listIncompleteUploads", () => this.#store.listIncompleteUploads(options));
  }

  abortIncompleteUpload(upload: Pick<IncompleteUpload, "key" | "uploadId">, options?: CallOptions): Promise<void> {
    return this.#told("abortIncompleteUpload", upload.key, this.#store.abortIncompleteUpload(upload, options));
  }

  probe(options?: ProbeOptions): Promise<ProbeReport> {
    return this.#told("probe", undefined, this.#store.probe(options));
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #told<T>(operation: string, key: string | undefined, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw this.#placed(operation, key, error);
    }
  }

  /** Refuses at once, as the store does. */
  #listed<T>(operation: string, list: () => AsyncIterable<T>): AsyncIterable<T> {
    try {
      return this.#entries(operation, list());
    } catch (error) {
      throw this.#placed(operation, undefined, error);
    }
  }

  async *#entries<T>(operation: string, entries: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    try {
      yield* entries;
    } catch (error) {
      throw this.#placed(operation, undefined, error);
    }
  }

  #placed(operation: string, key: string | undefined, error: unknown): unknown {
    return placed(error, { operation, store: this.url, ...(key === undefined ? {} : { key }) });
  }
}

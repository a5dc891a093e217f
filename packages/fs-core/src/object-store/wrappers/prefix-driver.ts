/**
 * The requests of one folder. Above it keys are relative to the folder, below it absolute; this file is the border.
 *
 * Always true:
 *  I1  every key that is sent begins with the folder
 *  I2  no key, listing or error that comes back names anything outside the folder
 */
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
import type { StoreCapabilities } from "../store-capabilities.ts";
import { isStoreError, retold } from "../store-error.ts";
import type { WrappedStore } from "./forwarding-driver.ts";
import { optionalRequests, type OptionalRequests } from "./optional-requests.ts";
import { watchBody } from "./watched-body.ts";

export class PrefixDriver implements ObjectStoreDriver {
  readonly url: string;
  readonly capabilities: StoreCapabilities;
  readonly #folder: string;
  readonly #store: WrappedStore;
  readonly #inner: ObjectStoreDriver;
  uploadPartCopy?: NonNullable<ObjectStoreDriver["uploadPartCopy"]>;
  rename?: NonNullable<ObjectStoreDriver["rename"]>;
  deleteMany?: NonNullable<ObjectStoreDriver["deleteMany"]>;
  listUploadsPage?: NonNullable<ObjectStoreDriver["listUploadsPage"]>;

  /** @param folder ends in `/` */
  constructor(store: WrappedStore, folder: string) {
    const inner = store.driver;
    const { limits } = inner.capabilities;
    this.#store = store;
    this.#inner = inner;
    this.#folder = folder;
    this.url = `${inner.url.replace(/\/$/, "")}/${folder.slice(0, -1).split("/").map(encodeURIComponent).join("/")}`;
    this.capabilities = {
      ...inner.capabilities,
      limits: { ...limits, keyBytesMax: limits.keyBytesMax - Buffer.byteLength(folder) },
    };
    this.#addOptional(optionalRequests(inner));
  }

  #addOptional({ uploadPartCopy, rename, deleteMany, listUploadsPage }: OptionalRequests): void {
    if (uploadPartCopy !== undefined) {
      this.uploadPartCopy = (key, uploadId, part, call) =>
        this.#told(uploadPartCopy(this.#full(key), uploadId, { ...part, from: this.#fullInfo(part.from) }, call));
    }
    if (rename !== undefined) {
      this.rename = (from, to, request, call) => this.#told(rename(this.#full(from), this.#full(to), request, call));
    }
    if (deleteMany !== undefined) {
      this.deleteMany = async (keys, call) => {
        const full = keys.map((key) => this.#full(key));
        const failures = await this.#told(deleteMany(full, call));
        return failures.map(({ key, error }) => ({ key: this.#relative(key), error: this.#error(error) as Error }));
      };
    }
    if (listUploadsPage !== undefined) {
      this.listUploadsPage = async ({ prefix, pageToken }, call) => {
        const request = { prefix: this.#full(prefix), pageToken };
        const { uploads, nextPageToken } = await this.#told(listUploadsPage(request, call));
        return { uploads: this.#inside(uploads), nextPageToken };
      };
    }
  }

  async head(key: string, call: DriverCall): Promise<DriverInfo | undefined> {
    const info = await this.#told(this.#inner.head(this.#full(key), call));
    return info === undefined ? undefined : { ...info, key };
  }

  async get(key: string, request: DriverGet, call: DriverCall): Promise<DriverBody> {
    const { info, range, chunks } = await this.#told(this.#inner.get(this.#full(key), request, call));
    const body = { info: { ...info, key }, range, chunks };
    return watchBody(body, call.signal, { mapError: (error) => this.#error(error) });
  }

  put(key: string, bytes: Uint8Array, put: DriverPut, call: DriverCall): Promise<DriverPutResult> {
    return this.#told(this.#inner.put(this.#full(key), bytes, put, call));
  }

  beginUpload(key: string, put: DriverPut, call: DriverCall): Promise<string> {
    return this.#told(this.#inner.beginUpload(this.#full(key), put, call));
  }

  uploadPart(key: string, uploadId: string, part: DriverPart, call: DriverCall): Promise<UploadedPart> {
    return this.#told(this.#inner.uploadPart(this.#full(key), uploadId, part, call));
  }

  completeUpload(
    key: string,
    uploadId: string,
    parts: readonly UploadedPart[],
    complete: DriverComplete,
    call: DriverCall,
  ): Promise<DriverPutResult> {
    return this.#told(this.#inner.completeUpload(this.#full(key), uploadId, parts, complete, call));
  }

  abortUpload(key: string, uploadId: string, call: DriverCall): Promise<void> {
    return this.#told(this.#inner.abortUpload(this.#full(key), uploadId, call));
  }

  copy(from: DriverInfo, to: string, copy: DriverCopy, call: DriverCall): Promise<DriverPutResult> {
    return this.#told(this.#inner.copy(this.#fullInfo(from), this.#full(to), copy, call));
  }

  delete(key: string, request: { readonly ifMatch?: string }, call: DriverCall): Promise<void> {
    return this.#told(this.#inner.delete(this.#full(key), request, call));
  }

  async listPage(request: DriverList, call: DriverCall): Promise<DriverListPage> {
    const { prefix, startAfter } = request;
    const full = {
      ...request,
      prefix: this.#full(prefix),
      startAfter: startAfter === undefined ? undefined : this.#full(startAfter),
    };
    const { objects, prefixes, nextPageToken } = await this.#told(this.#inner.listPage(full, call));
    return {
      objects: this.#inside(objects),
      prefixes: prefixes.filter((name) => name.startsWith(this.#folder)).map((name) => this.#relative(name)),
      nextPageToken,
    };
  }

  async close(): Promise<void> {
    await this.#store.close();
  }

  #full(key: string): string {
    return this.#folder + key;
  }

  #fullInfo(info: DriverInfo): DriverInfo {
    return { ...info, key: this.#full(info.key) };
  }

  #relative(key: string): string {
    return key.startsWith(this.#folder) ? key.slice(this.#folder.length) : key;
  }

  /** A store that answers with more than it was asked for is not believed. */
  #inside<T extends { readonly key: string }>(found: readonly T[]): T[] {
    return found
      .filter(({ key }) => key.startsWith(this.#folder) && key !== this.#folder)
      .map((entry) => ({ ...entry, key: this.#relative(entry.key) }));
  }

  async #told<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw this.#error(error);
    }
  }

  /** The same error with a key and a store as the caller knows them. The message is the wrapped driver's. */
  #error(error: unknown): unknown {
    if (!isStoreError(error)) return error;
    const { key, store } = error;
    return retold(error, {
      ...(key === undefined ? {} : { key: this.#relative(key) }),
      ...(store === undefined ? {} : { store: this.url }),
    });
  }
}

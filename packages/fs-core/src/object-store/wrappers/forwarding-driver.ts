/**
 * The ground of every wrapper: a driver that hands each request on, through one method that a wrapper overrides.
 *
 * Always true:
 *  I1  a request that the wrapped driver does not have is absent here too
 *  I2  closing it closes the wrapped store, with all that is under way there
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
import type { DriverOperation, DriverRequest } from "./driver-request.ts";
import { optionalRequests } from "./optional-requests.ts";

/** What a wrapper wraps: a store. */
export interface WrappedStore {
  readonly driver: ObjectStoreDriver;
  close(): Promise<void>;
}

/**
 * Hands every request of a store's driver on. For wrappers: override `around`, and `aroundGet` where the end of a body
 * matters; then `store.derive(new YourDriver(store))`.
 */
export class ForwardingDriver implements ObjectStoreDriver {
  readonly url: string;
  readonly capabilities: StoreCapabilities;
  protected readonly inner: ObjectStoreDriver;
  readonly #store: WrappedStore;
  uploadPartCopy?: NonNullable<ObjectStoreDriver["uploadPartCopy"]>;
  rename?: NonNullable<ObjectStoreDriver["rename"]>;
  deleteMany?: NonNullable<ObjectStoreDriver["deleteMany"]>;
  listUploadsPage?: NonNullable<ObjectStoreDriver["listUploadsPage"]>;

  constructor(store: WrappedStore) {
    const inner = store.driver;
    this.#store = store;
    this.inner = inner;
    this.url = inner.url;
    this.capabilities = inner.capabilities;
    const { uploadPartCopy, rename, deleteMany, listUploadsPage } = optionalRequests(inner);
    if (uploadPartCopy !== undefined) {
      this.uploadPartCopy = (key, uploadId, part, call) =>
        this.#forward("uploadPartCopy", key, 0, call, (sent) => uploadPartCopy(key, uploadId, part, sent));
    }
    if (rename !== undefined) {
      this.rename = (from, to, request, call) =>
        this.#forward("rename", to, 0, call, (sent) => rename(from, to, request, sent));
    }
    if (deleteMany !== undefined) {
      this.deleteMany = (keys, call) =>
        this.#forward("deleteMany", undefined, 0, call, (sent) => deleteMany(keys, sent));
    }
    if (listUploadsPage !== undefined) {
      this.listUploadsPage = (request, call) =>
        this.#forward("listUploads", undefined, 0, call, (sent) => listUploadsPage(request, sent));
    }
  }

  head(key: string, call: DriverCall): Promise<DriverInfo | undefined> {
    return this.#forward("head", key, 0, call, (sent) => this.inner.head(key, sent));
  }

  get(key: string, request: DriverGet, call: DriverCall): Promise<DriverBody> {
    return this.aroundGet({ operation: "get", key, sentBytes: 0, call }, (sent) => this.inner.get(key, request, sent));
  }

  put(key: string, bytes: Uint8Array, put: DriverPut, call: DriverCall): Promise<DriverPutResult> {
    return this.#forward("put", key, bytes.byteLength, call, (sent) => this.inner.put(key, bytes, put, sent));
  }

  beginUpload(key: string, put: DriverPut, call: DriverCall): Promise<string> {
    return this.#forward("beginUpload", key, 0, call, (sent) => this.inner.beginUpload(key, put, sent));
  }

  uploadPart(key: string, uploadId: string, part: DriverPart, call: DriverCall): Promise<UploadedPart> {
    return this.#forward("uploadPart", key, part.bytes.byteLength, call, (sent) =>
      this.inner.uploadPart(key, uploadId, part, sent),
    );
  }

  completeUpload(
    key: string,
    uploadId: string,
    parts: readonly UploadedPart[],
    complete: DriverComplete,
    call: DriverCall,
  ): Promise<DriverPutResult> {
    return this.#forward("completeUpload", key, 0, call, (sent) =>
      this.inner.completeUpload(key, uploadId, parts, complete, sent),
    );
  }

  abortUpload(key: string, uploadId: string, call: DriverCall): Promise<void> {
    return this.#forward("abortUpload", key, 0, call, (sent) => this.inner.abortUpload(key, uploadId, sent));
  }

  copy(from: DriverInfo, to: string, copy: DriverCopy, call: DriverCall): Promise<DriverPutResult> {
    return this.#forward("copy", to, 0, call, (sent) => this.inner.copy(from, to, copy, sent));
  }

  delete(key: string, request: { readonly ifMatch?: string }, call: DriverCall): Promise<void> {
    return this.#forward("delete", key, 0, call, (sent) => this.inner.delete(key, request, sent));
  }

  listPage(request: DriverList, call: DriverCall): Promise<DriverListPage> {
    return this.#forward("list", undefined, 0, call, (sent) => this.inner.listPage(request, sent));
  }

  async close(): Promise<void> {
    await this.#store.close();
  }

  /** Every request but `get`. `send` is called at most once, with a call that may have another signal. */
  protected around<T>({ call }: DriverRequest, send: (call: DriverCall) => Promise<T>): Promise<T> {
    return send(call);
  }

  /** Of `get`, which is not over when its promise resolves: the body follows. */
  protected aroundGet(request: DriverRequest, send: (call: DriverCall) => Promise<DriverBody>): Promise<DriverBody> {
    return this.around(request, send);
  }

  async #forward<T>(
    operation: DriverOperation,
    key: string | undefined,
    sentBytes: number,
    call: DriverCall,
    send: (call: DriverCall) => Promise<T>,
  ): Promise<T> {
    return this.around({ operation, key, sentBytes, call }, send);
  }
}

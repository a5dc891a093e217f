/** A driver whose requests fail as a network makes them fail: before or after the store has done its work. */
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
} from "../object-store/object-driver.ts";
import { StoreError, type StoreErrorCode } from "../object-store/store-error.ts";
import type { StoreCapabilities } from "../object-store/store-capabilities.ts";

/** What happens to a request. */
export type DriverFault =
  /** The store answers with this code and has done nothing. */
  | { readonly kind: "refuse"; readonly code: StoreErrorCode }
  /** The connection breaks before the store has the request. The driver cannot know. */
  | { readonly kind: "lose-request" }
  /** The store does its work, and the answer is lost. */
  | { readonly kind: "lose-answer" }
  /** The request is carried out twice. */
  | { readonly kind: "repeat" }
  /** No answer until the signal fires; with `after`, the store has done its work. */
  | { readonly kind: "hang"; readonly after: boolean }
  /** The body of the answer ends after so many bytes: with an error, without one, or never. */
  | { readonly kind: "cut-body"; readonly bytes: number; readonly how: "error" | "end" | "stall" }
  /** One byte of the answer's body is another. */
  | { readonly kind: "garble-body" };

/** Decides about one request. `index` counts all requests from 0. */
export type FaultChoice = (operation: string, index: number) => DriverFault | undefined;

/** Wraps `driver`. */
export class FaultyDriver implements ObjectStoreDriver {
  readonly url: string;
  readonly capabilities: StoreCapabilities;
  readonly #driver: ObjectStoreDriver;
  readonly #choose: FaultChoice;
  /** Names of the requests so far. */
  readonly requests: string[] = [];
  uploadPartCopy?: NonNullable<ObjectStoreDriver["uploadPartCopy"]>;
  rename?: NonNullable<ObjectStoreDriver["rename"]>;
  deleteMany?: NonNullable<ObjectStoreDriver["deleteMany"]>;
  listUploadsPage?: NonNullable<ObjectStoreDriver["listUploadsPage"]>;

  constructor(driver: ObjectStoreDriver, choose: FaultChoice) {
    this.#driver = driver;
    this.#choose = choose;
    this.url = driver.url;
    this.capabilities = driver.capabilities;
    const { uploadPartCopy, rename, deleteMany, listUploadsPage } = bound(driver);
    if (uploadPartCopy !== undefined) {
      this.uploadPartCopy = (key, id, part, call) =>
        this.#run("uploadPartCopy", call, () => uploadPartCopy(key, id, part, call));
    }
    if (rename !== undefined) {
      this.rename = (from, to, request, call) => this.#run("rename", call, () => rename(from, to, request, call));
    }
    if (deleteMany !== undefined) {
      this.deleteMany = (keys, call) => this.#run("deleteMany", call, () => deleteMany(keys, call));
    }
    if (listUploadsPage !== undefined) {
      this.listUploadsPage = (request, call) => this.#run("listUploads", call, () => listUploadsPage(request, call));
    }
  }

  head(key: string, call: DriverCall): Promise<DriverInfo | undefined> {
    return this.#run("head", call, () => this.#driver.head(key, call));
  }

  async get(key: string, request: DriverGet, call: DriverCall): Promise<DriverBody> {
    const index = this.requests.length;
    const fault = this.#choose("get", index);
    const answer = await this.#run("get", call, () => this.#driver.get(key, request, call));
    if (fault?.kind === "cut-body") return { ...answer, chunks: cut(answer.chunks, fault, call.signal) };
    if (fault?.kind === "garble-body") return { ...answer, chunks: garbled(answer.chunks) };
    return answer;
  }

  put(key: string, bytes: Uint8Array, put: DriverPut, call: DriverCall): Promise<DriverPutResult> {
    return this.#run("put", call, () => this.#driver.put(key, bytes, put, call));
  }

  beginUpload(key: string, put: DriverPut, call: DriverCall): Promise<string> {
    return this.#run("beginUpload", call, () => this.#driver.beginUpload(key, put, call));
  }

  uploadPart(key: string, uploadId: string, part: DriverPart, call: DriverCall): Promise<UploadedPart> {
    return this.#run("uploadPart", call, () => this.#driver.uploadPart(key, uploadId, part, call));
  }

  completeUpload(
    key: string,
    uploadId: string,
    parts: readonly UploadedPart[],
    complete: DriverComplete,
    call: DriverCall,
  ): Promise<DriverPutResult> {
    return this.#run("completeUpload", call, () => this.#driver.completeUpload(key, uploadId, parts, complete, call));
  }

  abortUpload(key: string, uploadId: string, call: DriverCall): Promise<void> {
    return this.#run("abortUpload", call, () => this.#driver.abortUpload(key, uploadId, call));
  }

  copy(from: DriverInfo, to: string, copy: DriverCopy, call: DriverCall): Promise<DriverPutResult> {
    return this.#run("copy", call, () => this.#driver.copy(from, to, copy, call));
  }

  delete(key: string, request: { readonly ifMatch?: string }, call: DriverCall): Promise<void> {
    return this.#run("delete", call, () => this.#driver.delete(key, request, call));
  }

  listPage(request: DriverList, call: DriverCall): Promise<DriverListPage> {
    return this.#run("list", call, () => this.#driver.listPage(request, call));
  }

  close(): Promise<void> {
    return this.#driver.close();
  }

  async #run<T>(operation: string, { signal }: DriverCall, send: () => Promise<T>): Promise<T> {
    const index = this.requests.push(operation) - 1;
    const fault = this.#choose(operation, index);
    switch (fault?.kind) {
      case "refuse":
        throw new StoreError(fault.code, "refused on purpose", {
          outcome: ["UNAVAILABLE", "TIMEOUT", "IO"].includes(fault.code) ? "unknown" : "none",
        });
      case "lose-request":
        throw lost();
      case "lose-answer":
        await send();
        throw lost();
      case "repeat":
        await send();
        return send();
      case "hang":
        if (fault.after) await send();
        return new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true });
        });
      default:
        return send();
    }
  }
}

function bound(
  driver: ObjectStoreDriver,
): Pick<ObjectStoreDriver, "uploadPartCopy" | "rename" | "deleteMany" | "listUploadsPage"> {
  return {
    uploadPartCopy: driver.uploadPartCopy?.bind(driver),
    rename: driver.rename?.bind(driver),
    deleteMany: driver.deleteMany?.bind(driver),
    listUploadsPage: driver.listUploadsPage?.bind(driver),
  } as never;
}

function lost(): StoreError {
  return new StoreError("UNAVAILABLE", "the connection broke on purpose", { outcome: "unknown" });
}

async function* cut(
  chunks: AsyncIterable<Uint8Array>,
  { bytes, how }: Extract<DriverFault, { readonly kind: "cut-body" }>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = bytes;
  for await (const chunk of chunks) {
    if (chunk.byteLength <= left) {
      left -= chunk.byteLength;
      yield chunk;
      continue;
    }
    if (left > 0) yield chunk.subarray(0, left);
    if (how === "error") throw lost();
    if (how === "end") return;
    await new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true });
    });
  }
}

async function* garbled(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let isFirst = true;
  for await (const chunk of chunks) {
    const copy = chunk.slice();
    if (isFirst && copy.byteLength > 0) copy[copy.byteLength >> 1] = (copy[copy.byteLength >> 1] as number) ^ 1;
    isFirst = false;
    yield copy;
  }
}

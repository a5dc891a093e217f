/**
 * Objects in this process's memory, with the manners of a real store: conditions, parts, pages. Each request takes a turn of
 * the event loop and does its work in one go, so races have an order. For tests and for data that may go with the process.
 *
 * Always true:
 *  I1  `objects` changes only within one synchronous step of a request
 *  I2  bytes are copied in and out: nobody holds the store's memory
 */
import { crc64Nvme } from "../checksum/crc64-nvme.ts";
import { type Clock, systemClock } from "../clock.ts";
import { compareKeys } from "./object-key.ts";
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
} from "./object-driver.ts";
import type { IncompleteUpload, WriteCondition } from "./object-store.ts";
import { pageOf } from "./page-of.ts";
import { resolveRange } from "./resolve-range.ts";
import type { StoreCapabilities } from "./store-capabilities.ts";
import { StoreError } from "./store-error.ts";

interface StoredObject {
  readonly info: DriverInfo;
  readonly bytes: Uint8Array;
}

interface Upload {
  readonly key: string;
  readonly startedMs: number;
  readonly parts: Map<number, Uint8Array>;
}

const unlimited = Number.MAX_SAFE_INTEGER;

const memoryCapabilities: StoreCapabilities = {
  putIfAbsent: true,
  completeIfAbsent: true,
  copyIfAbsent: true,
  putIfMatch: true,
  deleteIfMatch: true,
  rename: true,
  uniqueVersions: true,
  orderedList: true,
  listStartAfter: true,
  listAnyPrefix: true,
  nestedKeys: true,
  parallelParts: true,
  listUploads: true,
  abortUploads: true,
  checksum: "crc64nvme",
  durable: false,
  limits: {
    putBytesMax: 2 ** 32,
    partBytesMin: 1,
    partBytesMax: 2 ** 32,
    partBytesMultiple: 1,
    partsMax: 10_000,
    objectBytesMax: 2 ** 32,
    copyBytesMax: unlimited,
    deleteManyMax: 1000,
    keyBytesMax: 1024,
    metadataBytesMax: 2048,
  },
};

/** Pieces in which bodies are handed out. */
const chunkBytes = 64 * 1024;

/** Objects that go with the process. `createObjectStore(new MemoryDriver())`. */
export class MemoryDriver implements ObjectStoreDriver {
  readonly url: string;
  readonly capabilities: StoreCapabilities = memoryCapabilities;
  readonly #clock: Clock;
  readonly #objects = new Map<string, StoredObject>();
  readonly #uploads = new Map<string, Upload>();
  #versions = 0;
  #uploadIds = 0;

  constructor(options: { readonly name?: string; readonly clock?: Clock } = {}) {
    this.url = `memory://${options.name ?? "store"}`;
    this.#clock = options.clock ?? systemClock;
  }

  async head(key: string, call: DriverCall): Promise<DriverInfo | undefined> {
    await this.#turn(call);
    return this.#objects.get(key)?.info;
  }

  async get(key: string, { range, ifMatch }: DriverGet, call: DriverCall): Promise<DriverBody> {
    await this.#turn(call);
    const object = this.#found(key);
    if (ifMatch !== undefined && object.info.version !== ifMatch) throw mismatch(key);
    const resolved = resolveRange(range, object.info.size);
    const bytes = object.bytes.subarray(resolved.offset, resolved.offset + resolved.length);
    return { info: object.info, range: resolved, chunks: this.#chunks(bytes, call) };
  }

  async put(key: string, bytes: Uint8Array, put: DriverPut, call: DriverCall): Promise<DriverPutResult> {
    await this.#turn(call);
    if (put.checksum !== undefined && crc64Nvme(bytes) !== put.checksum) throw corrupt(key);
    this.#assertCondition(key, put);
    return this.#store(key, bytes.slice(), put);
  }

  async beginUpload(key: string, _put: DriverPut, call: DriverCall): Promise<string> {
    await this.#turn(call);
    const uploadId = `upload-${++this.#uploadIds}`;
    this.#uploads.set(uploadId, { key, startedMs: this.#nowMs(), parts: new Map() });
    return uploadId;
  }

  async uploadPart(key: string, uploadId: string, part: DriverPart, call: DriverCall): Promise<UploadedPart> {
    await this.#turn(call);
    const upload = this.#upload(key, uploadId);
    const checksum = crc64Nvme(part.bytes);
    if (checksum !== part.checksum) throw corrupt(key);
    upload.parts.set(part.number, part.bytes.slice());
    return { number: part.number, size: part.bytes.byteLength, tag: String(part.number), checksum };
  }

  async completeUpload(
    key: string,
    uploadId: string,
    parts: readonly UploadedPart[],
    complete: DriverComplete,
    call: DriverCall,
  ): Promise<DriverPutResult> {
    await this.#turn(call);
    const upload = this.#upload(key, uploadId);
    const pieces = parts.map(({ number }) => {
      const piece = upload.parts.get(number);
      if (piece === undefined) {
        throw new StoreError("INVALID_ARGUMENT", `part ${number} was not sent`, { key });
      }
      return piece;
    });
    const bytes = Buffer.concat(pieces);
    if (complete.checksum !== undefined && crc64Nvme(bytes) !== complete.checksum) throw corrupt(key);
    this.#assertCondition(key, complete);
    this.#uploads.delete(uploadId);
    return this.#store(key, new Uint8Array(bytes), complete);
  }

  async abortUpload(_key: string, uploadId: string, call: DriverCall): Promise<void> {
    await this.#turn(call);
    this.#uploads.delete(uploadId);
  }

  async copy(from: DriverInfo, to: string, copy: DriverCopy, call: DriverCall): Promise<DriverPutResult> {
    await this.#turn(call);
    const source = this.#found(from.key);
    if (source.info.version !== copy.ifSourceMatch) throw mismatch(from.key);
    this.#assertCondition(to, copy);
    return this.#store(to, source.bytes, copy);
  }

  async rename(
    from: string,
    to: string,
    { ifAbsent }: { readonly ifAbsent: boolean },
    call: DriverCall,
  ): Promise<void> {
    await this.#turn(call);
    const { info, bytes } = this.#found(from);
    this.#assertCondition(to, { ifAbsent });
    this.#objects.delete(from);
    this.#objects.set(to, { info: { ...info, key: to }, bytes });
  }

  async delete(key: string, { ifMatch }: { readonly ifMatch?: string }, call: DriverCall): Promise<void> {
    await this.#turn(call);
    if (ifMatch !== undefined && this.#objects.get(key)?.info.version !== ifMatch) throw mismatch(key);
    this.#objects.delete(key);
  }

  async deleteMany(keys: readonly string[], call: DriverCall): Promise<readonly { key: string; error: Error }[]> {
    await this.#turn(call);
    for (const key of keys) this.#objects.delete(key);
    return [];
  }

  async listPage(request: DriverList, call: DriverCall): Promise<DriverListPage> {
    await this.#turn(call);
    const sorted = [...this.#objects.values()].map(({ info }) => info).toSorted((a, b) => compareKeys(a.key, b.key));
    return pageOf(sorted, request);
  }

  async listUploadsPage(
    { prefix }: { readonly prefix: string },
    call: DriverCall,
  ): Promise<{ readonly uploads: readonly IncompleteUpload[]; readonly nextPageToken: undefined }> {
    await this.#turn(call);
    const uploads = [...this.#uploads]
      .filter(([, { key }]) => key.startsWith(prefix))
      .map(([uploadId, { key, startedMs }]) => ({ key, uploadId, startedMs }));
    return { uploads, nextPageToken: undefined };
  }

  /** What is stored stays: another driver may not see it, and this one is used no more. */
  async close(): Promise<void> {}

  #store(key: string, bytes: Uint8Array, put: DriverPut): DriverPutResult {
    const version = String(++this.#versions);
    const info: DriverInfo = {
      key,
      size: bytes.byteLength,
      version,
      lastModifiedMs: this.#nowMs(),
      metadata: { ...put.metadata },
      contentType: put.contentType,
      checksum: put.checksum ?? crc64Nvme(bytes),
    };
    this.#objects.set(key, { info, bytes });
    return { version };
  }

  #assertCondition(key: string, { ifAbsent, ifMatch }: WriteCondition): void {
    const found = this.#objects.get(key);
    if (ifAbsent === true && found !== undefined) {
      throw new StoreError("ALREADY_EXISTS", "an object is there", { key });
    }
    if (ifMatch !== undefined && found?.info.version !== ifMatch) throw mismatch(key);
  }

  #found(key: string): StoredObject {
    const object = this.#objects.get(key);
    if (object === undefined) throw new StoreError("NOT_FOUND", "no object is there", { key });
    return object;
  }

  #upload(key: string, uploadId: string): Upload {
    const upload = this.#uploads.get(uploadId);
    if (upload?.key !== key) throw new StoreError("NOT_FOUND", "there is no such upload", { key, outcome: "unknown" });
    return upload;
  }

  async *#chunks(bytes: Uint8Array, call: DriverCall): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = 0; at < bytes.byteLength; at += chunkBytes) {
      await this.#turn(call);
      yield bytes.slice(at, at + chunkBytes);
    }
  }

  /** A request is never done at once: others run in between. */
  async #turn({ signal }: DriverCall): Promise<void> {
    await new Promise<void>((resolve) => this.#clock.defer(resolve));
    if (signal.aborted) throw new StoreError("ABORTED", "stopped");
  }

  #nowMs(): number {
    return Math.floor(this.#clock.wallUs() / 1000);
  }
}

function mismatch(key: string): StoreError {
  return new StoreError("VERSION_MISMATCH", "another version is there, or none", { key });
}

function corrupt(key: string): StoreError {
  return new StoreError("CORRUPT", "the bytes do not have the checksum that came with them", { key, retryable: true });
}

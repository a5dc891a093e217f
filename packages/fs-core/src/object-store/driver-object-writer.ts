/**
 * An object of which the caller gives the bytes piece by piece.
 *
 * Always true:
 *  I1  at most `concurrency` + 1 part buffers exist; one that is borrowed is not used again
 *  I2  nothing is sent before the first part is full: what is smaller is one `put`
 *  I3  a full part is kept until more comes or `commit` is called, because a store must know which part is the last
 *  I4  a writer that failed stays failed, and its upload is dropped
 */
import { crc64Nvme } from "../checksum/crc64-nvme.ts";
import { commitWrite } from "./commit-write.ts";
import type { DriverPut, ObjectStoreDriver } from "./object-driver.ts";
import type { ObjectWriter, PutResult, UploadOptions } from "./object-store.ts";
import { PartBuffer } from "./part-buffer.ts";
import { streamPartBytes } from "./part-plan.ts";
import { PartUpload } from "./part-upload.ts";
import type { StoreCall } from "./store-call.ts";
import { StoreError } from "./store-error.ts";
import { storedMetadata } from "./stored-metadata.ts";
import { assertCondition, type UploadRequest, uploadSupport } from "./write-request.ts";

export interface WriterParts {
  readonly driver: ObjectStoreDriver;
  readonly call: StoreCall;
  readonly key: string;
  readonly request: UploadRequest;
  readonly onProgress: UploadOptions["onProgress"];
  /** Bytes that will come; undefined when that is not known. */
  readonly totalBytes: number | undefined;
  /** Bytes of each part, when the total is known. */
  readonly partBytes: number | undefined;
  /** Drops an upload. Does not reject. */
  readonly drop: (uploadId: string, isAborted: boolean) => Promise<void>;
  /** The call is over. */
  readonly onEnd: () => void;
}

type State = "open" | "failed" | "committed" | "aborted";

export class DriverObjectWriter implements ObjectWriter {
  readonly key: string;
  readonly #parts: WriterParts;
  readonly #free: PartBuffer[] = [];
  #current: PartBuffer | undefined;
  #upload: PartUpload | undefined;
  #state: State = "open";
  #failure: unknown;
  #partNumber = 0;
  #size = 0;
  #sentBytes = 0;
  #ending: Promise<void> | undefined;

  constructor(parts: WriterParts) {
    this.key = parts.key;
    this.#parts = parts;
  }

  get size(): number {
    return this.#size;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#assertOpen("write");
    if (!(bytes instanceof Uint8Array)) {
      throw new StoreError("INVALID_ARGUMENT", "write: want a Uint8Array", { key: this.key, operation: "write" });
    }
    try {
      this.#parts.call.assertRunning();
      for (let at = 0; at < bytes.byteLength; ) {
        if (this.#current?.isFull === true) await this.#sendCurrent(false);
        this.#current ??= this.#nextBuffer();
        const taken = this.#current.take(bytes.subarray(at));
        at += taken;
        this.#size += taken;
      }
    } catch (error) {
      await this.#fail(error);
      throw error;
    }
  }

  /**
   * In place of `write`, for all bytes of the object at once, which stay as they are until the writer has committed or was
   * aborted: they are sent from where they lie.
   */
  async writeBorrowed(bytes: Uint8Array): Promise<void> {
    this.#assertOpen("write");
    try {
      this.#parts.call.assertRunning();
      for (let at = 0; at < bytes.byteLength; ) {
        if (this.#current !== undefined) await this.#sendCurrent(false);
        this.#current = PartBuffer.over(bytes.subarray(at, at + this.#nextPartBytes()));
        at += this.#current.limit;
        this.#size = at;
      }
    } catch (error) {
      await this.#fail(error);
      throw error;
    }
  }

  async commit(): Promise<PutResult> {
    this.#assertOpen("commit");
    try {
      const result = this.#upload === undefined ? await this.#commitWhole() : await this.#commitParts(this.#upload);
      this.#state = "committed";
      this.#end();
      return result;
    } catch (error) {
      await this.#fail(error);
      throw error;
    }
  }

  async abort(_reason?: unknown): Promise<void> {
    if (this.#state === "committed") return;
    if (this.#state === "open") this.#state = "aborted";
    this.#ending ??= this.#drop();
    await this.#ending;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abort();
  }

  async #commitWhole(): Promise<PutResult> {
    const { driver, call, key, request } = this.#parts;
    const bytes = this.#current?.bytes ?? new Uint8Array(0);
    const { putIfAbsent, putIfMatch } = driver.capabilities;
    assertCondition("put", request.condition, { ifAbsent: putIfAbsent, ifMatch: putIfMatch });
    const checksum = crc64Nvme(bytes);
    const put = this.#driverPut(checksum);
    const { version } = await commitWrite(driver, call, {
      operation: "put",
      key,
      putId: request.putId,
      options: { bytes: bytes.byteLength },
      send: (driverCall) => driver.put(key, bytes, put, driverCall),
    });
    this.#noteSent(bytes.byteLength);
    return { key, size: bytes.byteLength, version, putId: request.putId, checksum };
  }

  async #commitParts(upload: PartUpload): Promise<PutResult> {
    await this.#sendCurrent(true);
    const { version, checksum } = await upload.complete();
    return { key: this.key, size: this.#size, version, putId: this.#parts.request.putId, checksum };
  }

  async #sendCurrent(isLast: boolean): Promise<void> {
    const buffer = this.#current as PartBuffer;
    this.#current = undefined;
    this.#upload ??= await this.#begin();
    await this.#upload.send(buffer.bytes, isLast, () => {
      if (buffer.isBorrowed) return;
      buffer.clear();
      this.#free.push(buffer);
    });
  }

  #begin(): Promise<PartUpload> {
    const { driver, call, key, request } = this.#parts;
    assertCondition("upload", request.condition, uploadSupport(driver.capabilities));
    return PartUpload.begin({
      driver,
      call,
      key,
      putId: request.putId,
      request: this.#driverPut(request.checksum),
      concurrency: request.concurrency,
      onPart: (bytes) => this.#noteSent(bytes),
    });
  }

  /** @throws StoreError `CORRUPT` when the caller said another checksum */
  #driverPut(checksum: bigint | undefined): DriverPut {
    const { request } = this.#parts;
    if (request.checksum !== undefined && checksum !== undefined && request.checksum !== checksum) {
      throw new StoreError("CORRUPT", "put: the bytes do not have the checksum that was given; nothing was stored", {
        key: this.key,
        operation: "put",
      });
    }
    return {
      ...request.condition,
      contentType: request.contentType,
      metadata: storedMetadata(request.metadata, request.putId, checksum),
      checksum,
    };
  }

  #nextPartBytes(): number {
    this.#partNumber++;
    const { request, partBytes, driver } = this.#parts;
    return partBytes ?? streamPartBytes(this.#partNumber, request.partBytes, driver.capabilities.limits);
  }

  #nextBuffer(): PartBuffer {
    const bytes = this.#nextPartBytes();
    const free = this.#free.pop();
    return free?.limit === bytes ? free : new PartBuffer(bytes);
  }

  #noteSent(bytes: number): void {
    this.#sentBytes += bytes;
    this.#parts.onProgress?.({ sentBytes: this.#sentBytes, totalBytes: this.#parts.totalBytes });
  }

  async #fail(error: unknown): Promise<void> {
    if (this.#state !== "open") return;
    this.#state = "failed";
    this.#failure = error;
    this.#ending ??= this.#drop();
    await this.#ending;
  }

  async #drop(): Promise<void> {
    const { call, drop } = this.#parts;
    const { isAborted } = call;
    const upload = this.#upload;
    this.#end();
    if (upload === undefined) return;
    // A part that arrives after the upload was dropped would be kept: none may be under way.
    await upload.settle();
    await drop(upload.uploadId, isAborted);
  }

  #end(): void {
    this.#parts.call.close();
    this.#parts.onEnd();
    this.#free.length = 0;
    this.#current = undefined;
  }

  #assertOpen(operation: string): void {
    if (this.#state === "open") return;
    const context = { key: this.key, operation };
    throw new StoreError("CLOSED", `${operation}: the writer is ${this.#state}`, {
      ...context,
      ...(this.#failure === undefined ? {} : { cause: this.#failure }),
    });
  }
}

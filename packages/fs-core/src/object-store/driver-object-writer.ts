/**
 * An object of which the caller gives the bytes piece by piece.
 *
 * Always true:
 *  I1  at most `concurrency` + 1 part buffers exist; one that is borrowed is not used again
 *  I2  nothing is sent before the first part is full: what is smaller is one `put`
 *  I3  a full part is kept until more comes or `commit` is called, because a store must know which part is the last
 *  I4  a writer that failed stays failed, and its upload is dropped, one that begins only now too
 *  I5  writes and the commit take turns in the order in which they were called
 */
import { crc64Nvme } from "../checksum/crc64-nvme.ts";
import { commitWrite } from "./commit-write.ts";
import type { DriverPut, ObjectStoreDriver } from "./object-driver.ts";
import type { ObjectWriter, PutResult, UploadOptions } from "./object-store.ts";
import { PartBuffer } from "./part-buffer.ts";
import { streamPartBytes } from "./part-plan.ts";
import { PartUpload } from "./part-upload.ts";
import type { StoreCall } from "./store-call.ts";
import { type Source, sourceItems } from "./source-items.ts";
import { placed, StoreError } from "./store-error.ts";
import { storedMetadata } from "./stored-metadata.ts";
import { callListener } from "./call-listener.ts";
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
  readonly drop: (uploadId: string, isUrgent: boolean) => Promise<void>;
  /** The call is over. */
  readonly onEnd: () => void;
}

type State = "open" | "failed" | "committed" | "aborted";

export class DriverObjectWriter implements ObjectWriter {
  readonly key: string;
  readonly #parts: WriterParts;
  readonly #free: PartBuffer[] = [];
  #current: PartBuffer | undefined;
  #beginning: Promise<PartUpload> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  /** Calls that have or wait for their turn. */
  #calls = 0;
  #state: State = "open";
  #failure: unknown;
  #partNumber = 0;
  #size = 0;
  #sentBytes = 0;
  #ending: Promise<void> | undefined;

  constructor(parts: WriterParts) {
    this.key = parts.key;
    this.#parts = parts;
    parts.call.onEnd(() => this.#onCallEnd());
  }

  get size(): number {
    return this.#size;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (!(bytes instanceof Uint8Array)) {
      const context = { key: this.key, operation: "write", store: this.#parts.driver.url };
      throw new StoreError("INVALID_ARGUMENT", "write: want a Uint8Array", context);
    }
    await this.#inTurn("write", async () => {
      for (let at = 0; at < bytes.byteLength; ) {
        if (this.#current?.isFull === true) await this.#sendCurrent(false);
        this.#current ??= this.#nextBuffer();
        const taken = this.#current.take(bytes.subarray(at));
        at += taken;
        this.#size += taken;
      }
    });
  }

  /** In place of `write`, for all that a source gives. */
  async writeAll(source: Source<Uint8Array>): Promise<void> {
    for await (const bytes of sourceItems(source, this.#parts.call)) await this.write(bytes);
  }

  /**
   * In place of `write`, for all bytes of the object at once, which stay as they are until the writer has committed or was
   * aborted: they are sent from where they lie.
   */
  async writeBorrowed(bytes: Uint8Array): Promise<void> {
    await this.#inTurn("write", async () => {
      for (let at = 0; at < bytes.byteLength; ) {
        if (this.#current !== undefined) await this.#sendCurrent(false);
        this.#current = PartBuffer.over(bytes.subarray(at, at + this.#nextPartBytes()));
        at += this.#current.limit;
        this.#size = at;
      }
    });
  }

  async commit(): Promise<PutResult> {
    return this.#inTurn("commit", async () => {
      const result = this.#beginning === undefined ? await this.#commitWhole() : await this.#commitParts();
      this.#state = "committed";
      this.#end();
      return result;
    });
  }

  async abort(reason?: unknown): Promise<void> {
    if (this.#state === "committed") return;
    if (this.#state === "open") {
      this.#state = "aborted";
      this.#failure = reason;
    }
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

  async #commitParts(): Promise<PutResult> {
    const upload = await this.#sendCurrent(true);
    const { version, checksum } = await upload.complete();
    return { key: this.key, size: this.#size, version, putId: this.#parts.request.putId, checksum };
  }

  async #sendCurrent(isLast: boolean): Promise<PartUpload> {
    const buffer = this.#current as PartBuffer;
    this.#current = undefined;
    this.#beginning ??= this.#begin();
    const upload = await this.#beginning;
    await upload.send(buffer.bytes, isLast, () => {
      if (buffer.isBorrowed) return;
      buffer.clear();
      this.#free.push(buffer);
    });
    return upload;
  }

  async #begin(): Promise<PartUpload> {
    const { driver, call, key, request, drop } = this.#parts;
    assertCondition("upload", request.condition, uploadSupport(driver.capabilities));
    return PartUpload.begin({
      driver,
      call,
      key,
      putId: request.putId,
      request: this.#driverPut(request.checksum),
      concurrency: request.concurrency,
      onPart: (bytes) => this.#noteSent(bytes),
      onLate: (uploadId) => void drop(uploadId, true),
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
    const { onProgress, totalBytes } = this.#parts;
    if (onProgress !== undefined) callListener("onProgress", onProgress, { sentBytes: this.#sentBytes, totalBytes });
  }

  async #inTurn<T>(operation: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    this.#calls++;
    const result = (async (): Promise<T> => {
      await before;
      try {
        this.#assertOpen(operation);
        this.#parts.call.assertRunning();
        return await work();
      } catch (error) {
        await this.#fail(error);
        throw placed(error, { key: this.key, operation, store: this.#parts.driver.url });
      } finally {
        this.#calls--;
      }
    })();
    this.#turn = result.catch(() => {});
    return result;
  }

  /** Whoever has the writer may never call it again: its upload would stay. Calls under way see to it themselves. */
  #onCallEnd(): void {
    const { call } = this.#parts;
    if (this.#state !== "open" || this.#calls > 0 || !call.isEnded) return;
    try {
      call.assertRunning();
    } catch (error) {
      void this.#fail(error);
    }
  }

  /** Does not reject. */
  async #fail(error: unknown): Promise<void> {
    if (this.#state === "open") {
      this.#state = "failed";
      this.#failure = error;
      this.#ending ??= this.#drop();
    }
    await this.#ending;
  }

  /** Does not reject. */
  async #drop(): Promise<void> {
    const { call, drop } = this.#parts;
    const { isEnded } = call;
    call.close();
    const upload = await this.#beginning?.catch(() => undefined);
    if (upload !== undefined) {
      // A part that arrives after the upload was dropped would be kept: none may be under way.
      await upload.settle();
      await drop(upload.uploadId, isEnded);
    }
    this.#end();
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

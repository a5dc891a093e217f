/**
 * One upload in parts.
 *
 * Always true:
 *  I1  at most `concurrency` parts are in flight; `send` waits for a place before it sends, so that the next part is made
 *      ready while they are
 *  I2  after the first failure no further part is sent, and `complete` is never sent
 *  I3  an upload that was begun ends with `complete` or is dropped by its owner, who hears of one that begins too late
 */
import { crc64Combine, crc64Nvme } from "../checksum/crc64-nvme.ts";
import { commitWrite } from "./commit-write.ts";
import type { DriverPut, DriverPutResult, ObjectStoreDriver, UploadedPart } from "./object-driver.ts";
import { checksumMetadata } from "./stored-metadata.ts";
import type { StoreCall } from "./store-call.ts";
import { StoreError } from "./store-error.ts";

export interface PartUploadParts {
  readonly driver: ObjectStoreDriver;
  readonly call: StoreCall;
  readonly key: string;
  readonly putId: string;
  readonly request: DriverPut;
  readonly concurrency: number;
  readonly onPart: (bytes: number) => void;
  /** An upload was begun of which nobody will hear: its call, or the attempt, was over. */
  readonly onLate: (uploadId: string) => void;
}

export class PartUpload {
  readonly #parts: PartUploadParts;
  readonly #uploadId: string;
  readonly #sent: UploadedPart[] = [];
  readonly #inFlight = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  #count = 0;
  #size = 0;

  private constructor(parts: PartUploadParts, uploadId: string) {
    this.#parts = parts;
    this.#uploadId = uploadId;
  }

  static async begin(parts: PartUploadParts): Promise<PartUpload> {
    const { driver, call, key, request, onLate } = parts;
    const id = await call.request("beginUpload", async (driverCall) => {
      const begun = await driver.beginUpload(key, request, driverCall);
      if (driverCall.signal.aborted) onLate(begun);
      return begun;
    });
    return new PartUpload(parts, id);
  }

  get uploadId(): string {
    return this.#uploadId;
  }

  /**
   * Takes `bytes`, which must stay as they are until `sent` is called, in order. Resolves when they are under way. One call at
   * a time.
   */
  async send(bytes: Uint8Array, isLast: boolean, sent: () => void = () => {}): Promise<void> {
    const number = this.#take(bytes.byteLength);
    const offset = this.#size - bytes.byteLength;
    const checksum = crc64Nvme(bytes);
    const { driver, call, key } = this.#parts;
    const part = { number, offset, bytes, checksum, isLast };
    await this.#run(bytes.byteLength, sent, () =>
      call.request("uploadPart", (driverCall) => driver.uploadPart(key, this.#uploadId, part, driverCall), {
        bytes: bytes.byteLength,
      }),
    );
  }

  /** A part made by the store from another object. */
  async sendCopy(size: number, copy: (number: number, offset: number) => Promise<UploadedPart>): Promise<void> {
    const number = this.#take(size);
    const offset = this.#size - size;
    await this.#run(
      size,
      () => {},
      () => copy(number, offset),
    );
  }

  /** @param checksum of the whole, when the parts do not tell. @throws StoreError, the first failure of a part */
  async complete(checksum?: bigint): Promise<DriverPutResult & { readonly checksum: bigint | undefined }> {
    await this.#drained();
    const { driver, call, key, putId, request } = this.#parts;
    const parts = this.#sent.toSorted((a, b) => a.number - b.number);
    const whole = checksum ?? combined(parts);
    if (request.checksum !== undefined && whole !== undefined && whole !== request.checksum) {
      throw new StoreError("CORRUPT", `the bytes have checksum ${hex(whole)}, and ${hex(request.checksum)} was given`, {
        key,
        operation: "completeUpload",
      });
    }
    // Known only now. Stores that take metadata at the beginning keep what they got then.
    const metadata = whole === undefined ? request.metadata : { ...request.metadata, ...checksumMetadata(whole) };
    const complete = { ...request, metadata, checksum: whole, size: this.#size };
    const { version } = await commitWrite(driver, call, {
      operation: "completeUpload",
      key,
      putId,
      // A conflict ends an upload: its parts have to be sent again. The store may put all bytes in their place now.
      options: { finalCodes: ["CONFLICT"], bytes: this.#size },
      send: (driverCall) => driver.completeUpload(key, this.#uploadId, parts, complete, driverCall),
    });
    return { version, checksum: whole };
  }

  /** Resolves when no part is in flight any more, whatever became of them. */
  async settle(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.allSettled(this.#inFlight);
  }

  #take(size: number): number {
    if (this.#failure !== undefined) throw this.#failure.error;
    const { partsMax, objectBytesMax } = this.#parts.driver.capabilities.limits;
    if (this.#count === partsMax || this.#size + size > objectBytesMax) {
      throw new StoreError("TOO_LARGE", `the store takes ${partsMax} parts and ${objectBytesMax} bytes an object`, {
        key: this.#parts.key,
        operation: "uploadPart",
      });
    }
    this.#size += size;
    return ++this.#count;
  }

  async #run(size: number, sent: () => void, send: () => Promise<UploadedPart>): Promise<void> {
    while (this.#inFlight.size >= this.#parts.concurrency) await Promise.race(this.#inFlight);
    if (this.#failure !== undefined) {
      sent();
      throw this.#failure.error;
    }
    const running = (async (): Promise<void> => {
      try {
        this.#sent.push(await send());
        this.#parts.onPart(size);
      } catch (error) {
        this.#failure ??= { error };
      } finally {
        sent();
      }
    })();
    const tracked = running.finally(() => this.#inFlight.delete(tracked));
    this.#inFlight.add(tracked);
  }

  async #drained(): Promise<void> {
    await this.settle();
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

/** CRC-64/NVME of parts that follow one another; undefined when one is not known. */
function combined(parts: readonly UploadedPart[]): bigint | undefined {
  let whole = 0n;
  for (const { checksum, size } of parts) {
    if (checksum === undefined) return undefined;
    whole = crc64Combine(whole, checksum, size);
  }
  return whole;
}

function hex(checksum: bigint): string {
  return checksum.toString(16).padStart(16, "0");
}

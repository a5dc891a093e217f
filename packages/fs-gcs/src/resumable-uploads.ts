/**
 * Uploads in parts, by resumable sessions. The store takes the bytes in order, and the object appears when a request names
 * the total; so the end of the last part is held back, and `complete` is what commits.
 *
 * Always true, for each upload:
 *  I1  `persisted`, when it is defined, is what the store has; it is undefined while a request is under way and after one
 *      whose answer was lost, and then the store is asked
 *  I2  no request of `begin` and `sendPart` names the total: only `complete` can make the object appear
 *  I3  of the last part at most `pieceBytesMultiple` - 1 bytes are kept, as a copy
 *  I4  nothing is kept for an upload that was completed or aborted
 *  I5  an object whose checksum is not that of the parts does not stay
 */
import {
  type DriverComplete,
  type DriverPart,
  type DriverPut,
  type DriverPutResult,
  StoreError,
  type UploadedPart,
} from "@varve/fs-core";
import { assertChecksum } from "./assert-checksum.ts";
import { crc32c, crc32cCombine } from "./crc32c.ts";
import type { GcsClient } from "./gcs-client.ts";
import { writeConditionQuery } from "./generation.ts";
import { notTheStore } from "./map-gcs-error.ts";
import { uploadPath, withQuery } from "./object-address.ts";
import { resourceOf, writtenFields } from "./object-resource.ts";
import { pieceBytesMultiple } from "./upload-range.ts";
import { askStatus, cancelUpload, endUpload, sendPiece, type SessionCall, sessionUrl } from "./upload-session.ts";
import { assertWritten } from "./written-object.ts";

interface Upload {
  persisted: number | undefined;
  /** The end of the last part. */
  tail: { readonly offset: number; readonly bytes: Uint8Array } | undefined;
}

export class ResumableUploads {
  readonly #client: GcsClient;
  readonly #bucket: string;
  readonly #uploads = new Map<string, Upload>();

  constructor(client: GcsClient, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  /** @returns the address of the session: whoever knows it can send to it */
  async begin(name: string, request: DriverPut, signal: AbortSignal): Promise<string> {
    const answer = await this.#client.send({
      method: "POST",
      target: {
        path: withQuery(uploadPath(this.#bucket), {
          uploadType: "resumable",
          name,
          fields: writtenFields,
          ...writeConditionQuery(request),
        }),
      },
      headers: { "content-type": "application/json; charset=UTF-8", "x-upload-content-type": request.contentType },
      body: [Buffer.from(resourceOf(name, request))],
      changes: true,
      condition: request,
      signal,
    });
    const { location } = answer.headers;
    if (location === undefined) throw notTheStore("no Location of the upload", true, answer.status);
    try {
      sessionUrl(location, this.#client.endpoint);
    } catch {
      // Without the address: it is a secret.
      throw notTheStore("an upload at a foreign address", true, answer.status);
    }
    this.#uploads.set(location, { persisted: 0, tail: undefined });
    return location;
  }

  async sendPart(uploadId: string, part: DriverPart, signal: AbortSignal): Promise<UploadedPart> {
    const call = this.#call(uploadId, signal);
    const { number, offset, bytes, isLast, checksum } = part;
    assertChecksum(bytes, checksum);
    const held = isLast ? bytes.byteLength % pieceBytesMultiple : 0;
    const end = offset + bytes.byteLength - held;
    if (offset % pieceBytesMultiple !== 0 || end % pieceBytesMultiple !== 0) {
      throw new StoreError("INVALID_ARGUMENT", `a part's offset and size are multiples of ${pieceBytesMultiple} bytes`);
    }
    const upload = this.#uploadOf(uploadId);
    const persisted = await this.#persisted(upload, call);
    if (persisted < offset) throw lost(persisted, offset);
    if (persisted < end)
      await this.#sendBytes(upload, call, persisted, bytes.subarray(persisted - offset, end - offset));
    if (isLast) upload.tail = { offset: end, bytes: bytes.slice(bytes.byteLength - held) };
    return { number, size: bytes.byteLength, tag: crc32c(bytes).toString(16), checksum };
  }

  async complete(
    name: string,
    uploadId: string,
    parts: readonly UploadedPart[],
    request: DriverComplete,
    signal: AbortSignal,
  ): Promise<DriverPutResult> {
    const call = this.#call(uploadId, signal);
    const upload = this.#uploadOf(uploadId);
    const whole = combined(parts);
    if (whole.size !== request.size) {
      throw new StoreError("INVALID_ARGUMENT", `the parts have ${whole.size} bytes, and the size is ${request.size}`);
    }
    // Asked again after an answer was lost, the session tells what became of the upload.
    let status =
      upload.persisted === undefined
        ? await askStatus(call)
        : { isComplete: false as const, persisted: upload.persisted };
    if (!status.isComplete) {
      const bytes = restOf(upload, status.persisted, request.size);
      upload.persisted = undefined;
      const ending = { offset: status.persisted, bytes, total: request.size, crc32c: whole.crc32c, condition: request };
      status = await endUpload(call, ending);
    }
    if (!status.isComplete) {
      upload.persisted = status.persisted;
      throw new StoreError("UNAVAILABLE", `the store has ${status.persisted} of ${request.size} bytes so far`);
    }
    this.#uploads.delete(uploadId);
    const sent = { bucket: this.#bucket, name, wanted: whole, condition: request, isSentAgain: false, signal };
    await assertWritten(this.#client, sent, status.written);
    return { version: status.written.generation };
  }

  async abort(uploadId: string, signal: AbortSignal): Promise<void> {
    const call = this.#call(uploadId, signal);
    this.#uploads.delete(uploadId);
    await cancelUpload(call);
  }

  close(): void {
    this.#uploads.clear();
  }

  async #sendBytes(upload: Upload, call: SessionCall, offset: number, bytes: Uint8Array): Promise<void> {
    upload.persisted = undefined;
    const status = await sendPiece(call, offset, bytes);
    if (status.isComplete) throw completed();
    upload.persisted = status.persisted;
    const end = offset + bytes.byteLength;
    if (status.persisted < end) {
      // Allowed: the rest is sent by the next attempt.
      throw new StoreError("UNAVAILABLE", `the store took ${status.persisted - offset} of ${bytes.byteLength} bytes`);
    }
  }

  async #persisted(upload: Upload, call: SessionCall): Promise<number> {
    if (upload.persisted === undefined) {
      const status = await askStatus(call);
      if (status.isComplete) throw completed();
      upload.persisted = status.persisted;
    }
    return upload.persisted;
  }

  #call(uploadId: string, signal: AbortSignal): SessionCall {
    return { client: this.#client, session: sessionUrl(uploadId, this.#client.endpoint), signal };
  }

  /** One that another process began is as good: the store is asked how far it is. */
  #uploadOf(uploadId: string): Upload {
    let upload = this.#uploads.get(uploadId);
    if (upload === undefined) {
      upload = { persisted: undefined, tail: undefined };
      this.#uploads.set(uploadId, upload);
    }
    return upload;
  }
}

/** What `complete` still has to send. */
function restOf({ tail }: Upload, persisted: number, total: number): Uint8Array {
  if (persisted === total) return new Uint8Array(0);
  if (
    tail === undefined ||
    persisted < tail.offset ||
    persisted > total ||
    tail.offset + tail.bytes.byteLength !== total
  ) {
    throw lost(persisted, total);
  }
  return tail.bytes.subarray(persisted - tail.offset);
}

/** CRC-32C of the parts in order, from their tags. */
function combined(parts: readonly UploadedPart[]): { crc32c: number; size: number } {
  let whole = { crc32c: 0, size: 0 };
  for (const { tag, size } of parts) {
    if (!/^[0-9a-f]{1,8}$/.test(tag)) throw new StoreError("INVALID_ARGUMENT", "a part's tag is not one of this store");
    whole = { crc32c: crc32cCombine(whole.crc32c, Number.parseInt(tag, 16), size), size: whole.size + size };
  }
  return whole;
}

function lost(persisted: number, wanted: number): StoreError {
  return new StoreError("IO", `the store has ${persisted} bytes of the upload, and ${wanted} were sent before`);
}

function completed(): StoreError {
  return new StoreError("NOT_FOUND", "the upload is complete and takes no more parts");
}

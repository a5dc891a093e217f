/**
 * Uploads in parts: one staged file each, into which parts are written where they belong. An upload ends with the store
 * that began it, or with its process.
 */
import { crc64Nvme } from "../../checksum/crc64-nvme.ts";
import type { DriverPart, UploadedPart } from "../object-driver.ts";
import type { IncompleteUpload } from "../object-store.ts";
import { StoreError } from "../store-error.ts";
import type { StagedFile, Staging } from "./staging.ts";

interface Upload {
  readonly key: string;
  readonly startedMs: number;
  readonly file: StagedFile;
  /** A handle takes one write at a time. */
  writing: Promise<void>;
}

export class LocalUploads {
  readonly #staging: Staging;
  readonly #uploads = new Map<string, Upload>();

  constructor(staging: Staging) {
    this.#staging = staging;
  }

  async begin(key: string, startedMs: number): Promise<string> {
    const file = await this.#staging.create();
    const uploadId = file.path.slice(file.path.lastIndexOf("/") + 1);
    this.#uploads.set(uploadId, { key, startedMs, file, writing: Promise.resolve() });
    return uploadId;
  }

  async write(key: string, uploadId: string, part: DriverPart): Promise<UploadedPart> {
    const upload = this.#upload(key, uploadId);
    const { bytes, number, offset, checksum } = part;
    const writing = upload.writing.then(async () => {
      if (crc64Nvme(bytes) !== checksum) {
        throw new StoreError("CORRUPT", "the bytes do not have the checksum that came with them", { key });
      }
      await upload.file.handle.writeAt(offset, bytes);
    });
    upload.writing = writing.catch(() => {});
    await writing;
    return { number, size: bytes.byteLength, tag: String(offset), checksum };
  }

  /** Hands over the file with all its bytes; the upload is no more. @throws StoreError `INVALID_ARGUMENT` for other parts */
  async take(key: string, uploadId: string, parts: readonly UploadedPart[], size: number): Promise<StagedFile> {
    const upload = this.#upload(key, uploadId);
    await upload.writing;
    let offset = 0;
    for (const part of parts) {
      if (part.tag !== String(offset))
        throw new StoreError("INVALID_ARGUMENT", "the parts do not follow one another", { key });
      offset += part.size;
    }
    if (offset !== size || (await upload.file.handle.size()) !== size) {
      throw new StoreError("INVALID_ARGUMENT", `the parts have ${offset} bytes, want ${size}`, { key });
    }
    this.#uploads.delete(uploadId);
    return upload.file;
  }

  async drop(uploadId: string): Promise<void> {
    const upload = this.#uploads.get(uploadId);
    this.#uploads.delete(uploadId);
    if (upload === undefined) return;
    await upload.writing;
    await upload.file.handle.close();
    await this.#staging.drop(upload.file.path);
  }

  list(prefix: string): IncompleteUpload[] {
    return [...this.#uploads]
      .filter(([, { key }]) => key.startsWith(prefix))
      .map(([uploadId, { key, startedMs }]) => ({ key, uploadId, startedMs }));
  }

  async close(): Promise<void> {
    for (const uploadId of [...this.#uploads.keys()]) await this.drop(uploadId);
  }

  #upload(key: string, uploadId: string): Upload {
    const upload = this.#uploads.get(uploadId);
    if (upload?.key !== key) throw new StoreError("NOT_FOUND", "there is no such upload", { key, outcome: "unknown" });
    return upload;
  }
}

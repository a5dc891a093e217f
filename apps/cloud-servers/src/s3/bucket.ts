/**
 * Everything that a server holds, in memory.
 *
 * Always true:
 *  I1  an entry of `objects` is under its own key, and never changes: a write replaces it
 *  I2  an entry of `uploads` is under its own id, and is neither completed nor aborted
 *  I3  upload ids grow, so that their order is that of their initiation
 */
import type { Random } from "@varve/fs-core";
import type { MultipartUpload } from "./multipart-upload.ts";
import { S3Error } from "./s3-error.ts";
import type { StoredObject } from "./stored-object.ts";

/** Renames that a bucket remembers by their client's token. */
const renamesMax = 1000;

/** A bucket. */
export class Bucket {
  readonly name: string;
  readonly objects: Map<string, StoredObject> = new Map();
  readonly uploads: Map<string, MultipartUpload> = new Map();
  readonly #renames: Map<string, string> = new Map();
  readonly #random: Random;
  #uploadCount = 0;

  constructor(name: string, random: Random) {
    this.name = name;
    this.#random = random;
  }

  put(object: StoredObject): void {
    this.objects.set(object.key, object);
  }

  /** @throws S3Error NoSuchKey */
  object(key: string): StoredObject {
    const object = this.objects.get(key);
    if (object === undefined) throw new S3Error("NoSuchKey", { details: { Key: key } });
    return object;
  }

  /** @throws S3Error NoSuchUpload, also when it is an upload of another key */
  upload(id: string, key: string): MultipartUpload {
    const upload = this.uploads.get(id);
    if (upload?.key !== key) throw new S3Error("NoSuchUpload", { details: { UploadId: id } });
    return upload;
  }

  nextUploadId(): string {
    this.#uploadCount += 1;
    const random = Buffer.from(this.#random.fill(new Uint8Array(12))).toString("hex");
    return `${this.#uploadCount.toString(16).padStart(8, "0")}${random}`;
  }

  /**
   * Whether a rename with this token was done before; remembers it if not.
   * @throws S3Error when the token was another rename's
   */
  isRepeatedRename(token: string, rename: string): boolean {
    const known = this.#renames.get(token);
    if (known !== undefined && known !== rename) throw new S3Error("IdempotencyParameterMismatch");
    return known !== undefined;
  }

  rememberRename(token: string, rename: string): void {
    this.#renames.set(token, rename);
    const [oldest] = this.#renames.keys();
    if (this.#renames.size > renamesMax && oldest !== undefined) this.#renames.delete(oldest);
  }
}

/**
 * {@link ObjectStoreDriver} over the JSON API of Cloud Storage.
 *
 * Always true:
 *  I1  keys go out with the store's folder before them and come back without it; here and nowhere else
 *  I2  nothing that an inspection of this object shows is secret
 */
import {
  type DriverBody,
  type DriverCall,
  type DriverComplete,
  type DriverCopy,
  type DriverGet,
  type DriverInfo,
  type DriverList,
  type DriverListPage,
  type DriverPart,
  type DriverPut,
  type DriverPutResult,
  isStoreError,
  type BackendParts,
  type ObjectStoreDriver,
  type StoreCapabilities,
  systemClock,
  systemRandom,
  type UploadedPart,
} from "@varve/fs-core";
import { assertChecksum } from "./assert-checksum.ts";
import { copyObject, renameObject } from "./copy-object.ts";
import { crc32c } from "./crc32c.ts";
import { gcsCapabilities } from "./gcs-capabilities.ts";
import { GcsClient, parseJson } from "./gcs-client.ts";
import { type GcsSettings, type ResolvedGcsSettings, resolveGcsSettings } from "./gcs-settings.ts";
import { generationOf, writeConditionQuery } from "./generation.ts";
import { listObjects } from "./list-objects.ts";
import { isBucketMissing } from "./map-gcs-error.ts";
import { multipartBody } from "./multipart-body.ts";
import { objectPath, uploadPath, withQuery } from "./object-address.ts";
import { parseWritten, resourceOf, writtenFields } from "./object-resource.ts";
import { ObjectReader } from "./read-object.ts";
import { ResumableUploads } from "./resumable-uploads.ts";
import { assertWritten } from "./written-object.ts";

/**
 * The requests of a bucket, or of a folder in it, each tried once. Sends nothing yet.
 * @param parts default: the machine's clock and randomness
 * @throws StoreError `INVALID_ARGUMENT` with every problem of the settings
 */
export function createGcsDriver(settings: GcsSettings, parts: Partial<BackendParts> = {}): ObjectStoreDriver {
  return new GcsDriver(resolveGcsSettings(settings), { clock: systemClock, random: systemRandom, ...parts });
}

class GcsDriver implements ObjectStoreDriver {
  readonly url: string;
  readonly capabilities: StoreCapabilities;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #parts: BackendParts;
  readonly #client: GcsClient;
  readonly #reader: ObjectReader;
  readonly #uploads: ResumableUploads;

  constructor(settings: ResolvedGcsSettings, parts: BackendParts) {
    const { bucket, prefix } = settings;
    const folder = prefix
      .split("/")
      .slice(0, -1)
      .map((part) => `/${encodeURIComponent(part)}`);
    this.url = `gs://${bucket}${folder.join("")}`;
    this.capabilities = gcsCapabilities(Buffer.byteLength(prefix));
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.#parts = parts;
    this.#client = new GcsClient(settings, parts.clock);
    this.#reader = new ObjectReader(this.#client, bucket);
    this.#uploads = new ResumableUploads(this.#client, bucket);
  }

  head(key: string, { signal }: DriverCall): Promise<DriverInfo | undefined> {
    return this.#reader.head({ key, name: this.#nameOf(key), signal });
  }

  get(key: string, request: DriverGet, { signal }: DriverCall): Promise<DriverBody> {
    return this.#reader.get({ key, name: this.#nameOf(key), signal }, request);
  }

  async put(key: string, bytes: Uint8Array, request: DriverPut, { signal }: DriverCall): Promise<DriverPutResult> {
    assertChecksum(bytes, request.checksum);
    const name = this.#nameOf(key);
    const wanted = { crc32c: crc32c(bytes), size: bytes.byteLength };
    const query = { uploadType: "multipart", fields: writtenFields, ...writeConditionQuery(request) };
    const resource = resourceOf(name, request, wanted.crc32c);
    const body = multipartBody(resource, bytes, request.contentType, this.#parts.random);
    const value = await this.#client.sendForJson({
      method: "POST",
      target: { path: withQuery(uploadPath(this.#bucket), query) },
      headers: { "content-type": body.contentType },
      body: body.pieces,
      changes: true,
      condition: request,
      declaresChecksum: "of-body",
      signal,
    });
    const written = parseWritten(value, true);
    const sent = { bucket: this.#bucket, name, wanted, condition: request, isSentAgain: true, signal };
    await assertWritten(this.#client, sent, written);
    return { version: written.generation };
  }

  beginUpload(key: string, request: DriverPut, { signal }: DriverCall): Promise<string> {
    return this.#uploads.begin(this.#nameOf(key), request, signal);
  }

  uploadPart(_key: string, uploadId: string, part: DriverPart, { signal }: DriverCall): Promise<UploadedPart> {
    return this.#uploads.sendPart(uploadId, part, signal);
  }

  completeUpload(
    key: string,
    uploadId: string,
    parts: readonly UploadedPart[],
    request: DriverComplete,
    { signal }: DriverCall,
  ): Promise<DriverPutResult> {
    return this.#uploads.complete(this.#nameOf(key), uploadId, parts, request, signal);
  }

  abortUpload(_key: string, uploadId: string, { signal }: DriverCall): Promise<void> {
    return this.#uploads.abort(uploadId, signal);
  }

  copy(from: DriverInfo, to: string, request: DriverCopy, { signal }: DriverCall): Promise<DriverPutResult> {
    return copyObject(this.#client, this.#names(from.key, to), request, signal);
  }

  rename(from: string, to: string, request: { readonly ifAbsent: boolean }, { signal }: DriverCall): Promise<void> {
    return renameObject(this.#client, this.#names(from, to), request, signal);
  }

  async delete(key: string, { ifMatch }: { readonly ifMatch?: string }, { signal }: DriverCall): Promise<void> {
    const query = ifMatch === undefined ? {} : { ifGenerationMatch: generationOf(ifMatch) };
    const path = withQuery(objectPath(this.#bucket, this.#nameOf(key)), query);
    try {
      const answer = await this.#client.send({
        method: "DELETE",
        target: { path },
        changes: true,
        signal,
      });
      // A success that says nothing; a page that says something is a proxy's.
      if (answer.text.trim() !== "") parseJson(answer, { changes: true });
    } catch (error) {
      const isGone = isStoreError(error) && error.code === "NOT_FOUND" && !isBucketMissing(error);
      if (!isGone || ifMatch !== undefined) throw error;
    }
  }

  async listPage(request: DriverList, { signal }: DriverCall): Promise<DriverListPage> {
    const { prefix, startAfter } = request;
    const named = {
      ...request,
      prefix: this.#nameOf(prefix),
      startAfter: startAfter === undefined ? undefined : this.#nameOf(startAfter),
    };
    const page = await listObjects(this.#client, this.#bucket, named, signal);
    return {
      objects: page.objects.map((object) => ({ ...object, key: this.#keyOf(object.key) })),
      prefixes: page.prefixes.map((folder) => this.#keyOf(folder)),
      nextPageToken: page.nextPageToken,
    };
  }

  close(): Promise<void> {
    this.#client.close();
    this.#reader.close();
    this.#uploads.close();
    return Promise.resolve();
  }

  #names(from: string, to: string): { bucket: string; from: string; to: string } {
    return { bucket: this.#bucket, from: this.#nameOf(from), to: this.#nameOf(to) };
  }

  #nameOf(key: string): string {
    return this.#prefix + key;
  }

  #keyOf(name: string): string {
    return name.slice(this.#prefix.length);
  }
}

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
  Random,
  StoreCapabilities,
  UploadedPart,
} from "@varve/fs-core";
import { listPage, listUploadsPage, type UploadsPage } from "./list-objects.ts";
import { abortUpload, beginUpload, completeUpload, uploadPart, uploadPartCopy } from "./multipart.ts";
import { getObject, headObject } from "./read-object.ts";
import { s3Capabilities } from "./s3-capabilities.ts";
import { S3Requests } from "./s3-requests.ts";
import { resolveS3Settings, type S3Settings } from "./s3-settings.ts";
import { copyObject, deleteObject, deleteObjects, putObject, renameObject } from "./write-object.ts";

/** What a driver gets from outside. */
export interface S3DriverParts {
  /** Names renames. Default: the system's. */
  readonly random?: Random;
}

/**
 * A driver for `createObjectStore` of `@varve/fs-core`. Sends no request yet.
 * @throws StoreError `INVALID_ARGUMENT` with every problem of the settings
 */
export function createS3Driver(settings: S3Settings, parts: S3DriverParts = {}): ObjectStoreDriver {
  return new S3Driver(new S3Requests(resolveS3Settings(settings), parts.random));
}

/** Single requests, tried once. What each does is in the file of its name. */
class S3Driver implements ObjectStoreDriver {
  readonly url: string;
  readonly capabilities: StoreCapabilities;
  readonly #requests: S3Requests;

  constructor(requests: S3Requests) {
    this.url = requests.address.url;
    this.capabilities = Object.freeze(s3Capabilities(requests.settings));
    this.#requests = requests;
  }

  head(key: string, call: DriverCall): Promise<DriverInfo | undefined> {
    return headObject(this.#requests, key, call);
  }

  get(key: string, request: DriverGet, call: DriverCall): Promise<DriverBody> {
    return getObject(this.#requests, key, request, call);
  }

  put(key: string, bytes: Uint8Array, request: DriverPut, call: DriverCall): Promise<DriverPutResult> {
    return putObject(this.#requests, key, bytes, request, call);
  }

  beginUpload(key: string, request: DriverPut, call: DriverCall): Promise<string> {
    return beginUpload(this.#requests, key, request, call);
  }

  uploadPart(key: string, uploadId: string, part: DriverPart, call: DriverCall): Promise<UploadedPart> {
    return uploadPart(this.#requests, key, uploadId, part, call);
  }

  completeUpload(
    key: string,
    uploadId: string,
    parts: readonly UploadedPart[],
    request: DriverComplete,
    call: DriverCall,
  ): Promise<DriverPutResult> {
    return completeUpload(this.#requests, key, uploadId, parts, request, call);
  }

  abortUpload(key: string, uploadId: string, call: DriverCall): Promise<void> {
    return abortUpload(this.#requests, key, uploadId, call);
  }

  copy(from: DriverInfo, to: string, request: DriverCopy, call: DriverCall): Promise<DriverPutResult> {
    return copyObject(this.#requests, from, to, request, call);
  }

  uploadPartCopy(
    key: string,
    uploadId: string,
    part: { readonly number: number; readonly from: DriverInfo; readonly offset: number; readonly size: number },
    call: DriverCall,
  ): Promise<UploadedPart> {
    return uploadPartCopy(this.#requests, key, uploadId, part, call);
  }

  rename(from: string, to: string, request: { readonly ifAbsent: boolean }, call: DriverCall): Promise<void> {
    return renameObject(this.#requests, from, to, request, call);
  }

  delete(key: string, request: { readonly ifMatch?: string }, call: DriverCall): Promise<void> {
    return deleteObject(this.#requests, key, request, call);
  }

  deleteMany(keys: readonly string[], call: DriverCall): Promise<readonly { key: string; error: Error }[]> {
    return deleteObjects(this.#requests, keys, call);
  }

  listPage(request: DriverList, call: DriverCall): Promise<DriverListPage> {
    return listPage(this.#requests, request, call);
  }

  listUploadsPage(
    request: { readonly prefix: string; readonly pageToken: string | undefined },
    call: DriverCall,
  ): Promise<UploadsPage> {
    return listUploadsPage(this.#requests, request, call);
  }

  async close(): Promise<void> {
    this.#requests.close();
  }
}

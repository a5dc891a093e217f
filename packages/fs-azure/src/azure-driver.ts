/**
 * Blob Storage, one request at a time: see `object-driver.ts` for what is promised.
 *
 * Always true:
 *  I1  a name that is sent is `prefix` and a key, and a key that is told is a name without `prefix`
 *  I2  what was written carries the condition it was asked for, and its CRC-64, which the service checks
 *  I3  nothing of the SDK, and no secret, leaves this class: not in errors, not in dumps
 */
import type { Agent } from "node:http";
import {
  type Clock,
  crc64Nvme,
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
  type IncompleteUpload,
  type ObjectStoreDriver,
  type Random,
  type StoreCapabilities,
  StoreError,
  systemClock,
  systemRandom,
  type UploadedPart,
  type WriteCondition,
} from "@varve/fs-core";
import { azureCapabilities } from "./azure-capabilities.ts";
import { AzureClient } from "./azure-client.ts";
import { type AzureSettings, type ResolvedAzureSettings, resolveAzureSettings } from "./azure-settings.ts";
import { blockId, newUploadId } from "./block-id.ts";
import { copySource } from "./copy-source.ts";
import { getBlob } from "./get-blob.ts";
import { infoOf } from "./blob-info.ts";
import { isFolder, listPage } from "./list-page.ts";
import { listUploadsPage } from "./list-uploads-page.ts";
import { mapAzureError, type RequestContext } from "./map-azure-error.ts";
import { renamePath } from "./rename-path.ts";
import { assertServices, etagOf, versionOf } from "./version.ts";

/** What a driver gets from outside. */
export interface AzureParts {
  readonly clock?: Clock;
  readonly random?: Random;
  /** For proxies and certificate authorities of one's own. Its creator closes it. Default: one of the driver's own. */
  readonly agent?: Agent;
}

/** A driver for one container, or a folder in it. Sends no request. @throws StoreError `INVALID_ARGUMENT` */
export function createAzureDriver(settings: AzureSettings, parts: AzureParts = {}): ObjectStoreDriver {
  return new AzureDriver(resolveAzureSettings(settings), parts);
}

class AzureDriver implements ObjectStoreDriver {
  readonly url: string;
  readonly capabilities: StoreCapabilities;
  readonly #settings: ResolvedAzureSettings;
  readonly #client: AzureClient;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(settings: ResolvedAzureSettings, { clock = systemClock, random = systemRandom, agent }: AzureParts) {
    const { account, container, prefix } = settings;
    this.url = `az://${account}/${container}/${prefix.split("/").map(encodeURIComponent).join("/")}`.replace(/\/$/, "");
    this.capabilities = azureCapabilities(settings);
    this.#settings = settings;
    this.#client = new AzureClient(settings, agent);
    this.#clock = clock;
    this.#random = random;
  }

  async head(key: string, call: DriverCall): Promise<DriverInfo | undefined> {
    return this.#send(call, { kind: "read" }, async () => {
      try {
        const properties = await this.#blob(key).getProperties({ abortSignal: call.signal });
        return this.#isFolder(properties.metadata) ? undefined : infoOf(key, properties);
      } catch (error) {
        if (isGone(this.#error(error, call, { kind: "read" }))) return undefined;
        throw error;
      }
    });
  }

  async get(key: string, request: DriverGet, call: DriverCall): Promise<DriverBody> {
    return this.#send(call, { kind: "read", ifMatch: request.ifMatch }, async () => {
      const body = await getBlob(this.#blob(key), key, request, call.signal);
      if (!this.#isFolder(body.info.metadata)) return body;
      await body.chunks[Symbol.asyncIterator]().return?.();
      throw new StoreError("NOT_FOUND", "nothing is there but a folder");
    });
  }

  async put(key: string, bytes: Uint8Array, request: DriverPut, call: DriverCall): Promise<DriverPutResult> {
    return this.#send(call, request, async () => {
      const { etag } = await this.#blob(key).upload(bytes, bytes.byteLength, {
        ...stored(request),
        conditions: conditionsOf(request),
        transactionalContentCrc64: littleEndian(request.checksum ?? crc64Nvme(bytes)),
        abortSignal: call.signal,
      });
      return { version: versionOf(etag) };
    });
  }

  /** The service learns of an upload with its first part. */
  async beginUpload(_key: string, _request: DriverPut, _call: DriverCall): Promise<string> {
    return newUploadId(this.#random);
  }

  async uploadPart(key: string, uploadId: string, part: DriverPart, call: DriverCall): Promise<UploadedPart> {
    const { number, bytes, checksum } = part;
    const tag = blockId(uploadId, number);
    return this.#send(call, {}, async () => {
      const answer = await this.#blob(key).stageBlock(tag, bytes, bytes.byteLength, {
        transactionalContentCrc64: littleEndian(checksum),
        abortSignal: call.signal,
      });
      assertServices(answer);
      return { number, size: bytes.byteLength, tag, checksum };
    });
  }

  async completeUpload(
    key: string,
    _uploadId: string,
    parts: readonly UploadedPart[],
    request: DriverComplete,
    call: DriverCall,
  ): Promise<DriverPutResult> {
    return this.#send(call, request, async () => {
      const { etag } = await this.#blob(key).commitBlockList(
        parts.map(({ tag }) => tag),
        { ...stored(request), conditions: conditionsOf(request), abortSignal: call.signal },
      );
      return { version: versionOf(etag) };
    });
  }

  /** Blocks cannot be dropped without touching the object: the service forgets them. */
  async abortUpload(_key: string, _uploadId: string, _call: DriverCall): Promise<void> {}

  async copy(from: DriverInfo, to: string, request: DriverCopy, call: DriverCall): Promise<DriverPutResult> {
    if (request.contentType !== (from.contentType ?? request.contentType)) {
      throw new StoreError("UNSUPPORTED", "a copy keeps the content type of its source");
    }
    return this.#send(call, request, async () => {
      const source = await copySource(this.#client, this.#clock, this.#name(from.key), call.signal);
      const { url, ...authorization } = source;
      const { etag } = await this.#blob(to).syncCopyFromURL(url, {
        ...authorization,
        metadata: { ...request.metadata },
        conditions: conditionsOf(request),
        sourceConditions: { ifMatch: etagOf(request.ifSourceMatch) },
        abortSignal: call.signal,
      });
      return { version: versionOf(etag) };
    });
  }

  async uploadPartCopy(
    key: string,
    uploadId: string,
    part: { readonly number: number; readonly from: DriverInfo; readonly offset: number; readonly size: number },
    call: DriverCall,
  ): Promise<UploadedPart> {
    const { number, from, offset, size } = part;
    const tag = blockId(uploadId, number);
    return this.#send(call, {}, async () => {
      const source = await copySource(this.#client, this.#clock, this.#name(from.key), call.signal);
      const { url, ...authorization } = source;
      // The service knows the condition, the SDK has no option for it; without it parts could be of two versions.
      const blob = this.#client.blobWith(this.#name(key), { set: { "x-ms-source-if-match": etagOf(from.version) } });
      const answer = await blob.stageBlockFromURL(tag, url, offset, size, {
        ...authorization,
        abortSignal: call.signal,
      });
      assertServices(answer);
      return { number, size, tag, checksum: undefined };
    });
  }

  async rename(
    from: string,
    to: string,
    { ifAbsent }: { readonly ifAbsent: boolean },
    call: DriverCall,
  ): Promise<void> {
    if (this.#settings.dfsEndpoint === undefined) {
      throw new StoreError("UNSUPPORTED", "only an account with a hierarchical namespace renames");
    }
    const { container, access } = this.#settings;
    const rename = { container, from: this.#name(from), to: this.#name(to), ifAbsent, access };
    return this.#send(call, { ifAbsent }, async () => {
      // A folder is no object, and the service would move it with all that is in it.
      if ((await this.head(from, call)) === undefined) throw new StoreError("NOT_FOUND", "nothing is there to rename");
      await renamePath(this.#client, rename, call.signal);
    });
  }

  async delete(key: string, { ifMatch }: { readonly ifMatch?: string }, call: DriverCall): Promise<void> {
    return this.#send(call, { kind: "delete", ifMatch }, async () => {
      try {
        const conditions = ifMatch === undefined ? {} : conditionsOf({ ifMatch });
        await this.#blob(key).delete({ conditions, abortSignal: call.signal });
      } catch (error) {
        const mapped = this.#error(error, call, { kind: "delete", ifMatch });
        const isNothing = isGone(mapped) || mapped.code === "KEY_CONFLICT";
        if (ifMatch === undefined && isNothing) return;
        throw isNothing ? new StoreError("NOT_FOUND", "nothing is there", { cause: mapped.cause }) : mapped;
      }
    });
  }

  async listPage(request: DriverList, call: DriverCall): Promise<DriverListPage> {
    const { prefix, dfsEndpoint } = this.#settings;
    return this.#send(call, { kind: "read" }, () =>
      listPage(this.#client.container, prefix, dfsEndpoint !== undefined, request, call.signal),
    );
  }

  async listUploadsPage(
    request: { readonly prefix: string; readonly pageToken: string | undefined },
    call: DriverCall,
  ): Promise<{ readonly uploads: readonly IncompleteUpload[]; readonly nextPageToken: string | undefined }> {
    return this.#send(call, { kind: "read" }, () =>
      listUploadsPage(this.#client.container, this.#settings.prefix, request, call.signal),
    );
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  #name(key: string): string {
    return this.#settings.prefix + key;
  }

  #blob(key: string): ReturnType<AzureClient["blob"]> {
    return this.#client.blob(this.#name(key));
  }

  #isFolder(metadata: Readonly<Record<string, string>> | undefined): boolean {
    return this.#settings.dfsEndpoint !== undefined && isFolder(metadata);
  }

  async #send<T>(call: DriverCall, request: RequestOf, run: () => Promise<T>): Promise<T> {
    if (this.#client.isClosed) throw new StoreError("CLOSED", "the driver was closed");
    try {
      return await this.#client.untilClosed(run());
    } catch (error) {
      if (!this.#client.isClosed || call.signal.aborted) throw this.#error(error, call, request);
      throw new StoreError("CLOSED", "the driver was closed", {
        outcome: request.kind === "read" ? "none" : "unknown",
      });
    }
  }

  #error(error: unknown, { signal }: DriverCall, { kind = "write", ifAbsent, ifMatch }: RequestOf): StoreError {
    return mapAzureError(error, { kind, ifAbsent, ifMatch, container: this.#settings.container, signal });
  }
}

/** A write, unless it says otherwise. */
type RequestOf = Partial<Pick<RequestContext, "kind" | "ifAbsent" | "ifMatch">>;

/** Nothing at that key; a container that is not there is another matter. */
function isGone({ code, vendorCode }: StoreError): boolean {
  return code === "NOT_FOUND" && vendorCode !== "ContainerNotFound" && vendorCode !== "FilesystemNotFound";
}

function stored({ metadata, contentType }: DriverPut): {
  metadata: Record<string, string>;
  blobHTTPHeaders: { blobContentType: string };
} {
  return { metadata: { ...metadata }, blobHTTPHeaders: { blobContentType: contentType } };
}

function conditionsOf({ ifAbsent, ifMatch }: WriteCondition): { ifNoneMatch?: string; ifMatch?: string } {
  return {
    ...(ifAbsent === true ? { ifNoneMatch: "*" } : {}),
    ...(ifMatch === undefined ? {} : { ifMatch: etagOf(ifMatch) }),
  };
}

/** As the service has checksums. */
function littleEndian(checksum: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(checksum);
  return bytes;
}

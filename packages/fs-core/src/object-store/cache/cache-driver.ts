/**
 * Reads through a cache. What is current only the store knows: it is asked for the object's version before anything cached
 * is given out, unless the caller names one.
 */
import type { Clock } from "../../clock.ts";
import type { DriverBody, DriverCall, DriverGet, DriverInfo } from "../object-driver.ts";
import type { ObjectInfo } from "../object-store.ts";
import { resolveRange } from "../resolve-range.ts";
import { isStoreError, StoreError } from "../store-error.ts";
import { objectInfo } from "../stored-metadata.ts";
import type { DriverRequest } from "../wrappers/driver-request.ts";
import { ForwardingDriver, type WrappedStore } from "../wrappers/forwarding-driver.ts";
import { CachedChunks } from "./cached-chunks.ts";
import { KnownVersions } from "./known-versions.ts";
import type { LocalCacheStorage } from "./local-cache-storage.ts";
import { ObjectParts } from "./object-parts.ts";
import { PartFetches } from "./part-fetches.ts";
import type { CachedObject } from "./part-name.ts";

export interface CacheDriverParts {
  readonly clock: Clock;
  readonly storage: LocalCacheStorage;
  readonly storeId: string;
  readonly partBytes: number;
  readonly admit: (key: string, info: ObjectInfo) => boolean;
}

/** How often a read begins again because the object was replaced between two requests. */
const restartsMax = 5;
const reading: ReadonlySet<string> = new Set(["head", "get", "list", "listUploads"]);

export class CacheDriver extends ForwardingDriver {
  readonly #parts: CacheDriverParts;
  readonly #fetches = new PartFetches();
  readonly #known = new KnownVersions();

  constructor(store: WrappedStore, parts: CacheDriverParts) {
    super(store);
    this.#parts = parts;
    const { rename, deleteMany } = this;
    // The requests that change keys which `around` is not told of.
    if (rename !== undefined) {
      this.rename = async (from, to, request, call) => {
        try {
          await rename(from, to, request, call);
        } finally {
          await this.#forget(from);
        }
      };
    }
    if (deleteMany !== undefined) {
      this.deleteMany = async (keys, call) => {
        try {
          return await deleteMany(keys, call);
        } finally {
          for (const key of keys) await this.#forget(key);
        }
      };
    }
  }

  override async get(key: string, request: DriverGet, call: DriverCall): Promise<DriverBody> {
    for (let restart = 0; ; restart++) {
      const info = await this.#lookUp(key, request, call);
      if (!this.#parts.admit(key, objectInfo(info))) return this.inner.get(key, request, call);
      try {
        return await this.#open(info, request, call);
      } catch (error) {
        const wasReplaced = isStoreError(error) && error.code === "VERSION_MISMATCH" && request.ifMatch === undefined;
        if (!wasReplaced || restart === restartsMax) throw error;
      }
    }
  }

  override async close(): Promise<void> {
    await this.#fetches.close();
    await super.close();
  }

  protected override async around<T>(request: DriverRequest, send: (call: DriverCall) => Promise<T>): Promise<T> {
    try {
      return await send(request.call);
    } finally {
      if (request.key !== undefined && !reading.has(request.operation)) await this.#forget(request.key);
    }
  }

  async #lookUp(key: string, { range, ifMatch }: DriverGet, call: DriverCall): Promise<DriverInfo> {
    if (ifMatch !== undefined) {
      const recent = this.#known.get(key, ifMatch);
      if (recent !== undefined) return recent;
      const object = this.#objectOf(key, ifMatch);
      const offset = range !== undefined && "offset" in range ? range.offset : 0;
      const kept = await this.#parts.storage.readAny(object, Math.floor(offset / object.partBytes));
      if (kept !== undefined) return this.#noted(kept.info);
    }
    const info = await this.inner.head(key, call);
    if (info === undefined) throw new StoreError("NOT_FOUND", "no object is there", { key });
    if (ifMatch !== undefined && info.version !== ifMatch) {
      throw new StoreError("VERSION_MISMATCH", "another version is there", { key });
    }
    return this.#noted(info);
  }

  #noted(info: DriverInfo): DriverInfo {
    this.#known.note(info);
    return info;
  }

  async #open(info: DriverInfo, request: DriverGet, call: DriverCall): Promise<DriverBody> {
    const range = resolveRange(request.range, info.size);
    if (range.length === 0) return { info, range, chunks: (async function* (): AsyncGenerator<Uint8Array> {})() };
    const { clock, storage } = this.#parts;
    const sources = { driver: this.inner, clock, storage, fetches: this.#fetches };
    const parts = new ObjectParts(sources, this.#objectOf(info.key, info.version), info);
    const chunks = new CachedChunks(parts, range, call.signal);
    await chunks.begin();
    return { info, range, chunks };
  }

  async #forget(key: string): Promise<void> {
    this.#known.forget(key);
    await this.#parts.storage.drop({ storeId: this.#parts.storeId, key });
  }

  #objectOf(key: string, version: string): CachedObject {
    const { storeId, partBytes } = this.#parts;
    return { storeId, key, version, partBytes };
  }
}

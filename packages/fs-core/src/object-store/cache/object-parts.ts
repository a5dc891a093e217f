/** The parts of one version of an object: from the cache, or from the store and then kept. */
import { crc64Nvme } from "../../checksum/crc64-nvme.ts";
import type { Clock } from "../../clock.ts";
import type { DriverBody, DriverInfo, ObjectStoreDriver } from "../object-driver.ts";
import { StoreError } from "../store-error.ts";
import { guardedFetch } from "./guarded-fetch.ts";
import type { LocalCacheStorage } from "./local-cache-storage.ts";
import type { CachedPart } from "./part-file.ts";
import type { PartFetches } from "./part-fetches.ts";
import { type CachedObject, objectName, partName } from "./part-name.ts";

/** Of a fetch, between two signs of life. The reader has deadlines of its own. */
const stallTimeoutMs = 15_000;

/** Where parts come from. */
export interface PartSources {
  readonly driver: ObjectStoreDriver;
  readonly clock: Clock;
  readonly storage: LocalCacheStorage;
  readonly fetches: PartFetches;
}

export class ObjectParts {
  readonly info: DriverInfo;
  readonly object: CachedObject;
  readonly #driver: ObjectStoreDriver;
  readonly #clock: Clock;
  readonly #storage: LocalCacheStorage;
  readonly #fetches: PartFetches;

  constructor({ driver, clock, storage, fetches }: PartSources, object: CachedObject, info: DriverInfo) {
    this.#driver = driver;
    this.#clock = clock;
    this.#storage = storage;
    this.#fetches = fetches;
    this.object = object;
    this.info = info;
  }

  /** The part's bytes are the caller's. @throws StoreError as the store's `get` with `ifMatch`; `ABORTED` */
  async part(number: number, signal: AbortSignal): Promise<CachedPart> {
    const kept = await this.#storage.read(this.object, number);
    if (kept !== undefined && kept.bytes.byteLength === this.#rangeOf(number).length) return kept;
    const name = partName(objectName(this.object), number);
    const fetched = await this.#fetches.join(name, (stop) => this.#fetch(number, stop), signal);
    return { ...fetched, bytes: fetched.bytes.slice() };
  }

  /** For parts that together are not what was put. */
  async drop(): Promise<void> {
    await this.#storage.drop(this.object);
  }

  async #fetch(number: number, signal: AbortSignal): Promise<CachedPart> {
    const range = this.#rangeOf(number);
    const { key, version } = this.info;
    const { info, bytes } = await guardedFetch(this.#clock, stallTimeoutMs, signal, async (call, progress) => {
      const body = await this.#driver.get(key, { range, ifMatch: version }, call);
      return { info: body.info, bytes: await wholeOf(body, range.length, version, progress) };
    });
    const part = { object: this.object, number, info, bytes, checksum: crc64Nvme(bytes) };
    await this.#storage.store(part);
    return part;
  }

  #rangeOf(number: number): { readonly offset: number; readonly length: number } {
    const { partBytes } = this.object;
    const offset = number * partBytes;
    return { offset, length: Math.min(partBytes, this.info.size - offset) };
  }
}

async function wholeOf(
  { info, chunks }: DriverBody,
  length: number,
  version: string,
  progress: () => void,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let got = 0;
  for await (const chunk of chunks) {
    if (got + chunk.byteLength > length) throw new StoreError("UNAVAILABLE", "more bytes than were asked for");
    bytes.set(chunk, got);
    got += chunk.byteLength;
    progress();
  }
  if (got < length) throw new StoreError("UNAVAILABLE", `the answer broke off after ${got} of ${length} bytes`);
  if (info.version !== version) throw new StoreError("VERSION_MISMATCH", "the store answered with another version");
  return bytes;
}

/**
 * The object store that every driver gets: what `object-store.ts` promises, out of single requests.
 *
 * Always true:
 *  I1  arguments are checked before a request is sent
 *  I2  every call, body and writer is among the live ones until it is over, and so is the dropping of an upload
 */
import { systemClock } from "../clock.ts";
import { systemRandom } from "../random.ts";
import { copyObject } from "./copy-object.ts";
import { deleteObject, deleteObjects } from "./delete-objects.ts";
import { DriverObjectWriter } from "./driver-object-writer.ts";
import { assertKnownOptions, type CallName } from "./known-options.ts";
import { checkListOptions, listObjects, listUploads, type Request } from "./list-objects.ts";
import { LiveCalls } from "./live-calls.ts";
import { assertKey, assertNewKey, assertPrefix } from "./object-key.ts";
import type { ObjectStoreDriver } from "./object-driver.ts";
import type {
  ByteRange,
  CallOptions,
  CopyOptions,
  DeleteFailure,
  DeleteOptions,
  FileSource,
  GetOptions,
  GetRangesOptions,
  IncompleteUpload,
  ListEntry,
  ListOptions,
  ListUploadsOptions,
  ObjectBody,
  ObjectInfo,
  ObjectStore,
  ObjectWriter,
  ProbeOptions,
  PutOptions,
  PutResult,
  RenameOptions,
  UploadOptions,
} from "./object-store.ts";
import { openBody, type OpenBody } from "./open-body.ts";
import { partBytesFor } from "./part-plan.ts";
import { PlacedStore } from "./placed-store.ts";
import { probeStore } from "./probe.ts";
import type { ProbeReport } from "./probe-report.ts";
import { checkRanges, readGroup, readRanges } from "./read-ranges.ts";
import { checkGetOptions } from "./read-request.ts";
import { renameObject } from "./rename-object.ts";
import { ResumingBody } from "./resuming-body.ts";
import { RetryBudget } from "./retry-budget.ts";
import { assertSource, closeSource } from "./source-items.ts";
import { type CallParts, StoreCall } from "./store-call.ts";
import type { StoreCapabilities } from "./store-capabilities.ts";
import { isStoreError, StoreError } from "./store-error.ts";
import type { StoreParts } from "./store-parts.ts";
import { givenSettings, resolveStoreSettings, type StoreSettings, timeoutMsMax } from "./store-settings.ts";
import { objectInfo } from "./stored-metadata.ts";
import { assertCondition, copyCondition, newPutId, refuse, uploadRequest } from "./write-request.ts";

/** How long the dropping of an upload may take. */
const dropTimeoutMs = 10_000;
/** How often a file is sent again because another write of its key went on at the same moment. */
const conflictRestartsMax = 3;
const fileReadBytes = 256 * 1024;

/** A store over `driver`, which it closes. @throws StoreError `INVALID_ARGUMENT` */
export function createObjectStore(
  driver: ObjectStoreDriver,
  settings: StoreSettings = {},
  parts: StoreParts = {},
): ObjectStore {
  return new PlacedStore(new DriverStore(driver, settings, parts));
}

class DriverStore implements ObjectStore {
  readonly url: string;
  readonly scheme: string;
  readonly capabilities: StoreCapabilities;
  readonly driver: ObjectStoreDriver;
  readonly parts: Required<StoreParts>;
  readonly #parts: CallParts;
  readonly #live: LiveCalls;

  /** @param budget shared with the store that this one is derived from; left out: one of its own */
  constructor(
    driver: ObjectStoreDriver,
    settings: StoreSettings,
    { clock = systemClock, random = systemRandom }: StoreParts,
    budget?: RetryBudget,
  ) {
    const resolved = resolveStoreSettings(settings);
    this.driver = driver;
    this.parts = { clock, random };
    this.url = driver.url;
    this.#live = new LiveCalls(driver.url);
    this.scheme = driver.url.slice(0, driver.url.indexOf(":"));
    this.capabilities = driver.capabilities;
    this.#parts = {
      clock,
      random,
      settings: resolved,
      budget: budget ?? new RetryBudget(resolved.retry.budget),
      url: driver.url,
    };
  }

  derive(driver: ObjectStoreDriver, settings: StoreSettings = {}, parts: StoreParts = {}): ObjectStore {
    const given = givenSettings(settings);
    const budget = settings.retry === undefined ? this.#parts.budget : undefined;
    const all = { ...this.#parts.settings, ...given };
    return new PlacedStore(new DriverStore(driver, all, { ...this.parts, ...parts }, budget));
  }

  async get(key: string, options: GetOptions = {}): Promise<ObjectBody> {
    this.#live.assertOpen("get");
    assertKnownOptions("get", options);
    assertKey(key, "get", this.capabilities.limits.keyBytesMax);
    checkGetOptions(options);
    const { range, ifMatch } = options;
    const call = this.#call("get", key, definedCallOptions(options));
    const request = { ...(range === undefined ? {} : { range }), ...(ifMatch === undefined ? {} : { ifMatch }) };
    const opening = openBody(this.driver, call, key, request).then((answer) => {
      call.disarm();
      return this.#track(call, key, answer);
    });
    opening.catch(() => call.close());
    return this.#live.own(opening);
  }

  #track(call: StoreCall, key: string, answer: OpenBody): ObjectBody {
    const { settings, clock } = this.#parts;
    const body = new ResumingBody(
      {
        driver: this.driver,
        call,
        key,
        clock,
        stallTimeoutMs: settings.stallTimeoutMs,
        attemptsMax: settings.retry.attemptsMax,
        onEnd: () => this.#live.delete(entry),
      },
      answer,
    );
    const entry = { end: () => body.cancel() };
    this.#live.add(entry);
    return body;
  }

  async getRanges(key: string, ranges: readonly ByteRange[], options: GetRangesOptions = {}): Promise<Uint8Array[]> {
    assertKey(key, "getRanges", this.capabilities.limits.keyBytesMax);
    checkRanges(ranges, options);
    return this.#run("getRanges", key, options, (call) =>
      readRanges(ranges, options, this.#parts.settings.concurrency, (range, ifMatch) =>
        readGroup(this.driver, call, key, range, ifMatch),
      ),
    );
  }

  async head(key: string, options: CallOptions = {}): Promise<ObjectInfo | undefined> {
    assertKey(key, "head", this.capabilities.limits.keyBytesMax);
    return this.#run("head", key, options, async (call) => {
      const found = await call.request("head", (driverCall) => this.driver.head(key, driverCall));
      return found === undefined ? undefined : objectInfo(found);
    });
  }

  async put(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<PutResult> {
    if (!(bytes instanceof Uint8Array)) refuse("put", ["bytes: want a Uint8Array"]);
    return this.#upload("put", key, options, bytes.byteLength, (writer) => writer.writeBorrowed(bytes));
  }

  async putStream(
    key: string,
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    options: UploadOptions = {},
  ): Promise<PutResult> {
    assertSource("putStream", "source", source);
    let isBegun = false;
    try {
      return await this.#upload("putStream", key, options, undefined, (writer) => {
        isBegun = true;
        return writer.writeAll(source);
      });
    } catch (error) {
      if (!isBegun) closeSource(source);
      throw error;
    }
  }

  async putFile(key: string, { fileSystem, path }: FileSource, options: UploadOptions = {}): Promise<PutResult> {
    for (let restart = 0; ; restart++) {
      const handle = await fileSystem.openFile(path);
      try {
        const size = await handle.size();
        return await this.#upload("putFile", key, options, size, async (writer) => {
          const buffer = new Uint8Array(fileReadBytes);
          for (let at = 0; at < size; ) {
            const got = await handle.readAt(at, buffer.subarray(0, Math.min(fileReadBytes, size - at)));
            if (got === 0) throw new StoreError("IO", `putFile: ${path} became shorter while it was read`, { key });
            await writer.write(buffer.subarray(0, got));
            at += got;
          }
        });
      } catch (error) {
        // When an attempt may have stored it, another upload would take that for somebody else's object.
        const isConflict = isStoreError(error) && error.code === "CONFLICT" && error.outcome === "none";
        if (!isConflict || restart === conflictRestartsMax) throw error;
      } finally {
        await handle.close();
      }
    }
  }

  createWriter(key: string, options: UploadOptions = {}): ObjectWriter {
    return this.#writer("createWriter", key, options, undefined);
  }

  async copy(from: string, to: string, options: CopyOptions = {}): Promise<PutResult> {
    assertKey(from, "copy", this.capabilities.limits.keyBytesMax);
    assertNewKey(to, "copy");
    assertKey(to, "copy", this.capabilities.limits.keyBytesMax);
    const condition = copyCondition("copy", options, this.capabilities.copyIfAbsent);
    return this.#run("copy", to, options, (call) =>
      copyObject(this.driver, call, {
        from,
        to,
        condition,
        ifSourceMatch: options.ifSourceMatch,
        putId: options.putId ?? newPutId(this.#parts.random),
        concurrency: this.capabilities.parallelParts ? this.#parts.settings.concurrency : 1,
        drop: (uploadId, isUrgent) => this.#drop(to, uploadId, isUrgent),
      }),
    );
  }

  async rename(from: string, to: string, options: RenameOptions = {}): Promise<void> {
    assertKey(from, "rename", this.capabilities.limits.keyBytesMax);
    assertNewKey(to, "rename");
    assertKey(to, "rename", this.capabilities.limits.keyBytesMax);
    if (!this.capabilities.rename || this.driver.rename === undefined) {
      throw new StoreError("UNSUPPORTED", "rename: this store has none; copy and delete, or put under the final key", {
        operation: "rename",
        store: this.url,
        key: from,
      });
    }
    const ifAbsent = options.ifAbsent === true;
    await this.#run("rename", to, options, (call) => renameObject(this.driver, call, from, to, ifAbsent));
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<void> {
    assertKey(key, "delete", this.capabilities.limits.keyBytesMax);
    const { ifMatch } = options;
    if (ifMatch !== undefined && (typeof ifMatch !== "string" || ifMatch === "")) {
      refuse("delete", ["ifMatch: want a version that the store gave"]);
    }
    assertCondition(
      "delete",
      { ...(ifMatch === undefined ? {} : { ifMatch }) },
      {
        ifAbsent: false,
        ifMatch: this.capabilities.deleteIfMatch,
      },
    );
    return this.#run("delete", key, options, (call) => deleteObject(this.driver, call, key, ifMatch));
  }

  async deleteMany(
    keys: Iterable<string> | AsyncIterable<string>,
    options: CallOptions = {},
  ): Promise<DeleteFailure[]> {
    assertSource("deleteMany", "keys", keys);
    assertKnownOptions("deleteMany", options);
    const unhurried = { timeoutMs: Number.POSITIVE_INFINITY, ...options };
    return this.#run("deleteMany", undefined, unhurried, (call) =>
      deleteObjects(this.driver, call, keys, this.#parts.settings.concurrency),
    );
  }

  list(options: ListOptions = {}): AsyncIterable<ListEntry> {
    this.#live.assertOpen("list");
    assertKnownOptions("list", options);
    assertPrefix(options.prefix ?? "", "list");
    checkListOptions(options);
    return listObjects(this.driver, options, this.#pages("list", options));
  }

  listIncompleteUploads(options: ListUploadsOptions = {}): AsyncIterable<IncompleteUpload> {
    this.#live.assertOpen("listIncompleteUploads");
    assertKnownOptions("listIncompleteUploads", options);
    assertPrefix(options.prefix ?? "", "listIncompleteUploads");
    if (!this.capabilities.listUploads) {
      throw new StoreError("UNSUPPORTED", "listIncompleteUploads: this store does not tell", {
        operation: "listIncompleteUploads",
        store: this.url,
      });
    }
    return listUploads(this.driver, options.prefix ?? "", this.#pages("listIncompleteUploads", options));
  }

  async abortIncompleteUpload(
    { key, uploadId }: Pick<IncompleteUpload, "key" | "uploadId">,
    options: CallOptions = {},
  ): Promise<void> {
    assertKey(key, "abortIncompleteUpload", this.capabilities.limits.keyBytesMax);
    if (!this.capabilities.abortUploads) {
      throw new StoreError(
        "UNSUPPORTED",
        "abortIncompleteUpload: the store forgets uploads by itself, after some days",
        {
          operation: "abortIncompleteUpload",
          store: this.url,
          key,
        },
      );
    }
    return this.#run("abortIncompleteUpload", key, options, (call) =>
      call.request("abortUpload", (driverCall) => this.driver.abortUpload(key, uploadId, driverCall)),
    );
  }

  async probe(options: ProbeOptions = {}): Promise<ProbeReport> {
    this.#live.assertOpen("probe");
    assertKnownOptions("probe", options);
    return probeStore(this, this.#parts.random, options);
  }

  close(): Promise<void> {
    return this.#live.close(() => this.driver.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Bytes of known or unknown number, through a writer. */
  async #upload(
    operation: CallName,
    key: string,
    options: UploadOptions,
    totalBytes: number | undefined,
    fill: (writer: DriverObjectWriter) => Promise<void>,
  ): Promise<PutResult> {
    const writer = this.#writer(operation, key, options, totalBytes);
    const running = (async (): Promise<PutResult> => {
      try {
        await fill(writer);
        return await writer.commit();
      } finally {
        await writer.abort();
      }
    })();
    return this.#live.own(running);
  }

  #writer(
    operation: CallName,
    key: string,
    options: UploadOptions,
    totalBytes: number | undefined,
  ): DriverObjectWriter {
    this.#live.assertOpen(operation);
    assertKnownOptions(operation, options);
    assertNewKey(key, operation);
    const { limits } = this.capabilities;
    assertKey(key, operation, limits.keyBytesMax);
    const { settings, random } = this.#parts;
    const request = uploadRequest(operation, options, this.capabilities, random, settings);
    const partBytes = totalBytes === undefined ? undefined : partBytesFor(totalBytes, request.partBytes, limits);
    const call = this.#call(operation, key, {
      // Each request has its deadline; how long the source takes is the caller's affair.
      timeoutMs: totalBytes === undefined ? Number.POSITIVE_INFINITY : this.#transferTimeoutMs(totalBytes),
      ...definedCallOptions(options),
    });
    const writer: DriverObjectWriter = new DriverObjectWriter({
      driver: this.driver,
      call,
      key,
      request,
      onProgress: options.onProgress,
      totalBytes,
      partBytes,
      drop: (uploadId, isUrgent) => this.#drop(key, uploadId, isUrgent),
      onEnd: () => this.#live.delete(entry),
    });
    const entry = { end: () => writer.abort() };
    this.#live.add(entry);
    return writer;
  }

  #transferTimeoutMs(bytes: number): number {
    const { callTimeoutMs, bytesPerSecondMin } = this.#parts.settings;
    return Math.min(timeoutMsMax, Math.ceil(callTimeoutMs + (bytes / bytesPerSecondMin) * 1000));
  }

  /** Tells the store to forget an upload. An urgent caller, whose time is up, does not wait for it, but `close` does. */
  async #drop(key: string, uploadId: string, isUrgent: boolean): Promise<void> {
    if (!this.capabilities.abortUploads) return;
    const call = this.#call("abortUpload", key, { timeoutMs: dropTimeoutMs });
    const dropping = call
      .request("abortUpload", (driverCall) => this.driver.abortUpload(key, uploadId, driverCall))
      // What is left is found by `listIncompleteUploads`.
      .catch(() => {})
      .finally(() => call.close());
    const owned = this.#live.own(dropping);
    if (!isUrgent) await owned;
  }

  /** Each page is a call of its own: a listing lasts as long as its reader takes. */
  #pages(operation: CallName, options: CallOptions): Request {
    return (name, send) => this.#run(operation, undefined, options, (call) => call.request(name, send));
  }

  async #run<T>(
    operation: CallName,
    key: string | undefined,
    options: CallOptions,
    work: (call: StoreCall) => Promise<T>,
  ): Promise<T> {
    this.#live.assertOpen(operation);
    assertKnownOptions(operation, options);
    const call = this.#call(operation, key, definedCallOptions(options));
    return this.#live.own(work(call).finally(() => call.close()));
  }

  #call(operation: string, key: string | undefined, options: CallOptions): StoreCall {
    return new StoreCall(this.#parts, operation, key, options);
  }
}

function definedCallOptions({ signal, timeoutMs }: CallOptions): CallOptions {
  return { ...(signal === undefined ? {} : { signal }), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
}

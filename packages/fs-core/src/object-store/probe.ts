/**
 * Races writes on scratch keys, because many servers that speak a cloud's protocol take its conditions and ignore them:
 * every owner of a lock wins then, and nobody notices. What a store truly does is seen only by asking for what it must refuse.
 */
import { crc64Nvme } from "../checksum/crc64-nvme.ts";
import { untilAborted } from "../kit/until-aborted.ts";
import type { Random } from "../random.ts";
import type { DriverCall } from "./object-driver.ts";
import type { ObjectStore, ProbeOptions, PutResult, WriteCondition } from "./object-store.ts";
import type { ProbeReport, ProbeVerdict } from "./probe-report.ts";
import { isStoreError, StoreError } from "./store-error.ts";
import { storedMetadata } from "./stored-metadata.ts";
import { newPutId, uploadSupport } from "./write-request.ts";

const racers = 5;
/** Of a request that goes straight to the driver: no store above it gives it a deadline. */
const requestTimeoutMs = 15_000;
const cleanTimeoutMs = 30_000;

/** @throws StoreError when the store cannot be written or read at all */
export async function probeStore(store: ObjectStore, random: Random, options: ProbeOptions): Promise<ProbeReport> {
  const { prefix = "varve-probe/", ...call } = options;
  const probe = new Probe(store, `${prefix}${newPutId(random)}`, random, call);
  try {
    return await probe.run();
  } finally {
    await probe.clean();
  }
}

/** Completes an upload that has its only part. */
type Complete = () => Promise<Pick<PutResult, "putId">>;

class Probe {
  readonly #store: ObjectStore;
  readonly #folder: string;
  readonly #call: Omit<ProbeOptions, "prefix">;
  readonly #random: Random;
  readonly #keys = new Set<string>();
  /** Keys of uploads that were begun and not completed, by their ids. */
  readonly #uploads = new Map<string, string>();
  readonly #notes: string[] = [];

  constructor(store: ObjectStore, folder: string, random: Random, call: Omit<ProbeOptions, "prefix">) {
    this.#store = store;
    this.#random = random;
    this.#folder = folder;
    this.#call = call;
  }

  async run(): Promise<ProbeReport> {
    const metadata = await this.#metadata();
    const verdicts = {
      putIfAbsent: await this.#verdict("put with ifAbsent", "putIfAbsent", () => this.#putIfAbsent()),
      completeIfAbsent: await this.#verdict("an upload with ifAbsent", "completeIfAbsent", () =>
        this.#completeIfAbsent(),
      ),
      copyIfAbsent: await this.#verdict("copy with ifAbsent", "copyIfAbsent", () => this.#copyIfAbsent()),
      putIfMatch: await this.#verdict("put with ifMatch", "putIfMatch", () => this.#putIfMatch()),
      completeIfMatch: await this.#verdict("an upload with ifMatch", "completeIfMatch", () => this.#completeIfMatch()),
      deleteIfMatch: await this.#verdict("delete with ifMatch", "deleteIfMatch", () => this.#deleteIfMatch()),
      checksum:
        this.#store.capabilities.checksum === "none"
          ? ("unsupported" as const)
          : await this.#guarded("put with a checksum that does not fit", () => this.#checksum()),
    };
    return {
      store: this.#store.url,
      ...verdicts,
      metadata,
      notes: this.#notes,
      mode: verdicts.putIfAbsent === "enforced" && metadata === "kept" ? "fenced" : "single-writer",
    };
  }

  /** What can be deleted, is; what a store keeps is scratch. */
  async clean(): Promise<void> {
    const call = { timeoutMs: cleanTimeoutMs };
    const dropping = [...this.#uploads].map(async ([uploadId, key]) => {
      if (this.#store.capabilities.abortUploads) await this.#store.abortIncompleteUpload({ key, uploadId }, call);
    });
    await Promise.allSettled([...dropping, this.#store.deleteMany(this.#keys, call)]);
  }

  #key(name: string): string {
    const key = `${this.#folder}/${name}`;
    this.#keys.add(key);
    return key;
  }

  async #verdict(
    what: string,
    capability:
      | "putIfAbsent"
      | "completeIfAbsent"
      | "copyIfAbsent"
      | "putIfMatch"
      | "completeIfMatch"
      | "deleteIfMatch",
    ask: () => Promise<boolean>,
  ): Promise<ProbeVerdict> {
    const { capabilities } = this.#store;
    const isOffered = capability === "completeIfMatch" ? uploadSupport(capabilities).ifMatch : capabilities[capability];
    if (!isOffered) return "unsupported";
    return this.#guarded(what, ask);
  }

  async #guarded(what: string, ask: () => Promise<boolean>): Promise<ProbeVerdict> {
    try {
      if (await ask()) return "enforced";
      this.#notes.push(`${what}: the store took it and did not keep it`);
      return "ignored";
    } catch (error) {
      if (isStoreError(error) && (error.code === "ABORTED" || error.code === "CLOSED")) throw error;
      this.#notes.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      return "refused";
    }
  }

  /** The first request of all: a store that cannot be written or read is no store. */
  async #metadata(): Promise<"kept" | "lost"> {
    const key = this.#key("metadata");
    const bytes = bytesOf("metadata");
    const { putId } = await this.#store.put(key, bytes, { metadata: { probe: "é %" }, ...this.#call });
    const found = await this.#store.head(key, this.#call);
    if (found === undefined) {
      throw new StoreError("IO", `probe: an object that was put is not there on ${this.#store.url}`, { key });
    }
    const isKept = found.putId === putId && found.metadata["probe"] === "é %" && found.checksum === crc64Nvme(bytes);
    if (isKept) return "kept";
    this.#notes.push("metadata: what was put with an object did not come back with it");
    return "lost";
  }

  async #putIfAbsent(): Promise<boolean> {
    const key = this.#key("put-if-absent");
    const results = await this.#race((bytes) => this.#store.put(key, bytes, { ifAbsent: true, ...this.#call }));
    if (!(await this.#oneWon(key, results))) return false;
    // Once more, when nobody races: some check only against writes under way.
    return this.#refuses(() => this.#store.put(key, bytesOf("late"), { ifAbsent: true, ...this.#call }));
  }

  /** Small uploads, both begun before either is completed. Straight to the driver: a store would not send one part. */
  async #completeIfAbsent(): Promise<boolean> {
    const begin = async (key: string): Promise<readonly [Complete, Complete]> => [
      await this.#beginPart(key, "first", { ifAbsent: true }),
      await this.#beginPart(key, "second", { ifAbsent: true }),
    ];
    // One after the other first: in a race, what was overwritten at once may look as if it had been refused.
    const [first, second] = await begin(this.#key("complete-if-absent"));
    const [created] = await Promise.allSettled([first()]);
    const isRefused = await this.#refuses(second);
    if (created.status === "rejected") throw created.reason;
    if (!isRefused) return false;
    const raced = this.#key("complete-if-absent-race");
    const results = await Promise.allSettled((await begin(raced)).map((complete) => complete()));
    return this.#oneWon(raced, results);
  }

  async #beginPart(key: string, text: string, condition: WriteCondition): Promise<Complete> {
    const { driver } = this.#store;
    const bytes = bytesOf(text);
    const checksum = crc64Nvme(bytes);
    const putId = newPutId(this.#random);
    const put = {
      ...condition,
      metadata: storedMetadata({}, putId, checksum),
      contentType: "application/octet-stream",
      checksum,
    };
    const uploadId = await this.#direct(async (call) => {
      const begun = await driver.beginUpload(key, put, call);
      this.#uploads.set(begun, key);
      return begun;
    });
    const only = { number: 1, offset: 0, bytes, checksum, isLast: true };
    const part = await this.#direct((call) => driver.uploadPart(key, uploadId, only, call));
    const complete = { ...put, size: bytes.byteLength };
    return async () => {
      await this.#direct((call) => driver.completeUpload(key, uploadId, [part], complete, call));
      this.#uploads.delete(uploadId);
      return { putId };
    };
  }

  async #direct<T>(send: (call: DriverCall) => Promise<T>): Promise<T> {
    const { signal, timeoutMs = requestTimeoutMs } = this.#call;
    const stop = new AbortController();
    const end = (code: "ABORTED" | "TIMEOUT", problem: string): void => {
      const context = { operation: "probe", store: this.#store.url, outcome: "unknown" } as const;
      stop.abort(new StoreError(code, `probe on ${this.#store.url}: ${problem}`, context));
    };
    const onAbort = (): void => end("ABORTED", "the caller's signal fired");
    const waitMs = Math.min(timeoutMs, requestTimeoutMs);
    const timer = this.#store.parts.clock.after(waitMs, () => end("TIMEOUT", `no answer within ${waitMs} ms`), {
      background: true,
    });
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      if (signal?.aborted === true) onAbort();
      stop.signal.throwIfAborted();
      return await untilAborted(send({ signal: stop.signal }), stop.signal);
    } finally {
      timer.cancel();
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async #copyIfAbsent(): Promise<boolean> {
    const from = this.#key("copy-source");
    const to = this.#key("copy-if-absent");
    await this.#store.put(from, bytesOf("source"), this.#call);
    const results = await this.#race(() => this.#store.copy(from, to, { ifAbsent: true, ...this.#call }));
    if (!(await this.#oneWon(to, results))) return false;
    return this.#refuses(() => this.#store.copy(from, to, { ifAbsent: true, ...this.#call }));
  }

  async #putIfMatch(): Promise<boolean> {
    const key = this.#key("put-if-match");
    const { version } = await this.#store.put(key, bytesOf("first"), this.#call);
    const results = await this.#race((bytes) => this.#store.put(key, bytes, { ifMatch: version, ...this.#call }));
    if (!(await this.#oneWon(key, results))) return false;
    return this.#refuses(() => this.#store.put(key, bytesOf("stale"), { ifMatch: version, ...this.#call }));
  }

  async #completeIfMatch(): Promise<boolean> {
    const key = this.#key("complete-if-match");
    const { version } = await this.#store.put(key, bytesOf("first"), this.#call);
    const second = await this.#store.put(key, bytesOf("second"), this.#call);
    const stale = await this.#beginPart(key, "stale", { ifMatch: version });
    if (!(await this.#refuses(stale))) return false;
    const fresh = await this.#beginPart(key, "fresh", { ifMatch: second.version });
    const { putId } = await fresh();
    return (await this.#store.head(key, this.#call))?.putId === putId;
  }

  async #deleteIfMatch(): Promise<boolean> {
    const key = this.#key("delete-if-match");
    const { version } = await this.#store.put(key, bytesOf("first"), this.#call);
    const second = await this.#store.put(key, bytesOf("second"), this.#call);
    if (!(await this.#refuses(() => this.#store.delete(key, { ifMatch: version, ...this.#call })))) return false;
    await this.#store.delete(key, { ifMatch: second.version, ...this.#call });
    return true;
  }

  async #checksum(): Promise<boolean> {
    const key = this.#key("checksum");
    const bytes = bytesOf("bytes");
    const put = {
      metadata: {},
      contentType: "application/octet-stream",
      // Straight to the driver: the store above would see the mistake itself.
      checksum: crc64Nvme(bytes) ^ 1n,
    };
    try {
      await this.#direct((call) => this.#store.driver.put(key, bytes, put, call));
      return false;
    } catch (error) {
      if (isStoreError(error) && error.code === "CORRUPT") return true;
      throw error;
    }
  }

  #race(write: (bytes: Uint8Array) => Promise<PutResult>): Promise<PromiseSettledResult<PutResult>[]> {
    return Promise.allSettled(Array.from({ length: racers }, (_, index) => write(bytesOf(`racer ${index}`))));
  }

  /** Whether exactly one resolved, and what is stored is its. @throws StoreError when all were refused, or one may have won */
  async #oneWon(key: string, results: readonly PromiseSettledResult<Pick<PutResult, "putId">>[]): Promise<boolean> {
    const winners = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    const refusals = results.flatMap((result) => (result.status === "rejected" ? [result.reason as Error] : []));
    // It may have won too.
    const untold = refusals.find((error) => !isRefusal(error) && !(isStoreError(error) && error.outcome === "none"));
    if (untold !== undefined && winners.length < 2) throw untold;
    // The condition held, for one of them at least.
    if (winners.length === 0) throw refusals.find((error) => !isRefusal(error)) ?? refusals[0];
    if (winners.length !== 1) return false;
    const found = await this.#store.head(key, this.#call);
    return found?.putId === winners[0]?.putId;
  }

  async #refuses(write: () => Promise<unknown>): Promise<boolean> {
    try {
      await write();
      return false;
    } catch (error) {
      if (isRefusal(error)) return true;
      throw error;
    }
  }
}

function isRefusal(error: unknown): boolean {
  return isStoreError(error) && ["ALREADY_EXISTS", "VERSION_MISMATCH", "CONFLICT"].includes(error.code);
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

// Goal: the same bytes as without a cache, of the version that is there now, with fewer requests; never a damaged byte; each
// part fetched once however many want it.
// Method: requests counted by a faulty driver over a store in memory; random reads and writes against a model; files damaged
// and disks failing under it; readers that leave.
import { describe, expect, test, vi } from "vitest";
import { type Clock, systemClock } from "../../clock.ts";
import { MemoryFileSystem } from "../../file-system/memory-file-system.ts";
import { FaultyDriver, type FaultChoice } from "../../testing/faulty-driver.ts";
import { FaultyFileSystem } from "../../testing/faulty-file-system.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { SeededRandom } from "../../testing/seeded-random.ts";
import { createObjectStore } from "../driver-store.ts";
import { MemoryDriver } from "../memory-driver.ts";
import type { ObjectStore } from "../object-store.ts";
import { LocalCacheStorage } from "./local-cache-storage.ts";
import { type CachedObjectStore, type CacheOptions, withCache } from "./with-cache.ts";

const storeId = "0123456789abcdef".repeat(2);
const partBytes = 4096;

interface Cached {
  readonly store: CachedObjectStore;
  readonly cache: LocalCacheStorage;
  /** The same objects, past the cache. */
  readonly plain: ObjectStore;
  readonly driver: FaultyDriver;
  readonly files: FaultyFileSystem;
  /** Takes the requests since the last call. */
  readonly requests: () => string[];
}

async function cached(choose: FaultChoice = () => undefined, options: Partial<CacheOptions> = {}): Promise<Cached> {
  const memory = new MemoryDriver();
  const driver = new FaultyDriver(memory, choose);
  const files = new FaultyFileSystem(new MemoryFileSystem());
  const cache = await LocalCacheStorage.open({ fileSystem: files, maxBytes: 2 ** 20, partBytes });
  const plain = createObjectStore(memory);
  const store = withCache(createObjectStore(driver, { retry: { baseDelayMs: 0 } }), cache, { storeId, ...options });
  return { store, cache, plain, driver, files, requests: () => driver.requests.splice(0) };
}

function pattern(length: number, seed = 1): Uint8Array {
  return new SeededRandom(seed).fill(new Uint8Array(length));
}

async function bytesOf(store: ObjectStore, key: string, ifMatch?: string): Promise<Uint8Array> {
  return (await store.get(key, ifMatch === undefined ? {} : { ifMatch })).bytes();
}

function assertSame(actual: Uint8Array, expected: Uint8Array): void {
  expect(actual.byteLength).toBe(expected.byteLength);
  expect(Buffer.compare(actual, expected)).toBe(0);
}

/** Changes one byte in every cached file. */
async function damage(files: FaultyFileSystem): Promise<void> {
  for (const folder of await files.list("parts")) {
    for (const { name } of await files.list(`parts/${folder.name}`)) {
      const handle = await files.openFileMut(`parts/${folder.name}/${name}`);
      const [byte] = await handle.readView(10, 1);
      await handle.writeAt(10, new Uint8Array([(byte as number) ^ 1]));
      await handle.close();
    }
  }
}

/** Its bodies do not come while `isHanging`. */
class Hanging extends MemoryDriver {
  isHanging = true;
  heads = 0;
  readonly signals: AbortSignal[] = [];

  override async head(...given: Parameters<MemoryDriver["head"]>): ReturnType<MemoryDriver["head"]> {
    this.heads++;
    return super.head(...given);
  }

  override async get(...given: Parameters<MemoryDriver["get"]>): ReturnType<MemoryDriver["get"]> {
    const { signal } = given[2];
    this.signals.push(signal);
    if (!this.isHanging) return super.get(...given);
    return new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true });
    });
  }
}

async function over(driver: MemoryDriver, clock: Clock = systemClock): Promise<CachedObjectStore> {
  const cache = await LocalCacheStorage.open({ fileSystem: new MemoryFileSystem(), maxBytes: 2 ** 20, partBytes });
  return withCache(createObjectStore(driver, {}, { clock }), cache, { storeId });
}

describe("withCache", () => {
  test("the second read asks for the version only, one that names it asks nothing", async () => {
    const { store, cache, requests } = await cached();
    const bytes = pattern(10_000);
    const { version } = await store.put("a", bytes);
    requests();
    assertSame(await bytesOf(store, "a"), bytes);
    expect(requests()).toEqual(["head", "get", "get", "get"]);
    assertSame(await bytesOf(store, "a"), bytes);
    expect(requests()).toEqual(["head"]);
    assertSame(await bytesOf(store, "a", version), bytes);
    const [middle, end] = await store.getRanges(
      "a",
      [
        { offset: 4000, length: 200 },
        { offset: 9990, length: 10 },
      ],
      {
        ifMatch: version,
      },
    );
    assertSame(middle as Uint8Array, bytes.subarray(4000, 4200));
    assertSame(end as Uint8Array, bytes.subarray(9990));
    expect(requests()).toEqual([]);
    expect(cache.metrics()).toMatchObject({ misses: 3, parts: 3, storedBytes: 10_000, corrupt: 0, failures: 0 });
  });

  test("another process finds the parts, and what the store said of the object", async () => {
    const { store, cache, plain, driver, files } = await cached();
    const bytes = pattern(5000);
    const { version } = await store.put("a", bytes, { metadata: { note: "ä" }, contentType: "text/plain" });
    const first = await store.get("a");
    assertSame(await first.bytes(), bytes);
    await cache.close();
    const again = await LocalCacheStorage.open({ fileSystem: files, maxBytes: 2 ** 20, partBytes });
    driver.requests.length = 0;
    const later = withCache(createObjectStore(driver), again, { storeId });
    const body = await later.get("a", { ifMatch: version, range: { suffixLength: 10 } });
    expect(body.info).toEqual(first.info);
    expect(body.info).toEqual(await plain.head("a"));
    assertSame(await body.bytes(), bytes.subarray(4990));
    expect(driver.requests).toEqual([]);
    await expect(bytesOf(later, "a", "other")).rejects.toMatchObject({ code: "VERSION_MISMATCH" });
    await later.close();
    await again.close();
  });

  test("a range fetches its parts and no others", async () => {
    const { store, requests } = await cached();
    const bytes = pattern(20_000);
    await store.put("a", bytes);
    requests();
    const body = await store.get("a", { range: { offset: 5000, length: 4000 } });
    expect(body.range).toEqual({ offset: 5000, length: 4000 });
    assertSame(await body.bytes(), bytes.subarray(5000, 9000));
    expect(requests()).toEqual(["head", "get", "get"]);
    await expect(store.get("a", { range: { offset: 20_000 } })).rejects.toMatchObject({ code: "INVALID_RANGE" });
  });

  test("what others replaced or deleted is noticed by a read that names no version", async () => {
    const { store, plain, requests } = await cached();
    await store.put("a", pattern(5000, 1));
    await bytesOf(store, "a");
    await plain.put("a", pattern(6000, 2));
    assertSame(await bytesOf(store, "a"), pattern(6000, 2));
    await plain.delete("a");
    requests();
    await expect(bytesOf(store, "a")).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(requests()).toEqual(["head"]);
  });

  test("what was changed through it is dropped", async () => {
    const { store, cache } = await cached();
    const changes: Readonly<Record<string, () => Promise<unknown>>> = {
      put: () => store.put("a", pattern(10)),
      upload: () => store.putStream("a", [pattern(3000)], { partBytes: 1000 }),
      copy: () => store.copy("b", "a"),
      renameTo: () => store.rename("b", "a"),
      renameFrom: () => store.rename("a", "c"),
      delete: () => store.delete("a"),
      deleteMany: () => store.deleteMany(["a", "x"]),
    };
    for (const [name, change] of Object.entries(changes)) {
      const { version } = await store.put("a", pattern(5000));
      await store.put("b", pattern(1));
      await bytesOf(store, "a");
      expect(cache.metrics().parts, name).toBe(2);
      await change();
      expect(cache.metrics().parts, name).toBe(0);
      await expect(bytesOf(store, "a", version), name).rejects.toMatchObject({
        code: expect.stringMatching(/VERSION_MISMATCH|NOT_FOUND/) as string,
      });
    }
  });

  test("an object that is replaced between the two requests is read anew", async () => {
    let replace: (() => Promise<unknown>) | undefined;
    class Replaced extends MemoryDriver {
      override async get(...given: Parameters<MemoryDriver["get"]>): ReturnType<MemoryDriver["get"]> {
        const now = replace;
        replace = undefined;
        await now?.();
        return super.get(...given);
      }
    }
    const driver = new Replaced();
    const plain = createObjectStore(driver);
    const cache = await LocalCacheStorage.open({ fileSystem: new MemoryFileSystem(), maxBytes: 2 ** 20, partBytes });
    const store = withCache(createObjectStore(driver), cache, { storeId });
    await plain.put("a", pattern(9000, 1));
    replace = () => plain.put("a", pattern(7000, 2));
    assertSame(await bytesOf(store, "a"), pattern(7000, 2));
    const { version } = (await plain.head("a")) as { version: string };
    await plain.put("a", pattern(8000, 3));
    // Cached, and right for ever: the caller named it.
    assertSame(await bytesOf(store, "a", version), pattern(7000, 2));
    assertSame(await bytesOf(store, "a"), pattern(8000, 3));
  });

  test("of many that miss one part, one fetches", async () => {
    const { store, requests } = await cached();
    const bytes = pattern(4000);
    await store.put("a", bytes);
    requests();
    const all = await Promise.all(Array.from({ length: 20 }, () => bytesOf(store, "a")));
    for (const one of all) assertSame(one, bytes);
    assertSame(await bytesOf(store, "a"), bytes);
    expect(requests().filter((name) => name === "get")).toHaveLength(1);
  });

  test("chunks are the reader's own, though the fetch was shared", async () => {
    const { store, requests } = await cached();
    const bytes = pattern(4000);
    await store.put("a", bytes);
    requests();
    const [one, two] = await Promise.all([store.get("a"), store.get("a")]);
    expect(requests()).toEqual(["head", "head", "get"]);
    for await (const chunk of one) chunk.fill(0);
    // Not `bytes()`, which reads again when the checksum is wrong.
    for await (const chunk of two) assertSame(chunk, bytes);
    assertSame(await bytesOf(store, "a"), bytes);
  });

  test("who leaves does not take the fetch from the others; when all have left it is stopped", async () => {
    const driver = new Hanging();
    const store = await over(driver);
    await store.put("a", pattern(4000));
    const [one, two] = [new AbortController(), new AbortController()] as const;
    const first = store.get("a", { signal: one.signal });
    const second = store.get("a", { signal: two.signal });
    await vi.waitFor(() => expect(driver.heads).toBe(2));
    await vi.waitFor(() => expect(driver.signals).toHaveLength(1));
    one.abort();
    await expect(first).rejects.toMatchObject({ code: "ABORTED" });
    expect(driver.signals.map(({ aborted }) => aborted)).toEqual([false]);
    two.abort();
    await expect(second).rejects.toMatchObject({ code: "ABORTED" });
    await vi.waitFor(() => expect(driver.signals.map(({ aborted }) => aborted)).toEqual([true]));
    driver.isHanging = false;
    assertSame(await bytesOf(store, "a"), pattern(4000));
    expect(driver.signals).toHaveLength(2);
    await store.close();
  });

  test("a fetch that hangs is given up though new readers go on joining it", async () => {
    const clock = new ManualClock();
    const driver = new Hanging({ clock });
    const store = await over(driver, clock);
    await store.put("a", pattern(4000));
    const reads = [store.get("a", { timeoutMs: 200_000 })];
    for (let second = 0; second < 14; second++) {
      await clock.advanceAsync(1000);
      reads.push(store.get("a", { timeoutMs: 200_000 }));
    }
    expect(driver.signals).toHaveLength(1);
    driver.isHanging = false;
    await clock.advanceAsync(1000);
    await clock.advanceAsync(10_000);
    for (const body of await Promise.all(reads)) {
      const bytes = body.bytes();
      await clock.advanceAsync(0);
      assertSame(await bytes, pattern(4000));
    }
    expect(driver.signals[0]?.aborted).toBe(true);
    expect(clock.pendingTimers).toBe(0);
    await store.close();
  });

  test("a damaged file is fetched again, and the read is right", async () => {
    const { store, cache, files, requests } = await cached();
    const bytes = pattern(9000);
    await store.put("a", bytes);
    await bytesOf(store, "a");
    await damage(files);
    requests();
    assertSame(await bytesOf(store, "a"), bytes);
    expect(requests()).toEqual(["head", "get", "get", "get"]);
    expect(cache.metrics()).toMatchObject({ corrupt: 3, parts: 3 });
    assertSame(await bytesOf(store, "a"), bytes);
    expect(requests()).toEqual(["head"]);
  });

  test("bytes that were changed on the way are noticed with the whole object, and not kept", async () => {
    let isGarbling = true;
    const { store, requests, cache } = await cached((operation) =>
      operation === "get" && isGarbling ? { kind: "garble-body" } : undefined,
    );
    const bytes = pattern(9000);
    await store.put("a", bytes);
    const body = await store.get("a");
    const read = async (): Promise<void> => {
      for await (const _chunk of body);
    };
    await expect(read()).rejects.toMatchObject({ code: "CORRUPT" });
    expect(cache.metrics().parts).toBe(0);
    isGarbling = false;
    requests();
    assertSame(await bytesOf(store, "a"), bytes);
    expect(requests()).toEqual(["head", "get", "get", "get"]);
  });

  test("answers that break are fetched again", async () => {
    for (const how of ["error", "end"] as const) {
      let faults = 2;
      const { store } = await cached((operation) =>
        operation === "get" && faults-- > 0 ? { kind: "cut-body", bytes: 100, how } : undefined,
      );
      await store.put("a", pattern(9000));
      assertSame(await bytesOf(store, "a"), pattern(9000));
      expect(faults).toBeLessThan(0);
    }
  });

  test("a disk that fails costs requests, no read", async () => {
    const { store, files, cache } = await cached();
    await store.put("a", pattern(9000));
    await bytesOf(store, "a");
    for (const operation of ["openFile", "readAll", "createFile", "writeAt", "rename"] as const) {
      const rule = files.plan.add({ operation, fault: { kind: "error", errno: "EIO" } });
      assertSame(await bytesOf(store, "a"), pattern(9000));
      assertSame(await bytesOf(store, "a"), pattern(9000));
      rule.remove();
    }
    expect(cache.metrics().failures).toBeGreaterThan(4);
    await cache.close();
    assertSame(await bytesOf(store, "a"), pattern(9000));
  });

  test("what is not admitted is read past the cache", async () => {
    const asked: [string, number][] = [];
    const { store, cache, requests } = await cached(undefined, {
      admit: (key, info) => {
        asked.push([key, info.size]);
        return key.endsWith(".segment");
      },
    });
    await store.put("a.json", pattern(5000));
    await store.put("a.segment", pattern(5000));
    requests();
    assertSame(await bytesOf(store, "a.json"), pattern(5000));
    expect(requests()).toEqual(["head", "get"]);
    expect(cache.metrics().parts).toBe(0);
    await bytesOf(store, "a.segment");
    expect(cache.metrics().parts).toBe(2);
    expect(asked).toEqual([
      ["a.json", 5000],
      ["a.segment", 5000],
    ]);
    expect(await store.warm("a.json")).toEqual({ admitted: false, parts: 2, fetchedParts: 0 });
  });

  test("by itself it admits what takes at most a quarter of the cache", async () => {
    const { store, cache } = await cached();
    await store.put("large", pattern(2 ** 18 + 1));
    await store.put("small", pattern(2 ** 18));
    await bytesOf(store, "large");
    expect(cache.metrics().parts).toBe(0);
    await bytesOf(store, "small");
    expect(cache.metrics().parts).toBe(64);
  });

  test("warm fetches what is missing, and nothing is fetched afterwards", async () => {
    const { store, requests } = await cached();
    const { version } = await store.put("a", pattern(20_000));
    await (await store.get("a", { range: { offset: 4096, length: 1 } })).bytes();
    requests();
    expect(await store.warm("a")).toEqual({ admitted: true, parts: 5, fetchedParts: 4 });
    expect(requests()).toEqual(["head", "get", "get", "get", "get"]);
    expect(await store.warm("a")).toEqual({ admitted: true, parts: 5, fetchedParts: 0 });
    requests();
    assertSame(await bytesOf(store, "a", version), pattern(20_000));
    expect(requests()).toEqual([]);
    await expect(store.warm("b")).rejects.toMatchObject({ code: "NOT_FOUND", key: "b" });
  });

  test("an empty object, and one whose size is a whole number of parts", async () => {
    const { store } = await cached();
    const empty = await store.put("empty", new Uint8Array(0));
    expect(await bytesOf(store, "empty")).toHaveLength(0);
    expect(await bytesOf(store, "empty", empty.version)).toHaveLength(0);
    await store.put("even", pattern(8192));
    for (let round = 0; round < 2; round++) assertSame(await bytesOf(store, "even"), pattern(8192));
    expect(await store.warm("empty")).toEqual({ admitted: true, parts: 0, fetchedParts: 0 });
  });

  test("a body that is left fetches no more", async () => {
    const { store, requests } = await cached();
    await store.put("a", pattern(100_000));
    requests();
    for await (const _chunk of await store.get("a")) break;
    const begun = requests().length;
    expect(begun).toBeLessThanOrEqual(3);
    await store.close();
    expect(requests()).toEqual([]);
  });

  test("any order of reads, writes, damage and evictions gives the bytes that are there", async () => {
    const random = new SeededRandom(20261126);
    const { store, plain, files, cache } = await cached(undefined, { admit: () => true });
    const model = new Map<string, Uint8Array>();
    for (let step = 0; step < 400; step++) {
      const key = `k${random.int(6)}`;
      const choice = random.int(10);
      if (choice === 0 || !model.has(key)) {
        const bytes = pattern(1 + random.int(400_000), step + 1);
        await (random.int(2) === 0 ? store : plain).put(key, bytes);
        model.set(key, bytes);
      } else if (choice === 1 && step % 5 === 0) {
        await damage(files);
      } else {
        const bytes = model.get(key) as Uint8Array;
        const offset = random.int(bytes.byteLength);
        const length = 1 + random.int(20_000);
        const body = await store.get(key, { range: { offset, length } });
        assertSame(await body.bytes(), bytes.subarray(offset, offset + length));
      }
    }
    const { hits, evictions, corrupt, usedBytes } = cache.metrics();
    expect(hits).toBeGreaterThan(50);
    expect(evictions + corrupt).toBeGreaterThan(10);
    expect(usedBytes).toBeLessThanOrEqual(2 ** 20);
  });

  test("nonsense is refused", async () => {
    const { store, cache } = await cached();
    const wrong = { storeId: "x", partBytes: 1, ttlMs: 5 };
    expect(() => withCache(store, cache, wrong)).toThrow(/ttlMs.*partBytes.*storeId/s);
  });
});

// Goal: what a directory's store acknowledges is durable and readable, its own files are nobody's objects, and whoever closes
// it is done with the disk.
// Method: a file system that knows what power loss would leave, one that fails or dawdles as planned, and names that are
// easily taken for one another.
import { describe, expect, test } from "vitest";
import { createObjectStore, isStoreError, LocalDriver, MemoryFileSystem, type ObjectStore } from "../../src/index.ts";
import { CrashableFileSystem, FaultPlan, FaultyFileSystem, SeededRandom } from "../../src/testing/index.ts";

const bytes = new TextEncoder().encode("an object");

async function keysOf(listing: AsyncIterable<{ readonly kind: string }>): Promise<string[]> {
  const keys: string[] = [];
  for await (const entry of listing) keys.push(String(Object.values(entry)[1]));
  return keys;
}

async function afterPowerLoss(disk: CrashableFileSystem): Promise<ObjectStore> {
  return createObjectStore(await LocalDriver.open(disk.crashClone({ model: "drop", random: new SeededRandom(1) })));
}

describe("what is acknowledged can be read", () => {
  test("whatever stands in the content type and the metadata", async () => {
    const store = createObjectStore(await LocalDriver.open(new MemoryFileSystem()));
    const quotes = '"'.repeat(300);
    const names = Array.from({ length: 26 ** 2 }, (_, at) => String.fromCharCode(97 + at / 26, 97 + (at % 26)));
    const many = (count: number): Record<string, string> =>
      Object.fromEntries(names.slice(0, count).map((name) => [name, '"']));
    for (const contentType of ["text/plain", `text/${"x".repeat(250)}`, quotes, "x".repeat(5000), "x".repeat(9000)]) {
      for (const metadata of [{}, { one: "é".repeat(300) }, { one: '"'.repeat(1900) }, many(500), many(650)]) {
        const put = await store.put("key", bytes, { contentType, metadata }).catch((error: unknown) => {
          if (!isStoreError(error) || error.code !== "INVALID_ARGUMENT") throw error;
          return undefined;
        });
        if (put === undefined) continue;
        const body = await store.get("key");
        expect(body.info).toMatchObject({ contentType, metadata });
        expect(await body.bytes()).toEqual(bytes);
      }
    }
    await store.close();
  });

  test("a driver that is asked directly refuses a footer that it could not read again", async () => {
    const driver = await LocalDriver.open(new MemoryFileSystem());
    const call = { signal: new AbortController().signal };
    const put = { metadata: { one: '"'.repeat(5000) }, contentType: "text/plain", checksum: undefined };
    await expect(driver.put("key", bytes, put, call)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(await driver.head("key", call)).toBeUndefined();
    await driver.close();
  });
});

describe("power loss", () => {
  // As a process leaves it that died between a link and the sync of the folder; or an attempt of our own that still waits for it.
  test("what was refused because an object is there is still there afterwards", async () => {
    const disk = new CrashableFileSystem();
    const store = createObjectStore(await LocalDriver.open(disk));
    await store.put("folder/a", bytes);
    await disk.linkNoReplace("folder/a", "folder/b");
    await expect(store.put("folder/b", bytes, { ifAbsent: true })).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    const survivor = await afterPowerLoss(disk);
    expect(await survivor.head("folder/b")).toBeDefined();
    await survivor.close();
    await store.close();
  });

  test("an object that a deletion did not find does not come back", async () => {
    const disk = new CrashableFileSystem();
    const store = createObjectStore(await LocalDriver.open(disk));
    await store.put("folder/a", bytes);
    await disk.deleteFile("folder/a");
    await store.delete("folder/a");
    await store.delete("never/was");
    const survivor = await afterPowerLoss(disk);
    expect(await survivor.head("folder/a")).toBeUndefined();
    await survivor.close();
    await store.close();
  });
});

describe("the store's own files", () => {
  test("are no objects: not read, not listed, not copied, and not deleted", async () => {
    const disk = new MemoryFileSystem();
    const store = createObjectStore(await LocalDriver.open(disk));
    const writer = store.createWriter("key", { partBytes: 4 });
    await writer.write(bytes);
    const [folder] = await disk.list(".varve-store/staging");
    const [file] = await disk.list(`.varve-store/staging/${folder?.name}`);
    const own = `.varve-store/staging/${folder?.name}/${file?.name}`;
    for (const key of [own, ".varve-store/locks/00", ".VARVE-STORE/x"]) {
      expect(await store.head(key)).toBeUndefined();
      await expect(store.get(key)).rejects.toMatchObject({ code: "NOT_FOUND" });
      await expect(store.copy(key, "stolen")).rejects.toMatchObject({ code: "NOT_FOUND" });
      await store.delete(key);
    }
    expect(await store.deleteMany([own])).toEqual([]);
    for (const prefix of ["", ".varve", ".varve-store/", ".varve-store/staging/", `${own.slice(0, -3)}`]) {
      expect(await keysOf(store.list({ prefix }))).toEqual([]);
      expect(await keysOf(store.list({ prefix, delimiter: "/" }))).toEqual([]);
    }
    await writer.commit();
    expect(await (await store.get("key")).bytes()).toEqual(bytes);
    await store.close();
  });

  test("are let go when the directory cannot be opened to the end", async () => {
    for (let nth = 1; nth < 40; nth++) {
      const disk = new MemoryFileSystem();
      const plan = new FaultPlan([{ operation: ["mkdir", "lock"], nth, fault: { kind: "error", errno: "EIO" } }]);
      const driver = await LocalDriver.open(new FaultyFileSystem(disk, plan)).catch(() => undefined);
      if (plan.injected === 0) {
        expect(nth).toBeGreaterThan(10);
        await driver?.close();
        return;
      }
      // Nobody holds what a failed open made: the next one sweeps it.
      const next = await LocalDriver.open(disk);
      expect(await disk.list(".varve-store/staging"), `after failure ${nth}`).toHaveLength(1);
      await next.close();
      await driver?.close();
    }
    throw new Error("an open takes more than 40 steps");
  });
});

test("a listing that begins after a folder's name shows the folder", async () => {
  const store = createObjectStore(await LocalDriver.open(new MemoryFileSystem()));
  for (const key of ["a", "x/1", "x/2/3", "y"]) await store.put(key, bytes);
  expect(await keysOf(store.list({ startAfter: "x/" }))).toEqual(["x/1", "x/2/3", "y"]);
  expect(await keysOf(store.list({ startAfter: "x/2/" }))).toEqual(["x/2/3", "y"]);
  expect(await keysOf(store.list({ startAfter: "x/", pageSize: 1 }))).toEqual(["x/1", "x/2/3", "y"]);
  expect(await keysOf(store.list({ startAfter: "x/", delimiter: "/", pageSize: 1 }))).toEqual(["x/", "y"]);
  await store.close();
});

test("once it is closed nothing of it is under way, calls that were given up included", async () => {
  for (const operation of ["writeAt", "sync", "linkNoReplace", "syncDirectory"] as const) {
    const disk = new CrashableFileSystem();
    const plan = new FaultPlan();
    const store = createObjectStore(await LocalDriver.open(new FaultyFileSystem(disk, plan)));
    const stop = new AbortController();
    const slow = plan.add({ operation, fault: { kind: "delay", ms: 30 } });
    const calls = [
      store.put("folder/key", bytes, { ifAbsent: true, signal: stop.signal }),
      store.putStream("folder/parts", [bytes], { partBytes: 4, ifAbsent: true, signal: stop.signal }),
    ];
    const outcomes = Promise.allSettled(calls);
    while (slow.injected === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await outcomes;
    await store.close();
    let later = 0;
    disk.onOperation(() => later++);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(later, operation).toBe(0);
    expect(await disk.list(".varve-store/staging")).toEqual([]);
  }
});

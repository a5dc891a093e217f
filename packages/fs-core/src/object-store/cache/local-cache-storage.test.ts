// Goal: what comes out of the cache is what went in; its files stay within the bound at every moment; a crash, a damaged
// file or a failing disk costs parts and nothing else.
// Method: a file system in memory, whose files are summed up after each operation; power cuts at every boundary; faults of
// every operation; bytes changed in files.
import { describe, expect, test } from "vitest";
import { crc64Nvme } from "../../checksum/crc64-nvme.ts";
import type { FileSystem } from "../../file-system/file-system.ts";
import { MemoryFileSystem } from "../../file-system/memory-file-system.ts";
import { crashModels } from "../../testing/crash-survivors.ts";
import { CrashableFileSystem } from "../../testing/crashable-file-system.ts";
import { FaultyFileSystem } from "../../testing/faulty-file-system.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { SeededRandom } from "../../testing/seeded-random.ts";
import { LocalCacheStorage } from "./local-cache-storage.ts";
import type { CachedPart } from "./part-file.ts";
import type { CachedObject } from "./part-name.ts";

const partBytes = 4096;

function objectOf(key: string, version = "1"): CachedObject {
  return { storeId: "0".repeat(32), key, version, partBytes };
}

function partOf(key: string, number: number, size = 3000): CachedPart {
  const object = objectOf(key);
  const bytes = new Uint8Array(size).fill(key.charCodeAt(0) + number);
  const info = {
    key,
    size: 100_000,
    version: object.version,
    lastModifiedMs: 1,
    metadata: {},
    contentType: undefined,
    checksum: undefined,
  };
  return { object, number, info, bytes, checksum: crc64Nvme(bytes) };
}

function open(fileSystem: FileSystem, maxBytes = 65_536): Promise<LocalCacheStorage> {
  return LocalCacheStorage.open({ fileSystem, maxBytes, partBytes });
}

async function filesOf(fileSystem: FileSystem, folder = ""): Promise<{ path: string; size: number }[]> {
  const files: { path: string; size: number }[] = [];
  for (const { name, kind } of await fileSystem.list(folder)) {
    const path = folder === "" ? name : `${folder}/${name}`;
    if (kind === "directory") files.push(...(await filesOf(fileSystem, path)));
    else files.push({ path, size: (await fileSystem.fileMetadata(path)).size });
  }
  return files;
}

function takenBy(files: readonly { readonly size: number }[]): number {
  return files.reduce((sum, { size }) => sum + Math.ceil(size / 4096) * 4096, 0);
}

describe("LocalCacheStorage", () => {
  test("gives back what was stored, and nothing under another name", async () => {
    const storage = await open(new MemoryFileSystem());
    await storage.store(partOf("a", 2));
    expect(await storage.read(objectOf("a"), 2)).toEqual(partOf("a", 2));
    expect(storage.has(objectOf("a"), 2)).toBe(true);
    for (const [object, number] of [
      [objectOf("a"), 1],
      [objectOf("b"), 2],
      [objectOf("a", "2"), 2],
      [{ ...objectOf("a"), partBytes: 8192 }, 2],
      [{ ...objectOf("a"), storeId: "1".repeat(32) }, 2],
    ] as const) {
      expect(await storage.read(object, number)).toBeUndefined();
      expect(storage.has(object, number)).toBe(false);
    }
    expect(storage.metrics()).toMatchObject({ hits: 1, misses: 5, hitBytes: 3000, storedBytes: 3000, parts: 1 });
    await storage.close();
  });

  test("a part that is stored again takes its room once", async () => {
    const storage = await open(new MemoryFileSystem());
    for (let round = 0; round < 30; round++) await storage.store(partOf("a", 0, round % 2 === 0 ? 3000 : 6000));
    expect(storage.metrics()).toMatchObject({ parts: 1, usedBytes: 8192, evictions: 0 });
    await storage.close();
  });

  test("readAny prefers the part that is wanted, and takes any other", async () => {
    const storage = await open(new MemoryFileSystem());
    await storage.store(partOf("a", 2));
    await storage.store(partOf("a", 12));
    expect((await storage.readAny(objectOf("a"), 12))?.number).toBe(12);
    expect((await storage.readAny(objectOf("a"), 1))?.number).toBeDefined();
    expect(await storage.readAny(objectOf("a", "2"), 2)).toBeUndefined();
    await storage.close();
  });

  test("the files stay within the bound at every moment, and what was read lately stays", async () => {
    const fileSystem = new CrashableFileSystem();
    const maxBytes = 65_536;
    const storage = await open(fileSystem, maxBytes);
    const random = new SeededRandom(7);
    const looks: Promise<void>[] = [];
    let most = 0;
    const end = fileSystem.onOperation(({ phase, name }) => {
      if (phase === "before" || !["writeAt", "rename", "deleteFile"].includes(name)) return;
      // A picture of this moment: the files go on changing.
      const now = fileSystem.crashClone({ model: "all", random });
      looks.push(filesOf(now).then((files) => void (most = Math.max(most, takenBy(files)))));
    });
    await storage.store(partOf("hot", 0));
    for (let round = 0; round < 40; round++) {
      await Promise.all([0, 1, 2].map((number) => storage.store(partOf(`k${round}`, number, 100 + random.int(7000)))));
      expect((await storage.read(objectOf("hot"), 0))?.bytes.byteLength, `round ${round}`).toBe(3000);
    }
    end();
    await Promise.all(looks);
    expect(looks.length).toBeGreaterThan(200);
    expect(most).toBeLessThanOrEqual(maxBytes);
    expect(most).toBeGreaterThan(maxBytes / 2);
    const { usedBytes, evictions, parts } = storage.metrics();
    const files = await filesOf(fileSystem);
    expect(usedBytes).toBe(takenBy(files));
    expect(parts).toBe(files.length);
    expect(evictions).toBeGreaterThan(50);
    await storage.close();
  });

  test("a part that is larger than the cache is not kept, and evicts nothing", async () => {
    const storage = await open(new MemoryFileSystem());
    await storage.store(partOf("a", 0));
    await storage.store(partOf("b", 0, 70_000));
    expect(storage.metrics()).toMatchObject({ parts: 1, evictions: 0 });
    await storage.close();
  });

  test("the next process finds what is there, oldest first, within a smaller bound too", async () => {
    const clock = new ManualClock();
    const fileSystem = new MemoryFileSystem({ clock });
    const first = await open(fileSystem, 400_000);
    for (let number = 0; number < 40; number++) {
      await first.store(partOf("a", number));
      clock.advance(10);
    }
    await expect(open(fileSystem)).rejects.toMatchObject({ code: "LOCKED" });
    await first.close();
    const second = await open(fileSystem);
    expect(second.metrics()).toMatchObject({ parts: 16, usedBytes: 65_536 });
    expect(second.has(objectOf("a"), 23)).toBe(false);
    for (let number = 24; number < 40; number++) {
      expect(await second.read(objectOf("a"), number)).toEqual(partOf("a", number));
    }
    await second.close();
  });

  test("drop takes one version, or all of a key", async () => {
    const storage = await open(new MemoryFileSystem());
    const newer = (number: number): CachedPart => ({ ...partOf("a", number), object: objectOf("a", "2") });
    await storage.store(partOf("a", 0));
    await storage.store(newer(0));
    await storage.store(newer(1));
    await storage.store(partOf("b", 0));
    await storage.drop(objectOf("a", "1"));
    expect([storage.has(objectOf("a"), 0), storage.has(objectOf("a", "2"), 0)]).toEqual([false, true]);
    await storage.drop({ storeId: "0".repeat(32), key: "a" });
    expect(storage.has(objectOf("a", "2"), 1)).toBe(false);
    expect(storage.has(objectOf("b"), 0)).toBe(true);
    expect(storage.metrics()).toMatchObject({ parts: 1, usedBytes: 4096, evictions: 0 });
    await storage.close();
  });

  test("a damaged, cut or exchanged file is dropped, counted, and never given out", async () => {
    const damages: readonly ((fileSystem: FileSystem, path: string) => Promise<void>)[] = [
      async (fileSystem, path) => {
        const handle = await fileSystem.openFileMut(path);
        await handle.writeAt(100, new Uint8Array([0]));
        await handle.close();
      },
      async (fileSystem, path) => {
        const handle = await fileSystem.openFileMut(path);
        await handle.setSize(1000);
        await handle.close();
      },
      async (fileSystem, path) => {
        const handle = await fileSystem.openFileMut(path);
        await handle.setSize(0);
        await handle.close();
      },
      (fileSystem, path) => fileSystem.deleteFile(path),
    ];
    for (const damage of damages) {
      const fileSystem = new MemoryFileSystem();
      const storage = await open(fileSystem);
      await storage.store(partOf("a", 1));
      await damage(fileSystem, (await filesOf(fileSystem, "parts"))[0]?.path as string);
      expect(await storage.read(objectOf("a"), 1)).toBeUndefined();
      expect(storage.metrics()).toMatchObject({ corrupt: 1, parts: 0, usedBytes: 0, hits: 0 });
      expect(await filesOf(fileSystem, "parts")).toEqual([]);
      await storage.close();
    }
  });

  test("a file that says it is another part is not given out", async () => {
    const fileSystem = new MemoryFileSystem();
    const storage = await open(fileSystem);
    await storage.store(partOf("a", 1));
    const [a] = await filesOf(fileSystem, "parts");
    await storage.store(partOf("a", 2));
    const [b] = (await filesOf(fileSystem, "parts")).filter(({ path }) => path !== a?.path);
    await fileSystem.rename(a?.path as string, b?.path as string);
    expect(await storage.read(objectOf("a"), 2)).toBeUndefined();
    expect(storage.metrics().corrupt).toBe(1);
    await storage.close();
  });

  test("whenever the power goes, the next process reads right parts or none, and writes again", async () => {
    const random = new SeededRandom(20261126);
    const fileSystem = new CrashableFileSystem();
    const pictures: CrashableFileSystem[] = [];
    const end = fileSystem.onOperation(({ index }) => {
      const model = crashModels[index % crashModels.length] as (typeof crashModels)[number];
      pictures.push(fileSystem.crashClone({ model, random }));
    });
    const storage = await open(fileSystem);
    for (let number = 0; number < 20; number++) await storage.store(partOf("a", number));
    end();
    await storage.close();
    expect(pictures.length).toBeGreaterThan(100);
    let survived = 0;
    for (const picture of pictures) {
      const next = await open(picture);
      for (let number = 0; number < 20; number++) {
        const part = await next.read(objectOf("a"), number);
        if (part === undefined) continue;
        survived++;
        expect(part).toEqual(partOf("a", number));
      }
      await next.store(partOf("b", 0));
      expect(await next.read(objectOf("b"), 0)).toEqual(partOf("b", 0));
      expect((await filesOf(picture, "staging")).length).toBe(0);
      await next.close();
    }
    expect(survived).toBeGreaterThan(100);
  });

  test("no failure of the disk reaches the caller, and the bound holds", async () => {
    for (const operation of [
      "createFile",
      "openFile",
      "writeAt",
      "rename",
      "readAll",
      "size",
      "deleteFile",
      "mkdir",
      "close",
    ] as const) {
      for (const kind of ["error", "errorAfter"] as const) {
        const inner = new MemoryFileSystem();
        const fileSystem = new FaultyFileSystem(inner);
        const storage = await open(fileSystem);
        for (let number = 0; number < 10; number++) await storage.store(partOf("a", number));
        const rule = fileSystem.plan.add({ operation, fault: { kind, errno: "EIO" } });
        for (let number = 0; number < 20; number++) await storage.store(partOf("b", number));
        for (let number = 0; number < 20; number++) {
          const part = await storage.read(objectOf("b"), number);
          if (part !== undefined) expect(part).toEqual(partOf("b", number));
          await storage.read(objectOf("a"), number);
        }
        await storage.drop(objectOf("a"));
        if (operation !== "mkdir") expect(rule.injected, `${operation} ${kind}`).toBeGreaterThan(0);
        if (rule.injected > 0) expect(storage.metrics().failures, `${operation} ${kind}`).toBeGreaterThan(0);
        expect(takenBy(await filesOf(inner)), `${operation} ${kind}`).toBeLessThanOrEqual(65_536);
        rule.remove();
        await storage.close();
        const next = await open(fileSystem);
        await next.store(partOf("c", 0));
        expect(await next.read(objectOf("c"), 0)).toEqual(partOf("c", 0));
        await next.close();
      }
    }
  });

  test("a closed cache keeps and finds nothing, and fails nobody", async () => {
    const storage = await open(new MemoryFileSystem());
    await storage.store(partOf("a", 0));
    await storage.close();
    await storage.close();
    await storage.store(partOf("a", 1));
    expect(await storage.read(objectOf("a"), 0)).toBeUndefined();
    await storage.drop(objectOf("a"));
  });

  test("nonsense is refused", async () => {
    const fileSystem = new MemoryFileSystem();
    const wrong = { fileSystem, maxBytes: 1, partBytes: 5, ttlMs: 1 };
    await expect(LocalCacheStorage.open(wrong)).rejects.toThrow(/ttlMs.*maxBytes.*partBytes/s);
    await expect(LocalCacheStorage.open({ maxBytes: 1e6 } as never)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });
});

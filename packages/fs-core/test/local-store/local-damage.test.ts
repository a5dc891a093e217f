// Goal: a file that is not exactly what was stored is CORRUPT, never another object, and never a shorter one.
// Method: every bit and every length of an object's file; files of other origin; symbolic links; several processes at once.
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createObjectStore, isStoreError, LocalDriver, MemoryFileSystem, type ObjectStore } from "../../src/index.ts";

const content = new TextEncoder().encode("an object of some bytes");
let root: string;
let store: ObjectStore;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "varve-damage-"));
  store = createObjectStore(await LocalDriver.open(root));
});
afterEach(async () => {
  await store.close();
  await rm(root, { recursive: true, force: true });
});

async function read(): Promise<Uint8Array | string> {
  try {
    return await (await store.get("key")).bytes();
  } catch (error) {
    if (!isStoreError(error)) throw error;
    return error.code;
  }
}

test("every bit that is flipped is CORRUPT", async () => {
  await store.put("key", content, { metadata: { one: "two" } });
  const sound = await readFile(join(root, "key"));
  for (let bit = 0; bit < sound.length * 8; bit++) {
    const damaged = Buffer.from(sound);
    damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
    await writeFile(join(root, "key"), damaged);
    expect(await read(), `bit ${bit}`).toBe("CORRUPT");
  }
});

test("every length but its own is CORRUPT", async () => {
  await store.put("key", content);
  const sound = await readFile(join(root, "key"));
  for (let length = 0; length < sound.length; length++) {
    await writeFile(join(root, "key"), sound.subarray(0, length));
    expect(await read(), `length ${length}`).toBe("CORRUPT");
  }
  await writeFile(join(root, "key"), Buffer.concat([sound, Buffer.from([0])]));
  expect(await read()).toBe("CORRUPT");
  await writeFile(join(root, "key"), Buffer.concat([sound, sound]));
  expect(await read()).toBe("CORRUPT");
});

test("a file of other origin is CORRUPT, and is replaced only on purpose", async () => {
  await writeFile(join(root, "key"), "put there by hand");
  expect(await read()).toBe("CORRUPT");
  await expect(store.put("key", content, { ifAbsent: true })).rejects.toMatchObject({
    code: expect.stringMatching(/ALREADY_EXISTS|UNAVAILABLE/) as string,
  });
  await store.put("key", content);
  expect(await read()).toEqual(content);
});

test("a symbolic link is refused, and leads nowhere", async () => {
  const outside = join(root, "..", `outside-${process.pid}`);
  await writeFile(outside, "secret");
  try {
    await symlink(outside, join(root, "key"));
    await symlink(tmpdir(), join(root, "folder"));
    expect(await read()).toBe("INVALID_KEY");
    await expect(store.put("folder/key", content)).rejects.toMatchObject({ name: "StoreError" });
    expect(await readFile(outside, "utf8")).toBe("secret");
  } finally {
    await rm(outside);
  }
});

test("a file that zstd reads stays one, footer and all", async () => {
  const { zstdCompressSync, zstdDecompressSync } = await import("node:zlib");
  await store.put("key.zst", zstdCompressSync(content));
  const whole = await readFile(join(root, "key.zst"));
  expect(new Uint8Array(zstdDecompressSync(whole))).toEqual(content);
});

test("stores in two processes' stead: of 20 creators over two stores one wins, and no increment is lost", async () => {
  const other = createObjectStore(await LocalDriver.open(root));
  const stores = [store, other];
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) =>
      (stores[index % 2] as ObjectStore).put("race", content, { ifAbsent: true }),
    ),
  );
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  await store.put("counter", new TextEncoder().encode("0"));
  const increment = async (each: ObjectStore): Promise<void> => {
    for (;;) {
      const body = await each.get("counter");
      const value = Number(new TextDecoder().decode(await body.bytes()));
      try {
        await each.put("counter", new TextEncoder().encode(String(value + 1)), { ifMatch: body.info.version });
        return;
      } catch (error) {
        if (!isStoreError(error) || error.code !== "VERSION_MISMATCH") throw error;
      }
    }
  };
  await Promise.all([...stores, ...stores, ...stores, ...stores].map(increment));
  expect(new TextDecoder().decode(await (await other.get("counter")).bytes())).toBe("8");
  await other.close();
});

test("what a process that died was about to store is swept, what a living one is about to store is not", async () => {
  const fileSystem = new MemoryFileSystem();
  const first = createObjectStore(await LocalDriver.open(fileSystem));
  const writer = first.createWriter("key", { partBytes: 10 });
  await writer.write(content);
  const second = createObjectStore(await LocalDriver.open(fileSystem));
  await writer.commit();
  expect(await (await second.get("key")).bytes()).toEqual(content);
  await first.close();
  await second.close();
});

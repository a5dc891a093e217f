// Goal: no symbolic link below the root leads a store of the directory out of it, whichever call meets it.
// Method: links in the place of an object, of a folder, and of each of the store's own folders; outside must stay as it is.
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createObjectStore, LocalDriver, type ObjectStore } from "../../src/index.ts";

const bytes = new TextEncoder().encode("an object");
let base: string;
let root: string;
let outside: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "varve-links-"));
  root = join(base, "root");
  outside = join(base, "outside");
  await mkdir(root);
  await mkdir(join(outside, "folder"), { recursive: true });
  await writeFile(join(outside, "secret"), "secret");
});
afterEach(async () => {
  expect(await readFile(join(outside, "secret"), "utf8")).toBe("secret");
  expect((await readdir(outside)).toSorted()).toEqual(["folder", "secret"]);
  expect(await readdir(join(outside, "folder"))).toEqual([]);
  await rm(base, { recursive: true, force: true });
});

async function keysOf(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const entry of store.list({ prefix })) if (entry.kind === "object") keys.push(entry.key);
  return keys;
}

test("links in the place of objects and folders", async () => {
  const store = createObjectStore(await LocalDriver.open(root));
  await store.put("sound", bytes);
  await symlink(join(outside, "secret"), join(root, "object"));
  await symlink(outside, join(root, "link"));
  const calls: readonly (() => Promise<unknown>)[] = [
    () => store.get("object"),
    () => store.head("object"),
    () => store.put("object", bytes),
    () => store.put("object", bytes, { ifAbsent: true }),
    () => store.delete("object"),
    () => store.copy("object", "copied"),
    () => store.copy("sound", "object"),
    () => store.get("link/secret"),
    () => store.put("link/new", bytes),
    () => store.put("link/folder/new", bytes, { ifAbsent: true }),
    () => store.putStream("link/new", [bytes], { partBytes: 4 }),
    () => store.delete("link/secret"),
    () => store.copy("link/secret", "copied"),
  ];
  for (const call of calls) await expect(call()).rejects.toMatchObject({ name: "StoreError" });
  expect(await keysOf(store, "")).toEqual(["sound"]);
  expect(await keysOf(store, "link/").catch(() => [])).toEqual([]);
  await store.close();
});

test.for([".varve-store", ".varve-store/staging", ".varve-store/locks", ".varve-store/locks/07"])(
  "a link in the place of %s",
  async (own) => {
    await mkdir(join(root, own, ".."), { recursive: true });
    await symlink(join(outside, "folder"), join(root, own));
    await expect(LocalDriver.open(root)).rejects.toMatchObject({ name: "StoreError" });
  },
);

test("a link among the folders of those who died is left alone", async () => {
  await mkdir(join(root, ".varve-store/staging"), { recursive: true });
  await symlink(outside, join(root, ".varve-store/staging/0123456789abcdef"));
  const store = createObjectStore(await LocalDriver.open(root));
  await store.put("k", bytes);
  await store.close();
});

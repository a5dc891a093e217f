// Goal: a folder is a store of its own: nothing leaves it, and nothing outside is reached or named.
// Method: the wrapped store beside the folder; hostile folders; a driver that lists too much; errors with absolute keys.
import { describe, expect, test } from "vitest";
import { createObjectStore } from "../driver-store.ts";
import { MemoryDriver } from "../memory-driver.ts";
import type { DriverCall, DriverList, DriverListPage } from "../object-driver.ts";
import type { ListEntry } from "../object-store.ts";
import { StoreError } from "../store-error.ts";
import { withPrefix } from "./with-prefix.ts";

const bytes = new Uint8Array([1, 2, 3]);

async function keysOf(entries: AsyncIterable<ListEntry>): Promise<string[]> {
  const keys: string[] = [];
  for await (const entry of entries) keys.push(entry.kind === "object" ? entry.key : entry.prefix);
  return keys;
}

describe("withPrefix", () => {
  test("keys, listings and the url are relative to the folder", async () => {
    const outer = createObjectStore(new MemoryDriver({ name: "bucket" }));
    const folder = withPrefix(outer, "tenants/ä b/");
    await outer.put("tenants/other", bytes);
    const put = await folder.put("a/b", bytes);
    await folder.copy("a/b", "a/c");
    await folder.rename("a/c", "d");

    expect(folder.url).toBe("memory://bucket/tenants/%C3%A4%20b");
    expect(put.key).toBe("a/b");
    expect((await folder.head("a/b"))?.key).toBe("a/b");
    expect((await folder.get("a/b")).info.key).toBe("a/b");
    expect(await keysOf(folder.list())).toEqual(["a/b", "d"]);
    expect(await keysOf(folder.list({ prefix: "a/", startAfter: "a/a" }))).toEqual(["a/b"]);
    expect(await keysOf(folder.list({ delimiter: "/" }))).toEqual(["a/", "d"]);
    expect(await keysOf(outer.list())).toEqual(["tenants/other", "tenants/ä b/a/b", "tenants/ä b/d"]);

    expect(await folder.deleteMany(["a/b", "d"])).toEqual([]);
    expect(await keysOf(outer.list())).toEqual(["tenants/other"]);
  });

  test("uploads under way are those of the folder", async () => {
    const outer = createObjectStore(new MemoryDriver());
    const folder = withPrefix(outer, "f/");
    const ours = folder.createWriter("ours", { partBytes: 10 });
    const theirs = outer.createWriter("theirs", { partBytes: 10 });
    await ours.write(new Uint8Array(30));
    await theirs.write(new Uint8Array(30));
    const seen: string[] = [];
    for await (const upload of folder.listIncompleteUploads()) {
      seen.push(upload.key);
      await folder.abortIncompleteUpload(upload);
    }
    expect(seen).toEqual(["ours"]);
    const left: string[] = [];
    for await (const upload of outer.listIncompleteUploads()) left.push(upload.key);
    expect(left).toEqual(["theirs"]);
    await ours.abort();
    await theirs.abort();
  });

  test("hostile folders and keys are refused", async () => {
    const outer = createObjectStore(new MemoryDriver());
    const hostile = [
      "",
      "/",
      "folder",
      "/a/",
      "../",
      "a/../",
      "a/./b/",
      "a//",
      "a\\b/",
      "a\u0000/",
      "\ud800/",
      ".varve-store/x/",
      "con/",
      `${"x".repeat(255)}/`.repeat(4),
      7 as unknown as string,
    ];
    for (const prefix of hostile) {
      expect(() => withPrefix(outer, prefix), JSON.stringify(prefix)).toThrow(
        expect.objectContaining({ code: "INVALID_KEY" }) as Error,
      );
    }
    const folder = withPrefix(outer, "f/");
    for (const key of ["../x", "a/../../x", "/x", "", ".."]) {
      await expect(folder.head(key), key).rejects.toMatchObject({ code: "INVALID_KEY" });
      await expect(folder.put(key, bytes), key).rejects.toMatchObject({ code: "INVALID_KEY" });
      await expect(folder.delete(key), key).rejects.toMatchObject({ code: "INVALID_KEY" });
    }
    expect(() => folder.list({ prefix: "../" })).toThrow(expect.objectContaining({ code: "INVALID_KEY" }) as Error);
  });

  test("a key has the bytes that the folder leaves", async () => {
    const folder = withPrefix(createObjectStore(new MemoryDriver()), `${"f".repeat(200)}/`);
    expect(folder.capabilities.limits.keyBytesMax).toBe(1024 - 201);
    await expect(folder.head(`${"k".repeat(200)}/`.repeat(4) + "k".repeat(20))).rejects.toMatchObject({
      code: "INVALID_KEY",
    });
  });

  test("a store that lists too much is not believed", async () => {
    class Blabbing extends MemoryDriver {
      override async listPage(request: DriverList, call: DriverCall): Promise<DriverListPage> {
        return super.listPage({ ...request, prefix: "" }, call);
      }
    }
    const outer = createObjectStore(new Blabbing());
    await outer.put("secret", bytes);
    await outer.put("f/a", bytes);
    expect(await keysOf(withPrefix(outer, "f/").list())).toEqual(["a"]);
  });

  test("errors name the key and the store as the caller knows them", async () => {
    const absolute = { key: "f/a", store: "memory://store", operation: "vendor", status: 403, requestId: "r1" };
    class Refusing extends MemoryDriver {
      override head(): Promise<never> {
        return Promise.reject(new StoreError("PERMISSION_DENIED", "no", { ...absolute, retryable: false }));
      }
      override async deleteMany(keys: readonly string[]): Promise<readonly { key: string; error: Error }[]> {
        return keys.map((key) => ({ key, error: new StoreError("CONFLICT", "busy", { key }) }));
      }
    }
    const folder = withPrefix(createObjectStore(new Refusing()), "f/");
    await expect(folder.head("a")).rejects.toMatchObject({
      ...absolute,
      code: "PERMISSION_DENIED",
      key: "a",
      store: "memory://store/f",
      retryable: false,
      outcome: "none",
    });
    const failures = await folder.deleteMany(["a", "b"]);
    expect(failures.map(({ key, error }) => [key, (error as StoreError).key])).toEqual([
      ["a", "a"],
      ["b", "b"],
    ]);
  });

  test("closing the folder closes the store", async () => {
    const outer = createObjectStore(new MemoryDriver());
    await outer.put("f/a", bytes);
    const body = await outer.get("f/a");
    const folder = withPrefix(outer, "f/");
    await folder.close();
    await expect(outer.head("f/a")).rejects.toMatchObject({ code: "CLOSED" });
    await expect(body.bytes()).rejects.toMatchObject({ code: "CLOSED" });
  });
});

import assert from "node:assert/strict";
import type { FileHandle, FileSystem } from "../../file-system/file-system.ts";
import {
  bytesOf,
  type Check,
  type Form,
  get,
  inBothForms,
  patternBytes,
  put,
  refuses,
  textOf,
  using,
} from "./check.ts";

/** Reading, writing, sizing, syncing and closing one open file. */
export const handleChecks: readonly Check[] = [
  ...onNewFile("promise 1: writeAt is whole, above every piece size", async (handle, form) => {
    const data = patternBytes(2 ** 20 + 3);
    await form.writeAt(handle, 5, data);
    assert.equal(await form.size(handle), data.length + 5);
    const buffer = new Uint8Array(data.length);
    assert.equal(await form.readAt(handle, 5, buffer), data.length);
    assert.ok(Buffer.from(buffer.buffer).equals(data));
  }),
  ...onNewFile("writeAt overwrites in place", async (handle, form) => {
    await form.writeAt(handle, 0, bytesOf("abcdef"));
    await form.writeAt(handle, 1, bytesOf("XYZ"));
    assert.equal(textOf(await handle.readAll()), "aXYZef");
  }),
  ...onNewFile("writeAt beyond the end leaves zeroes between", async (handle, form) => {
    await form.writeAt(handle, 1000, bytesOf("x"));
    const bytes = await handle.readAll();
    assert.equal(bytes.length, 1001);
    assert.ok(isZero(bytes.subarray(0, 1000)));
    assert.equal(bytes[1000], 120);
  }),
  ...onNewFile("writeAt takes the view, not the memory behind it", async (handle, form) => {
    await form.writeAt(handle, 0, bytesOf("__abc__").subarray(2, 5));
    assert.equal(textOf(await handle.readAll()), "abc");
  }),
  ...onNewFile("nothing written changes nothing", async (handle, form) => {
    await form.writeAt(handle, 100, new Uint8Array(0));
    assert.equal(await form.size(handle), 0);
    assert.equal(await form.readAt(handle, 0, new Uint8Array(0)), 0);
  }),
  ...onNewFile("promise 6: reads stop at the end", async (handle, form) => {
    await form.writeAt(handle, 0, bytesOf("abcdef"));
    const buffer = new Uint8Array(8).fill(7);
    assert.equal(await form.readAt(handle, 4, buffer), 2);
    assert.deepEqual([...buffer], [101, 102, 7, 7, 7, 7, 7, 7]);
    assert.equal(await form.readAt(handle, 6, buffer), 0);
    assert.equal(await form.readAt(handle, 2 ** 40, buffer), 0);
    assert.equal(buffer[0], 101);
  }),
  ...onNewFile("readAll returns the file, up to its limit", async (handle, form) => {
    assert.equal((await handle.readAll()).length, 0);
    await form.writeAt(handle, 0, bytesOf("abcdef"));
    assert.equal(textOf(await handle.readAll({ limitBytes: 6 })), "abcdef");
    await refuses("INVALID_ARGUMENT", "readAll", "a", () => handle.readAll({ limitBytes: 5 }));
  }),
  ...onNewFile("readView is a private copy, shorter at the end", async (handle, form) => {
    await form.writeAt(handle, 0, bytesOf("abcdef"));
    const view = await handle.readView(1, 3);
    await form.writeAt(handle, 0, bytesOf("......"));
    assert.equal(textOf(view), "bcd");
    assert.equal((await handle.readView(4, 2 ** 40)).length, 2);
    assert.equal((await handle.readView(6, 1)).length, 0);
    assert.equal((await handle.readView(600, 1)).length, 0);
    assert.equal((await handle.readView(0, 0)).length, 0);
  }),
  ...onNewFile("setSize cuts, and extends with zeroes", async (handle, form) => {
    await form.writeAt(handle, 0, bytesOf("abcdef"));
    await form.setSize(handle, 2);
    assert.equal(await form.size(handle), 2);
    await form.setSize(handle, 5);
    assert.deepEqual([...(await handle.readAll())], [97, 98, 0, 0, 0]);
    await form.setSize(handle, 0);
    assert.equal((await handle.readAll()).length, 0);
  }),
  ...onNewFile("preallocate writes zeroes", async (handle, form) => {
    const length = 1.25 * 2 ** 20;
    await form.writeAt(handle, 0, bytesOf("abcdef"));
    await form.preallocate(handle, 4, length);
    const bytes = await handle.readAll();
    assert.equal(bytes.length, 4 + length);
    assert.equal(textOf(bytes.subarray(0, 4)), "abcd");
    assert.ok(isZero(bytes.subarray(4)));
    await form.preallocate(handle, 2, 1);
    assert.equal(await form.size(handle), 4 + length);
    assert.deepEqual([...(await handle.readView(0, 5))], [97, 98, 0, 100, 0]);
    await form.preallocate(handle, 9, 0);
    assert.equal(await form.size(handle), 4 + length);
  }),
  ...onNewFile("promise 2: sync and flush return on a written file", async (handle, form) => {
    await form.writeAt(handle, 0, bytesOf("abc"));
    await handle.flush();
    await form.sync(handle);
    await form.writeAt(handle, 1, bytesOf("x"));
    await form.sync(handle, { dataOnly: true });
    await form.sync(handle, { dataOnly: false });
    assert.equal(textOf(await handle.readAll()), "axc");
  }),
  ...onNewFile("positions and sizes out of range are refused", async (handle, form) => {
    await form.writeAt(handle, 0, bytesOf("abc"));
    const one = new Uint8Array(1);
    for (const bad of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      await refuses("INVALID_ARGUMENT", "readAt", "a", () => form.readAt(handle, bad, one));
      await refuses("INVALID_ARGUMENT", "writeAt", "a", () => form.writeAt(handle, bad, one));
      await refuses("INVALID_ARGUMENT", "setSize", "a", () => form.setSize(handle, bad));
      await refuses("INVALID_ARGUMENT", "preallocate", "a", () => form.preallocate(handle, bad, 1));
      await refuses("INVALID_ARGUMENT", "preallocate", "a", () => form.preallocate(handle, 0, bad));
      await refuses("INVALID_ARGUMENT", "readView", "a", () => handle.readView(bad, 1));
      await refuses("INVALID_ARGUMENT", "readView", "a", () => handle.readView(0, bad));
    }
    assert.equal(textOf(await handle.readAll()), "abc");
  }),
  {
    name: "memoryMap refuses where supports.memoryMap is false",
    async run(fs) {
      await put(fs, "a", "abc");
      await using(fs.openFile("a"), async (handle) => {
        if (fs.supports.memoryMap) assert.equal(textOf(await handle.memoryMap()), "abc");
        else await refuses("UNSUPPORTED", "memoryMap", "a", () => handle.memoryMap());
      });
    },
  },
  ...inBothForms("two handles of one file see each other's writes", async (fs, form) => {
    await put(fs, "a", "abc");
    await using(form.openFile(fs, "a"), (reader) =>
      using(form.openFileMut(fs, "a"), async (writer) => {
        await form.writeAt(writer, 1, bytesOf("XYZ"));
        const buffer = new Uint8Array(4);
        assert.equal(await form.readAt(reader, 0, buffer), 4);
        assert.equal(textOf(buffer), "aXYZ");
      }),
    );
  }),
  ...inBothForms("every call after close fails with CLOSED", async (fs, form) => {
    const handle = await form.createFile(fs, "a");
    await form.close(handle);
    const one = new Uint8Array(1);
    await refuses("CLOSED", "readAt", "a", () => form.readAt(handle, 0, one));
    await refuses("CLOSED", "writeAt", "a", () => form.writeAt(handle, 0, one));
    await refuses("CLOSED", "setSize", "a", () => form.setSize(handle, 1));
    await refuses("CLOSED", "preallocate", "a", () => form.preallocate(handle, 0, 1));
    await refuses("CLOSED", "size", "a", () => form.size(handle));
    await refuses("CLOSED", "sync", "a", () => form.sync(handle));
    await refuses("CLOSED", "flush", "a", () => handle.flush());
    await refuses("CLOSED", "readView", "a", () => handle.readView(0, 1));
    await assert.rejects(handle.readAll(), { code: "CLOSED" });
    assert.equal((await fs.fileMetadata("a")).size, 0);
  }),
  ...inBothForms("close is idempotent, in either form", async (fs, form) => {
    const handle = await form.createFile(fs, "a");
    await form.close(handle);
    await form.close(handle);
    await handle.close();
    handle.closeSync();
  }),
  {
    name: "disposal closes",
    async run(fs) {
      const handle = await fs.createFile("a");
      await handle[Symbol.asyncDispose]();
      await refuses("CLOSED", "size", "a", () => handle.size());
    },
  },
  ...inBothForms("close lets calls in flight finish", async (fs, form) => {
    const data = patternBytes(2 ** 18 + 3);
    const handle = await fs.createFile("a");
    await handle.writeAt(0, data);
    const copies = [handle.readAll(), handle.readView(0, data.length)];
    const others = [handle.preallocate(data.length, data.length), handle.size(), handle.sync()];
    const closing = form.close(handle);
    await refuses("CLOSED", "size", "a", () => handle.size());
    await Promise.all([...others, closing]);
    await handle.close();
    for (const copy of await Promise.all(copies)) assert.ok(Buffer.from(copy.subarray(0, data.length)).equals(data));
    assert.equal((await fs.fileMetadata("a")).size, 2 * data.length);
  }),
  ...inBothForms("a handle knows its path and keeps its file through a rename", async (fs, form) => {
    await fs.mkdir("d");
    const handle = await form.createFile(fs, "d/a");
    assert.equal(handle.path, "d/a");
    await form.rename(fs, "d/a", "d/b");
    await form.writeAt(handle, 0, bytesOf("moved"));
    await form.close(handle);
    assert.equal(await get(fs, "d/b"), "moved");
  }),
];

/** Checks with an open, empty file named `a`. */
function onNewFile(name: string, run: (handle: FileHandle, form: Form) => Promise<void>): Check[] {
  return inBothForms(name, (fs: FileSystem, form) => using(form.createFile(fs, "a"), (handle) => run(handle, form)));
}

function isZero(bytes: Uint8Array): boolean {
  return Buffer.from(bytes).equals(new Uint8Array(bytes.length));
}

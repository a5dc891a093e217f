import assert from "node:assert/strict";
import { isStorageError } from "../../errors.ts";
import { bytesOf, type Check, get, inBothForms, put, refuses, using } from "./check.ts";

/** Creating, opening, deleting and describing files. */
export const fileChecks: readonly Check[] = [
  ...inBothForms("createFile makes an empty file to read and write", async (fs, form) => {
    const handle = await form.createFile(fs, "a");
    assert.equal(await form.size(handle), 0);
    await form.writeAt(handle, 0, bytesOf("one"));
    const buffer = new Uint8Array(3);
    assert.equal(await form.readAt(handle, 0, buffer), 3);
    assert.deepEqual(buffer, bytesOf("one"));
    await form.close(handle);
    assert.equal(await get(fs, "a"), "one");
  }),
  ...inBothForms("promise 4: createFile never replaces", async (fs, form) => {
    await put(fs, "a", "first");
    await fs.mkdir("d");
    await refuses("ALREADY_EXISTS", "createFile", "a", () => form.createFile(fs, "a"));
    await refuses("ALREADY_EXISTS", "createFile", "d", () => form.createFile(fs, "d"));
    assert.equal(await get(fs, "a"), "first");
  }),
  {
    name: "promise 4: of concurrent creators one wins",
    async run(fs) {
      const attempts = await Promise.allSettled(Array.from({ length: 8 }, () => fs.createFile("a")));
      const won = attempts.filter((attempt) => attempt.status === "fulfilled");
      const lost = attempts.filter((attempt) => attempt.status === "rejected");
      for (const { value } of won) await value.close();
      assert.equal(won.length, 1);
      for (const { reason } of lost)
        assert.ok(isStorageError(reason) && reason.code === "ALREADY_EXISTS", String(reason));
    },
  },
  ...inBothForms("createFile needs its directory", async (fs, form) => {
    await put(fs, "file", "");
    await refuses("NOT_FOUND", "createFile", "no/a", () => form.createFile(fs, "no/a"));
    await refuses("NOT_FOUND", "createFile", "no/such/a", () => form.createFile(fs, "no/such/a"));
    await refuses("NOT_A_DIRECTORY", "createFile", "file/a", () => form.createFile(fs, "file/a"));
    assert.deepEqual(await fs.list(""), [{ name: "file", kind: "file" }]);
  }),
  ...inBothForms("openFile needs a file", async (fs, form) => {
    await fs.mkdir("d");
    await refuses("NOT_FOUND", "openFile", "a", () => form.openFile(fs, "a"));
    await refuses("NOT_A_DIRECTORY", "openFile", "d", () => form.openFile(fs, "d"));
    await refuses("NOT_A_DIRECTORY", "openFile", "", () => form.openFile(fs, ""));
  }),
  ...inBothForms("a handle of openFile reads and refuses to write", async (fs, form) => {
    await put(fs, "a", "kept");
    const handle = await form.openFile(fs, "a");
    await refuses("INVALID_ARGUMENT", "writeAt", "a", () => form.writeAt(handle, 0, bytesOf("x")));
    await refuses("INVALID_ARGUMENT", "setSize", "a", () => form.setSize(handle, 0));
    await refuses("INVALID_ARGUMENT", "preallocate", "a", () => form.preallocate(handle, 0, 1));
    assert.equal(await form.readAt(handle, 0, new Uint8Array(9)), 4);
    await form.close(handle);
    assert.equal(await get(fs, "a"), "kept");
  }),
  ...inBothForms("openFileMut needs a file and creates none", async (fs, form) => {
    await fs.mkdir("d");
    await refuses("NOT_FOUND", "openFileMut", "a", () => form.openFileMut(fs, "a"));
    await refuses("NOT_A_DIRECTORY", "openFileMut", "d", () => form.openFileMut(fs, "d"));
    assert.equal(await fs.fileExists("a"), false);
  }),
  ...inBothForms("openFileMut keeps what is there", async (fs, form) => {
    await put(fs, "a", "abcdef");
    const handle = await form.openFileMut(fs, "a");
    await form.writeAt(handle, 2, bytesOf("XY"));
    await form.close(handle);
    assert.equal(await get(fs, "a"), "abXYef");
  }),
  ...inBothForms("deleteFile frees the name", async (fs, form) => {
    await put(fs, "a", "old");
    await form.deleteFile(fs, "a");
    await refuses("NOT_FOUND", "openFile", "a", () => fs.openFile("a"));
    await put(fs, "a", "new");
    assert.equal(await get(fs, "a"), "new");
  }),
  ...inBothForms("deleteFile is idempotent", async (fs, form) => {
    await form.deleteFile(fs, "a");
    await form.deleteFile(fs, "no/such/a");
  }),
  ...inBothForms("deleteFile leaves directories alone", async (fs, form) => {
    await fs.mkdir("d");
    await refuses("NOT_A_DIRECTORY", "deleteFile", "d", () => form.deleteFile(fs, "d"));
    assert.deepEqual(await fs.list(""), [{ name: "d", kind: "directory" }]);
  }),
  ...inBothForms("an open file outlives its name", async (fs, form) => {
    await put(fs, "a", "still here");
    await using(form.openFile(fs, "a"), async (handle) => {
      await form.deleteFile(fs, "a");
      const buffer = new Uint8Array(10);
      assert.equal(await form.readAt(handle, 0, buffer), 10);
      assert.deepEqual(buffer, bytesOf("still here"));
    });
  }),
  {
    name: "fileExists is true for files only",
    async run(fs) {
      await put(fs, "a", "");
      await fs.mkdir("d");
      const answers = await Promise.all(["a", "d", "", "b", "no/such/a"].map((path) => fs.fileExists(path)));
      assert.deepEqual(answers, [true, false, false, false, false]);
    },
  },
  ...inBothForms("fileMetadata tells kind and size", async (fs, form) => {
    await put(fs, "a", "12345");
    await fs.mkdir("d");
    const file = await form.fileMetadata(fs, "a");
    assert.equal(file.kind, "file");
    assert.equal(file.size, 5);
    assert.ok(Number.isFinite(file.mtimeMs) && file.mtimeMs > 0);
    assert.equal((await form.fileMetadata(fs, "d")).kind, "directory");
    assert.equal((await form.fileMetadata(fs, "")).kind, "directory");
    await refuses("NOT_FOUND", "fileMetadata", "b", () => form.fileMetadata(fs, "b"));
    await refuses("NOT_A_DIRECTORY", "fileMetadata", "a/b", () => form.fileMetadata(fs, "a/b"));
  }),
  ...inBothForms("fileMetadata tells a replaced file from the old one", async (fs, form) => {
    await put(fs, "a", "old");
    await put(fs, "b", "new");
    const old = await form.fileMetadata(fs, "a");
    await form.rename(fs, "b", "a");
    const replaced = await form.fileMetadata(fs, "a");
    assert.equal(typeof old.ino, typeof replaced.ino);
    if (old.ino !== undefined) assert.notEqual(old.ino, replaced.ino);
  }),
];

import assert from "node:assert/strict";
import { isStorageError } from "../../errors.ts";
import type { FileSystem } from "../../file-system/file-system.ts";
import { bytesOf, type Check, get, inBothForms, put, refuses, textOf, using } from "./check.ts";

/** Renaming, linking, listing, and directories. */
export const nameChecks: readonly Check[] = [
  ...inBothForms("rename moves a file, to another directory too", async (fs, form) => {
    await fs.mkdir("d");
    await put(fs, "a", "moved");
    await form.rename(fs, "a", "b");
    await form.rename(fs, "b", "d/c");
    assert.equal(await get(fs, "d/c"), "moved");
    assert.deepEqual(await fs.list(""), [{ name: "d", kind: "directory" }]);
  }),
  ...inBothForms("promise 5: rename replaces a file, and who had it open keeps the old one", async (fs, form) => {
    await put(fs, "a", "old");
    await put(fs, "b", "new");
    await using(form.openFile(fs, "a"), async (handle) => {
      await form.rename(fs, "b", "a");
      assert.equal(textOf(await handle.readAll()), "old");
    });
    assert.equal(await get(fs, "a"), "new");
    assert.equal(await fs.fileExists("b"), false);
  }),
  {
    name: "promise 5: a reader sees the old file or the new one",
    async run(fs) {
      await put(fs, "a", "version 0");
      let renamed = 0;
      const writer = (async () => {
        for (let version = 1; version <= 40; version += 1) {
          await put(fs, "next", `version ${version}`);
          await fs.rename("next", "a");
          renamed = version;
        }
      })();
      let last = 0;
      while (last < 40) {
        const least = renamed;
        const seen = /^version (\d+)$/.exec(await get(fs, "a"));
        const version = Number(seen?.[1]);
        assert.ok(version >= Math.max(least, last), `saw version ${version} after ${last}, wanted at least ${least}`);
        last = version;
      }
      await writer;
    },
  },
  ...inBothForms("a handle knows how many names its file has", async (fs, form) => {
    const handle = await form.createFile(fs, "a");
    assert.equal(handle.linkCountSync(), 1);
    if (fs.supports.hardLinks) {
      await fs.linkNoReplace("a", "second");
      assert.equal(handle.linkCountSync(), 2);
      await form.deleteFile(fs, "second");
    }
    await form.rename(fs, "a", "b");
    assert.equal(handle.linkCountSync(), 1);
    const other = await form.createFile(fs, "c");
    await form.rename(fs, "c", "b");
    assert.equal(handle.linkCountSync(), 0, "another file took the name");
    assert.equal(other.linkCountSync(), 1);
    await form.deleteFile(fs, "b");
    assert.equal(other.linkCountSync(), 0, "the file was deleted");
    await handle.close();
    assert.throws(() => handle.linkCountSync(), { code: "CLOSED" });
    await other.close();
  }),
  ...inBothForms("rename refuses what is missing or in the way", async (fs, form) => {
    await put(fs, "a", "kept");
    await fs.mkdir("d");
    await refuses("NOT_FOUND", "rename", "b", () => form.rename(fs, "b", "c"));
    await assert.rejects(form.rename(fs, "a", "no/a"), { code: "NOT_FOUND" });
    await refuses("NOT_A_DIRECTORY", "rename", "d", () => form.rename(fs, "a", "d"));
    await assert.rejects(form.rename(fs, "a", ""), { code: "NOT_A_DIRECTORY" });
    assert.equal(await get(fs, "a"), "kept");
  }),
  ...inBothForms("rename to the same name changes nothing", async (fs, form) => {
    await put(fs, "a", "kept");
    await form.rename(fs, "a", "a");
    assert.equal(await get(fs, "a"), "kept");
  }),
  ...inBothForms("rename takes a directory along with what is in it", async (fs, form) => {
    await fs.mkdir("d/e");
    await fs.mkdir("f");
    await put(fs, "d/e/a", "deep");
    await form.rename(fs, "d", "g");
    assert.equal(await get(fs, "g/e/a"), "deep");
    await refuses("ALREADY_EXISTS", "rename", "f", () => form.rename(fs, "g", "f"));
    await refuses("INVALID_ARGUMENT", "rename", "g", () => form.rename(fs, "g", "g/e/h"));
    assert.equal(await get(fs, "g/e/a"), "deep");
  }),
  ...ifHardLinks("linkNoReplace gives a second name", async (fs) => {
    await put(fs, "a", "both");
    await fs.linkNoReplace("a", "b");
    await using(fs.openFileMut("b"), (handle) => handle.writeAt(0, bytesOf("B")));
    assert.equal(await get(fs, "a"), "Both");
    await fs.deleteFile("a");
    assert.equal(await get(fs, "b"), "Both");
  }),
  ...ifHardLinks("promise 4: linkNoReplace never replaces", async (fs) => {
    await put(fs, "a", "a");
    await put(fs, "b", "b");
    await fs.mkdir("d");
    await assert.rejects(fs.linkNoReplace("a", "b"), { code: "ALREADY_EXISTS" });
    await assert.rejects(fs.linkNoReplace("a", "d"), { code: "ALREADY_EXISTS" });
    await refuses("NOT_FOUND", "linkNoReplace", "c", () => fs.linkNoReplace("c", "e"));
    await refuses("NOT_A_DIRECTORY", "linkNoReplace", "d", () => fs.linkNoReplace("d", "e"));
    assert.equal(await get(fs, "b"), "b");
  }),
  ...ifHardLinks("promise 4: of concurrent links one wins", async (fs) => {
    const sources = ["a", "b", "c", "d"];
    for (const source of sources) await put(fs, source, source);
    const attempts = await Promise.allSettled(sources.map((source) => fs.linkNoReplace(source, "final")));
    const winners = sources.filter((_, index) => attempts[index]?.status === "fulfilled");
    assert.equal(winners.length, 1);
    assert.equal(await get(fs, "final"), winners[0]);
    for (const attempt of attempts) {
      if (attempt.status === "rejected") assert.ok(isStorageError(attempt.reason), String(attempt.reason));
    }
  }),
  {
    name: "linkNoReplace refuses where supports.hardLinks is false",
    async run(fs) {
      if (fs.supports.hardLinks) return;
      await put(fs, "a", "a");
      await assert.rejects(fs.linkNoReplace("a", "b"), { code: "UNSUPPORTED" });
    },
  },
  ...inBothForms("list is sorted by code units and tells kinds", async (fs, form) => {
    assert.deepEqual(await form.list(fs, ""), []);
    for (const name of ["b", "a10", "a9", "B", "é", "_", ".h"]) await put(fs, name, "");
    await fs.mkdir("ab");
    assert.deepEqual(
      (await form.list(fs, "")).map(({ name, kind }) => `${name} ${kind}`),
      [".h file", "B file", "_ file", "a10 file", "a9 file", "ab directory", "b file", "é file"],
    );
    assert.deepEqual(await form.list(fs, "ab"), []);
  }),
  ...inBothForms("list needs a directory", async (fs, form) => {
    await put(fs, "a", "");
    await refuses("NOT_FOUND", "list", "b", () => form.list(fs, "b"));
    await refuses("NOT_A_DIRECTORY", "list", "a", () => form.list(fs, "a"));
  }),
  {
    name: "mkdir creates missing parents and is idempotent",
    async run(fs) {
      await fs.mkdir("a/b/c");
      await fs.mkdir("a/b/c");
      await fs.mkdir("a");
      await fs.mkdir("");
      await Promise.all(Array.from({ length: 4 }, () => fs.mkdir("a/b/d")));
      assert.deepEqual(await fs.list("a/b"), [
        { name: "c", kind: "directory" },
        { name: "d", kind: "directory" },
      ]);
    },
  },
  {
    name: "mkdir does not take a file for a directory",
    async run(fs) {
      await put(fs, "a", "kept");
      await refuses("NOT_A_DIRECTORY", "mkdir", "a", () => fs.mkdir("a"));
      await refuses("NOT_A_DIRECTORY", "mkdir", "a/b", () => fs.mkdir("a/b"));
      assert.equal(await get(fs, "a"), "kept");
    },
  },
  {
    name: "removeDirectory removes all below and is idempotent",
    async run(fs) {
      await fs.mkdir("a/b/c");
      await put(fs, "a/b/c/f", "x");
      await put(fs, "a/g", "x");
      await put(fs, "h", "kept");
      await fs.removeDirectory("a");
      await fs.removeDirectory("a");
      assert.deepEqual(await fs.list(""), [{ name: "h", kind: "file" }]);
    },
  },
  {
    name: "removeDirectory removes neither a file nor the root",
    async run(fs) {
      await put(fs, "a", "kept");
      await refuses("NOT_A_DIRECTORY", "removeDirectory", "a", () => fs.removeDirectory("a"));
      await refuses("INVALID_PATH", "removeDirectory", "", () => fs.removeDirectory(""));
      assert.equal(await get(fs, "a"), "kept");
    },
  },
  ...inBothForms("promise 3: syncDirectory returns for every directory and refuses the rest", async (fs, form) => {
    await fs.mkdir("d/e");
    await put(fs, "a", "");
    for (const path of ["", "d", "d/e"]) await form.syncDirectory(fs, path);
    await refuses("NOT_FOUND", "syncDirectory", "b", () => form.syncDirectory(fs, "b"));
    await refuses("NOT_A_DIRECTORY", "syncDirectory", "a", () => form.syncDirectory(fs, "a"));
  }),
];

function ifHardLinks(name: string, run: (fs: FileSystem) => Promise<void>): Check[] {
  return [{ name, run: async (fs) => (fs.supports.hardLinks ? run(fs) : undefined) }];
}

import assert from "node:assert/strict";
import type { FileSystem } from "../../file-system/file-system.ts";
import { type Check, get, put, refuses } from "./check.ts";

/** Paths that every file system refuses. */
export const hostilePaths: readonly string[] = [
  "..",
  ".",
  "../../etc/passwd",
  "/etc/passwd",
  "/",
  "a/../../x",
  "a/./b",
  "a//b",
  "a/",
  "a\\b",
  "..\\x",
  "C:\\x",
  "c:x",
  "a:stream",
  "a\0b",
  "a\nb",
  "a\u007f",
  "a\u0085b",
  "what?",
  "*",
  "a|b",
  "<a>",
  'quo"te',
  "x".repeat(256),
  "é".repeat(128),
  `${"d/".repeat(500)}a`,
  "\ud800",
  "a\udc00b",
  "e\u0301",
  "trailing.",
  "trailing ",
  "dir./a",
  "CON",
  "nul",
  "Aux.log",
  "com1",
  "lpt9.txt",
  "d/prn.tar.gz",
];

/** Unusual names that are fine everywhere. */
export const unusualNames: readonly string[] = [
  "..%2f",
  "...a",
  ".hidden",
  " leading space",
  "con1",
  "console",
  "é",
  "日本語",
  "😀",
  "x".repeat(255),
  "a,b;c=d@e!f#g$h%i^j&k(l)m[n]o{p}q~r`s't+u",
];

const calls: Readonly<Record<string, (fs: FileSystem, path: string) => unknown>> = {
  createFile: (fs, path) => fs.createFile(path),
  openFile: (fs, path) => fs.openFile(path),
  openFileMut: (fs, path) => fs.openFileMut(path),
  deleteFile: (fs, path) => fs.deleteFile(path),
  fileExists: (fs, path) => fs.fileExists(path),
  fileMetadata: (fs, path) => fs.fileMetadata(path),
  list: (fs, path) => fs.list(path),
  rename: (fs, path) => fs.rename(path, "target"),
  linkNoReplace: (fs, path) => fs.linkNoReplace(path, "target"),
  mkdir: (fs, path) => fs.mkdir(path),
  removeDirectory: (fs, path) => fs.removeDirectory(path),
  syncDirectory: (fs, path) => fs.syncDirectory(path),
  lock: (fs, path) => fs.lock(path),
  watch: (fs, path) => fs.watch(path, () => {}),
  localPath: (fs, path) => fs.localPath(path),
};

const moreCalls: readonly (readonly [string, (fs: FileSystem, path: string) => unknown])[] = [
  ["rename", (fs, path) => fs.rename("a", path)],
  ["linkNoReplace", (fs, path) => fs.linkNoReplace("a", path)],
  ["createFile", (fs, path) => fs.createFileSync(path)],
  ["openFile", (fs, path) => fs.openFileSync(path)],
  ["openFileMut", (fs, path) => fs.openFileMutSync(path)],
  ["deleteFile", (fs, path) => fs.deleteFileSync(path)],
  ["fileMetadata", (fs, path) => fs.fileMetadataSync(path)],
  ["list", (fs, path) => fs.listSync(path)],
  ["rename", (fs, path) => fs.renameSync(path, "target")],
  ["rename", (fs, path) => fs.renameSync("a", path)],
  ["syncDirectory", (fs, path) => fs.syncDirectorySync(path)],
];

/** Names from outside never leave the root, and mean the same on every platform. */
export const pathChecks: readonly Check[] = [
  ...hostilePaths.map((path) => ({
    name: `every call refuses the path ${JSON.stringify(path.length > 20 ? `${path.slice(0, 20)}…` : path)}`,
    async run(fs: FileSystem) {
      await put(fs, "a", "kept");
      for (const [operation, call] of [...Object.entries(calls), ...moreCalls]) {
        await refuses("INVALID_PATH", operation, path, () => call(fs, path));
      }
      assert.deepEqual(await fs.list(""), [{ name: "a", kind: "file" }]);
      assert.equal(await get(fs, "a"), "kept");
    },
  })),
  {
    name: "unusual names come back as they were given",
    async run(fs) {
      for (const name of unusualNames) await put(fs, name, name);
      assert.deepEqual(
        (await fs.list("")).map((entry) => entry.name),
        [...unusualNames].sort((a, b) => (a < b ? -1 : 1)),
      );
      for (const name of unusualNames) assert.equal(await get(fs, name), name);
    },
  },
  {
    name: "a path that is no string is refused",
    async run(fs) {
      for (const path of [undefined, null, 7, {}, Buffer.from("a")] as unknown as string[]) {
        await assert.rejects(fs.openFile(path), { code: "INVALID_PATH" });
        assert.throws(() => fs.createFileSync(path), { code: "INVALID_PATH" });
      }
      assert.deepEqual(await fs.list(""), []);
    },
  },
];

/**
 * Goal: what LocalFileSystem promises beyond the suite: modes, symbolic links, foreign things in the directory, short
 * writes of the real kernel, descriptors that come back.
 * Method: a temporary directory, and child processes where a limit must apply.
 */
import { execFile, execFileSync } from "node:child_process";
import { openSync, readdirSync } from "node:fs";
import { mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test, vi } from "vitest";
import type { FileHandle, FileSystem } from "../src/file-system/file-system.ts";
import { LocalFileHandle } from "../src/file-system/local-file-handle.ts";
import { LocalFileSystem } from "../src/file-system/local-file-system.ts";
import { fixture, runFixture, temporaryDirectory } from "./child.ts";

// Processes start slowly on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

const isWindows = process.platform === "win32";

describe.skipIf(isWindows)("modes", () => {
  test("files are 0600 and directories 0700, the root and its parents included", async () => {
    const base = await temporaryDirectory();
    const fs = new LocalFileSystem(join(base, "new/parent/root"));
    await fs.mkdir("d/e");
    await (await fs.createFile("d/async")).close();
    fs.createFileSync("d/sync").closeSync();
    const modeOf = async (path: string): Promise<number> => (await stat(join(base, path))).mode & 0o777;
    for (const path of ["new", "new/parent", "new/parent/root", "new/parent/root/d", "new/parent/root/d/e"]) {
      expect(await modeOf(path), path).toBe(0o700);
    }
    expect(await modeOf("new/parent/root/d/async")).toBe(0o600);
    expect(await modeOf("new/parent/root/d/sync")).toBe(0o600);
  });
});

describe("the root", () => {
  test("may be missing until mkdir creates it", async () => {
    const fs = new LocalFileSystem(join(await temporaryDirectory(), "root"));
    await expect(fs.list("")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(fs.createFile("a")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await fs.mkdir("");
    expect(await fs.list("")).toEqual([]);
  });

  test("that is a file is refused", async () => {
    const base = await temporaryDirectory();
    await writeFile(join(base, "file"), "");
    const fs = new LocalFileSystem(join(base, "file"));
    await expect(fs.mkdir("")).rejects.toMatchObject({ code: "NOT_A_DIRECTORY" });
    await expect(fs.createFile("a")).rejects.toMatchObject({ code: "NOT_A_DIRECTORY" });
  });

  test("must be given", () => {
    for (const root of ["", "a\0b", undefined as unknown as string]) {
      expect(() => new LocalFileSystem(root)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    }
  });

  test("gives local paths", async () => {
    const base = await temporaryDirectory();
    const fs = new LocalFileSystem(base);
    expect(fs.localPath("")).toBe(base);
    expect(fs.localPath("d/a")).toBe(join(base, "d", "a"));
  });
});

describe.skipIf(isWindows)("symbolic links inside the root", () => {
  async function linkedRoot(): Promise<{ fs: LocalFileSystem; outside: string }> {
    const base = await temporaryDirectory();
    const outside = join(base, "outside");
    await mkdir(join(outside, "sub"), { recursive: true });
    await writeFile(join(outside, "secret"), "untouched");
    const fs = new LocalFileSystem(join(base, "root"));
    await fs.mkdir("");
    await (await fs.createFile("plain")).close();
    await symlink(join(outside, "secret"), join(base, "root/file"));
    await symlink(outside, join(base, "root/directory"));
    await symlink(join(base, "nowhere"), join(base, "root/dangling"));
    return { fs, outside };
  }

  const calls: readonly (readonly [string, (fs: FileSystem) => unknown])[] = [
    ["openFile of a link", (fs) => fs.openFile("file")],
    ["openFileSync of a link", (fs) => fs.openFileSync("file")],
    ["openFileMut of a link", (fs) => fs.openFileMut("file")],
    ["openFileMutSync of a link", (fs) => fs.openFileMutSync("file")],
    ["openFile below a link", (fs) => fs.openFile("directory/secret")],
    ["openFileSync below a link", (fs) => fs.openFileSync("directory/secret")],
    ["createFile below a link", (fs) => fs.createFile("directory/new")],
    ["createFileSync below a link", (fs) => fs.createFileSync("directory/new")],
    ["deleteFile of a link", (fs) => fs.deleteFile("file")],
    ["deleteFileSync below a link", (fs) => fs.deleteFileSync("directory/secret")],
    ["fileExists of a link", (fs) => fs.fileExists("file")],
    ["fileMetadata of a link", (fs) => fs.fileMetadata("file")],
    ["fileMetadataSync of a link", (fs) => fs.fileMetadataSync("dangling")],
    ["list of a link", (fs) => fs.list("directory")],
    ["listSync of a link", (fs) => fs.listSync("directory")],
    ["list below a link", (fs) => fs.list("directory/sub")],
    ["rename of a link", (fs) => fs.rename("file", "b")],
    ["rename over a link", (fs) => fs.rename("plain", "file")],
    ["renameSync over a link", (fs) => fs.renameSync("plain", "dangling")],
    ["rename into a link", (fs) => fs.rename("plain", "directory/plain")],
    ["linkNoReplace of a link", (fs) => fs.linkNoReplace("file", "b")],
    ["linkNoReplace into a link", (fs) => fs.linkNoReplace("plain", "directory/b")],
    ["mkdir over a link", (fs) => fs.mkdir("directory")],
    ["mkdir below a link", (fs) => fs.mkdir("directory/new")],
    ["removeDirectory of a link", (fs) => fs.removeDirectory("directory")],
    ["removeDirectory below a link", (fs) => fs.removeDirectory("directory/sub")],
    ["syncDirectory of a link", (fs) => fs.syncDirectory("directory")],
    ["syncDirectorySync of a link", (fs) => fs.syncDirectorySync("directory")],
    ["lock of a link", (fs) => fs.lock("directory")],
    ["watch of a link", (fs) => fs.watch("directory", () => {})],
  ];

  test.each(calls)("%s is refused", async (_name, call) => {
    const { fs, outside } = await linkedRoot();
    await expect((async () => call(fs))()).rejects.toMatchObject({ code: "INVALID_PATH" });
    expect(readdirSync(outside).sort()).toEqual(["secret", "sub"]);
    expect(await readFile(join(outside, "secret"), "utf8")).toBe("untouched");
    expect(fs.listSync("").map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      "dangling other",
      "directory other",
      "file other",
      "plain file",
    ]);
  });

  test("createFile of a link's name is refused as taken", async () => {
    const { fs } = await linkedRoot();
    await expect(fs.createFile("dangling")).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    expect(() => fs.createFileSync("file")).toThrow(expect.objectContaining({ code: "ALREADY_EXISTS" }));
  });

  test("removeDirectory of their parent removes them, not what they name", async () => {
    const { fs, outside } = await linkedRoot();
    await fs.mkdir("d");
    await symlink(outside, fs.localPath("d/link"));
    await fs.removeDirectory("d");
    expect(await readFile(join(outside, "secret"), "utf8")).toBe("untouched");
  });
});

describe.skipIf(isWindows)("a pipe in the directory", () => {
  test("is neither opened nor waited for, and can be deleted", async () => {
    const fs = new LocalFileSystem(await temporaryDirectory());
    execFileSync("mkfifo", [fs.localPath("pipe")]);
    expect(await fs.list("")).toEqual([{ name: "pipe", kind: "other" }]);
    await expect(fs.openFile("pipe")).rejects.toMatchObject({ code: "INVALID_PATH" });
    expect(() => fs.openFileMutSync("pipe")).toThrow(expect.objectContaining({ code: "INVALID_PATH" }));
    expect(await fs.fileExists("pipe")).toBe(false);
    await fs.deleteFile("pipe");
    expect(await fs.list("")).toEqual([]);
  });
});

describe.skipIf(process.platform !== "linux")("a full disk", () => {
  test("is NO_SPACE in both forms, the cause kept", async () => {
    const handle = new LocalFileHandle(openSync("/dev/full", "r+"), "full", true);
    const expected = {
      code: "NO_SPACE",
      path: "full",
      operation: "writeAt",
      cause: expect.objectContaining({ code: "ENOSPC" }),
    };
    await expect(handle.writeAt(0, new Uint8Array(1))).rejects.toMatchObject(expected);
    expect(() => handle.writeAtSync(0, new Uint8Array(1))).toThrow(expect.objectContaining(expected));
    const zeroing = { ...expected, operation: "preallocate" };
    await expect(handle.preallocate(0, 1)).rejects.toMatchObject(zeroing);
    expect(() => handle.preallocateSync(0, 1)).toThrow(expect.objectContaining(zeroing));
    await handle.close();
  });

  test("that takes a part and says nothing is NO_SPACE too", async () => {
    const root = await temporaryDirectory();
    const command = `ulimit -f 16; exec "$0" "$1" "$2"`;
    const { stdout } = await promisify(execFile)("sh", [
      "-c",
      command,
      process.execPath,
      fixture("limited-writer"),
      root,
    ]);
    expect(stdout).toBe("sync NO_SPACE after a part\nasync NO_SPACE after a part\n");
  });
});

describe.skipIf(process.platform !== "linux")("descriptors", () => {
  const count = (): number => readdirSync("/proc/self/fd").length;

  test("come back after every kind of use and failure", async () => {
    const fs = new LocalFileSystem(await temporaryDirectory());
    await fs.mkdir("d");
    await (await fs.createFile("a")).close();
    await (await fs.lock("")).release();
    const before = count();
    for (let i = 0; i < 100; i += 1) {
      await (await fs.openFile("a")).close();
      fs.openFileMutSync("a").closeSync();
      await expect(fs.openFile("d")).rejects.toThrow();
      expect(() => fs.openFileSync("d")).toThrow();
      await expect(fs.createFile("a")).rejects.toThrow();
      await fs.syncDirectory("d");
      fs.syncDirectorySync("d");
      await (await fs.lock("d")).release();
      const handle = fs.openFileSync("a");
      const reading = handle.readAt(0, new Uint8Array(1));
      handle.closeSync();
      await reading;
      await handle.close();
    }
    expect(count()).toBe(before);
  });

  test("are not given to another file while a read of this one waits its turn", async () => {
    const fs = new LocalFileSystem(await temporaryDirectory());
    for (const name of ["a", "b"]) {
      const handle = fs.createFileSync(name);
      handle.writeAtSync(0, Buffer.alloc(2 ** 16, name));
      handle.closeSync();
    }
    for (const close of [async (handle: FileHandle) => handle.closeSync(), (handle: FileHandle) => handle.close()]) {
      const handle = fs.openFileSync("a");
      const buffers = Array.from({ length: 32 }, () => Buffer.alloc(2 ** 16));
      // More than the thread pool has threads: most reads begin after the close.
      const reads = buffers.map((buffer) => handle.readAt(0, buffer));
      const closing = close(handle);
      const others = Array.from({ length: 4 }, () => fs.openFileSync("b"));
      await Promise.all(reads);
      await closing;
      for (const buffer of buffers) expect(buffer.equals(Buffer.alloc(2 ** 16, "a"))).toBe(true);
      for (const other of others) other.closeSync();
    }
  });

  test("a dropped handle is closed, and said so", async () => {
    const root = await temporaryDirectory();
    const output = await runFixture("dropped-handle", [root], ["--expose-gc", "--no-warnings"]);
    expect(output).toBe('FileHandleLeakWarning: The handle of "dropped" was dropped without close()\n');
  });

  test("a descriptor closed by somebody else is CLOSED, not another file", async () => {
    // A number that no process has open.
    const handle = new LocalFileHandle(2 ** 30, "a", true);
    expect(() => handle.sizeSync()).toThrow(expect.objectContaining({ code: "CLOSED" }));
    await expect(handle.close()).rejects.toMatchObject({ code: "CLOSED", operation: "close" });
  });
});

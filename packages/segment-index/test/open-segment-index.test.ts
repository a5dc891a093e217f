/**
 * Goal: the open helper picks the kind it promises, keeps a kind that is there, removes what the other kind left, and
 * loads no native code before it must. Method: open every combination on a real disk.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LocalFileSystem, MemoryFileSystem } from "@varve/fs-core";
import { CrashableFileSystem, FaultyFileSystem } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import { openSegmentIndex, type OpenedSegmentIndex, type OpenSegmentIndexSettings } from "../src/index.ts";
import { sampleEntry, sampleLogId as logId } from "../src/testing/index.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const root = temporaryDirectory();
const fileSystem = new LocalFileSystem(root);
const noLmdb = (): Promise<unknown> => Promise.reject(new Error("no native build for this platform"));
let made = 0;

type Options = Partial<OpenSegmentIndexSettings> & { readonly loadLmdb?: () => Promise<unknown> };

function open(path: string, { loadLmdb, ...settings }: Options = {}): Promise<OpenedSegmentIndex> {
  const parts = loadLmdb === undefined ? { fileSystem } : { fileSystem, loadLmdb };
  return openSegmentIndex({ kind: "auto", path, logId, ...settings }, parts);
}

/** Opens, adds an entry if there is none, closes; what it saw. */
async function visit(path: string, options: Options = {}): Promise<{ kind: string; outcome: string; entries: number }> {
  const { index, outcome } = await open(path, options);
  const entries = (await index.list()).length;
  if (entries === 0) await index.add(sampleEntry(1));
  await index.close();
  return { kind: index.kind, outcome, entries };
}

function freshPath(): string {
  return `index-${++made}`;
}

describe("kind auto", () => {
  test("is lmdb where it loads", async () => {
    const path = freshPath();
    expect(await visit(path)).toEqual({ kind: "lmdb", outcome: "created", entries: 0 });
    expect(await visit(path)).toEqual({ kind: "lmdb", outcome: "opened", entries: 1 });
    expect(readdirSync(join(root, path)).sort()).toEqual(["data.mdb", "data.seal", "lock.mdb"]);
  });

  test("is file where lmdb does not load, and stays file", async () => {
    const path = freshPath();
    expect(await visit(path, { loadLmdb: noLmdb })).toEqual({ kind: "file", outcome: "created", entries: 0 });
    expect(await visit(path)).toEqual({ kind: "file", outcome: "opened", entries: 1 });
    expect(readdirSync(join(root, path))).toEqual(["segments.idx"]);
  });

  test("is file where lmdb fails to make an environment", async () => {
    const loadLmdb = async (): Promise<unknown> => ({
      open: () => {
        throw new Error("Invalid argument");
      },
    });
    expect(await visit(freshPath(), { loadLmdb })).toMatchObject({ kind: "file", outcome: "created" });
  });

  test("is file on a file system that is not the operating system's", async () => {
    const elsewhere = { fileSystem: new MemoryFileSystem() };
    const { index, outcome } = await openSegmentIndex({ kind: "auto", path: "index", logId }, elsewhere);
    expect([index.kind, outcome]).toEqual(["file", "created"]);
    await index.close();
  });

  test("says so when an lmdb index cannot be read any more", async () => {
    const path = freshPath();
    await visit(path);
    const { index, ...opened } = await open(path, { loadLmdb: noLmdb });
    expect(opened).toEqual({ outcome: "reset", reason: "the index there was not of kind file" });
    await index.close();
    expect(readdirSync(join(root, path))).toEqual(["segments.idx"]);
  });
});

describe("a kind that is asked for", () => {
  test("replaces the other kind, and says so", async () => {
    const path = freshPath();
    await visit(path, { kind: "file" });
    expect(await visit(path, { kind: "lmdb" })).toEqual({ kind: "lmdb", outcome: "reset", entries: 0 });
    expect(await visit(path, { kind: "file" })).toEqual({ kind: "file", outcome: "reset", entries: 0 });
    expect(await visit(path, { kind: "file" })).toEqual({ kind: "file", outcome: "opened", entries: 1 });
  });

  test("memory touches nothing", async () => {
    const path = freshPath();
    expect(await visit(path, { kind: "memory" })).toEqual({ kind: "memory", outcome: "created", entries: 0 });
    expect(existsSync(join(root, path))).toBe(false);
  });

  test("lmdb without the module is an error", async () => {
    await expect(open(freshPath(), { kind: "lmdb", loadLmdb: noLmdb })).rejects.toMatchObject({
      code: "INDEX_UNAVAILABLE",
    });
  });

  test("an unknown one is an error, as is a bad log id", async () => {
    await expect(open(freshPath(), { kind: "mdbx" as "auto" })).rejects.toMatchObject({
      code: "INDEX_INVALID_ARGUMENT",
    });
    await expect(open(freshPath(), { logId: "../../etc" })).rejects.toMatchObject({ code: "INDEX_INVALID_ARGUMENT" });
  });
});

describe.each(["lmdb", "file"] as const)("kind %s", (kind) => {
  test("of another log is reset with a reason", async () => {
    const path = freshPath();
    await visit(path, { kind, logId: "cd" });
    const { index, ...opened } = await open(path, { kind });
    expect(opened).toEqual({ outcome: "reset", reason: expect.stringContaining("another log") });
    expect(await index.list()).toEqual([]);
    await index.close();
  });

  test("is refused twice in one process", async () => {
    const path = freshPath();
    const { index } = await open(path, { kind });
    await expect(open(path)).rejects.toMatchObject({ code: "INDEX_ALREADY_OPEN" });
    await index.close();
  });

  test("where something else stands is reset; a symbolic link is refused", async () => {
    const path = freshPath();
    writeFileSync(join(root, path), "not a directory");
    expect(await visit(path, { kind })).toMatchObject({ outcome: "reset" });
    const link = freshPath();
    mkdirSync(join(root, `${link}-target`));
    symlinkSync(`${link}-target`, join(root, link));
    await expect(open(link, { kind })).rejects.toMatchObject({ code: "INDEX_IO", cause: { code: "INVALID_PATH" } });
    expect(readdirSync(join(root, `${link}-target`))).toEqual([]);
  });
});

test("a disk that allows no index at all is INDEX_IO, and can be tried again", async () => {
  const broken = new FaultyFileSystem(new CrashableFileSystem());
  const rule = broken.plan.add({ operation: "createFile", fault: { kind: "error", errno: "ENOSPC" } });
  const opening = openSegmentIndex({ kind: "auto", path: "index", logId }, { fileSystem: broken });
  await expect(opening).rejects.toMatchObject({ code: "INDEX_IO", cause: { code: "NO_SPACE" } });
  expect(rule.injected).toBe(1);
  rule.remove();
  const { index, outcome } = await openSegmentIndex({ kind: "auto", path: "index", logId }, { fileSystem: broken });
  expect(outcome).toBe("created");
  await index.close();
});

test("importing the package loads no native module", () => {
  const script = `
    await import(${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)});
    await import(${JSON.stringify(new URL("../src/lmdb/index.ts", import.meta.url).href)});
    const loaded = process.report.getReport().sharedObjects.filter((file) => /lmdb/.test(file) && /[.]node$/.test(file));
    console.log(JSON.stringify(loaded));`;
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const run = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8", cwd });
  expect({ stdout: run.stdout.trim(), stderr: run.stderr }).toEqual({ stdout: "[]", stderr: "" });
});

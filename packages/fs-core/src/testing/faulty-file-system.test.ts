/** Goal: planned faults hit exactly the planned calls, and are counted. Method: small plans over a file system in memory. */
import { describe, expect, test } from "vitest";
import type { FileHandle } from "../file-system/file-system.ts";
import { MemoryFileSystem } from "../file-system/memory-file-system.ts";
import { CrashableFileSystem } from "./crashable-file-system.ts";
import { type FaultErrno, FaultPlan, type FaultRule } from "./fault-plan.ts";
import { FaultyFileSystem } from "./faulty-file-system.ts";
import { ManualClock } from "./manual-clock.ts";
import { fileOperationNames } from "./operation.ts";
import { SeededRandom } from "./seeded-random.ts";

function faulty(...rules: FaultRule[]): FaultyFileSystem {
  return new FaultyFileSystem(new MemoryFileSystem(), rules);
}

const eio = { kind: "error", errno: "EIO" } as const;

async function contentOf(fs: FaultyFileSystem, path: string): Promise<string> {
  const handle = await fs.openFile(path);
  const text = Buffer.from(await handle.readAll()).toString();
  await handle.close();
  return text;
}

const errnos: readonly (readonly [FaultErrno, string])[] = [
  ["EIO", "IO"],
  ["ENOSPC", "NO_SPACE"],
  ["EMFILE", "TOO_MANY_OPEN_FILES"],
  ["EACCES", "PERMISSION_DENIED"],
];

test.each(errnos)("%s arrives as %s, its cause the system's", async (errno, code) => {
  const fs = faulty({ operation: "createFile", fault: { kind: "error", errno } });
  const expected = { code, operation: "createFile", path: "a", cause: expect.objectContaining({ code: errno }) };
  await expect(fs.createFile("a")).rejects.toMatchObject(expected);
  expect(() => fs.createFileSync("a")).toThrow(expect.objectContaining(expected));
  expect(await fs.list("")).toEqual([]);
  expect(fs.plan.injected).toBe(2);
});

describe("which calls are hit", () => {
  test("the nth, counting both forms, once", async () => {
    const fs = faulty({ operation: "fileMetadata", path: "a", nth: 2, fault: eio });
    (await fs.createFile("a")).closeSync();
    (await fs.createFile("b")).closeSync();
    fs.fileMetadataSync("a");
    fs.fileMetadataSync("b");
    await expect(fs.fileMetadata("a")).rejects.toMatchObject({ code: "IO" });
    await fs.fileMetadata("a");
  });

  test("the nth and all after it, when sticky", async () => {
    const fs = faulty({ operation: "mkdir", nth: 2, sticky: true, fault: eio });
    await fs.mkdir("a");
    await expect(fs.mkdir("b")).rejects.toThrow();
    await expect(fs.mkdir("c")).rejects.toThrow();
    expect(fs.plan.injected).toBe(2);
  });

  test.each([
    ["a string", "d/a"],
    ["a pattern", /^d\/.$/g],
    ["a function", (path: string) => path.startsWith("d/")],
  ])("those whose path fits %s, a rename by either name", async (_kind, path) => {
    const fs = faulty();
    await fs.mkdir("d");
    (await fs.createFile("d/a")).closeSync();
    (await fs.createFile("b")).closeSync();
    const rule = fs.plan.add({ path, fault: eio });
    for (let i = 0; i < 2; i += 1) await expect(fs.openFile("d/a")).rejects.toThrow();
    await expect(fs.rename("d/a", "c")).rejects.toThrow();
    await expect(fs.rename("b", "d/a")).rejects.toThrow();
    await fs.rename("b", "c");
    expect(rule).toMatchObject({ matched: 4, injected: 4 });
  });

  test("of several rules the first that is due decides; all that match count", async () => {
    const fs = faulty();
    const second = fs.plan.add({ operation: "list", nth: 2, fault: { kind: "error", errno: "EACCES" } });
    const any = fs.plan.add({ operation: ["list", "mkdir"], fault: eio });
    await expect(fs.list("")).rejects.toMatchObject({ code: "IO" });
    await expect(fs.list("")).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    expect([second.matched, second.injected, any.matched, any.injected]).toEqual([2, 1, 2, 1]);
    any.remove();
    any.remove();
    await fs.list("");
    expect(fs.plan.injected).toBe(2);
    fs.plan.clear();
    await fs.list("");
    expect(second.matched).toBe(3);
  });

  test("every operation can be", async () => {
    const inner = new MemoryFileSystem();
    const plan = new FaultPlan();
    const fs = new FaultyFileSystem(inner, plan);
    const hit = new Set<string>();
    const attempt = async (call: () => unknown): Promise<void> => {
      const before = plan.injected;
      await (async () => call())().then(
        () => expect.fail(`${String(call)} was not hit`),
        (error) => hit.add(error.operation),
      );
      expect(plan.injected).toBe(before + 1);
    };
    const withHandle = async (call: (handle: FileHandle) => unknown): Promise<void> => {
      plan.clear();
      await inner.deleteFile("h");
      const handle = await fs.createFile("h");
      plan.add({ fault: eio });
      await attempt(() => call(handle));
    };
    plan.add({ fault: eio });
    for (const call of [
      () => fs.createFile("a"),
      () => fs.openFile("a"),
      () => fs.openFileMut("a"),
      () => fs.deleteFile("a"),
      () => fs.fileExists("a"),
      () => fs.fileMetadata("a"),
      () => fs.list(""),
      () => fs.rename("a", "b"),
      () => fs.linkNoReplace("a", "b"),
      () => fs.mkdir("a"),
      () => fs.removeDirectory("a"),
      () => fs.syncDirectory(""),
      () => fs.lock(""),
      () => fs.watch("", () => {}),
      () => fs.createFileSync("a"),
      () => fs.openFileSync("a"),
      () => fs.openFileMutSync("a"),
      () => fs.deleteFileSync("a"),
      () => fs.fileMetadataSync("a"),
      () => fs.listSync(""),
      () => fs.renameSync("a", "b"),
      () => fs.syncDirectorySync(""),
    ]) {
      await attempt(call);
    }
    const bytes = new Uint8Array(1);
    for (const call of [
      (handle: FileHandle) => handle.readAt(0, bytes),
      (handle: FileHandle) => handle.writeAt(0, bytes),
      (handle: FileHandle) => handle.readAll(),
      (handle: FileHandle) => handle.readView(0, 1),
      (handle: FileHandle) => handle.setSize(1),
      (handle: FileHandle) => handle.preallocate(0, 1),
      (handle: FileHandle) => handle.size(),
      (handle: FileHandle) => handle.linkCountSync(),
      (handle: FileHandle) => handle.flush(),
      (handle: FileHandle) => handle.sync(),
      (handle: FileHandle) => handle.close(),
      (handle: FileHandle) => handle.readAtSync(0, bytes),
      (handle: FileHandle) => handle.writeAtSync(0, bytes),
      (handle: FileHandle) => handle.setSizeSync(1),
      (handle: FileHandle) => handle.preallocateSync(0, 1),
      (handle: FileHandle) => handle.sizeSync(),
      (handle: FileHandle) => handle.syncSync(),
      (handle: FileHandle) => handle.closeSync(),
    ]) {
      await withHandle(call);
    }
    expect([...hit].sort()).toEqual([...fileOperationNames].sort());
  });
});

describe("what happens to them", () => {
  test("errorAfter: done, and reported as failed", async () => {
    const fs = faulty({ operation: "rename", fault: { kind: "errorAfter", errno: "EIO" } });
    (await fs.createFile("a")).closeSync();
    await expect(fs.rename("a", "b")).rejects.toThrow();
    expect(() => fs.renameSync("b", "c")).toThrow();
    expect(await fs.list("")).toEqual([{ name: "c", kind: "file" }]);
  });

  test("errorAfter leaves no lock, handle or watch that nobody can close", async () => {
    const fs = faulty({ nth: 1, sticky: true, fault: { kind: "errorAfter", errno: "EIO" } });
    await expect(fs.lock("")).rejects.toThrow();
    await expect(fs.createFile("a")).rejects.toThrow();
    expect(() => fs.openFileSync("a")).toThrow();
    expect(() => fs.watch("", () => expect.fail("a watch is left"))).toThrow();
    fs.plan.clear();
    await (await fs.lock("")).release();
    await (await fs.createFile("b")).close();
  });

  test.each(["sync", "async"])("shortWrite: a part, then the error (%s)", async (form) => {
    const fs = faulty({ operation: "writeAt", nth: 1, fault: { kind: "shortWrite", bytes: 4, errno: "ENOSPC" } });
    const handle = await fs.createFile("a");
    const data = Buffer.from("abcdefgh");
    const write = async (): Promise<void> => (form === "sync" ? handle.writeAtSync(2, data) : handle.writeAt(2, data));
    await expect(write()).rejects.toMatchObject({ code: "NO_SPACE", operation: "writeAt" });
    expect(await contentOf(fs, "a")).toBe("\0\0abcd");
    await write();
    expect(await contentOf(fs, "a")).toBe("\0\0abcdefgh");
  });

  test.each(["sync", "async"])("splitWrite: two writes for one, all there (%s)", async (form) => {
    const inner = new CrashableFileSystem();
    const fs = new FaultyFileSystem(inner, [{ fault: { kind: "splitWrite", bytes: 3 } }]);
    const handle = await fs.createFile("a");
    const before = inner.operations;
    const data = Buffer.from("abcdefgh");
    if (form === "sync") handle.writeAtSync(0, data);
    else await handle.writeAt(0, data);
    expect(inner.operations - before).toBe(2);
    expect(await contentOf(fs, "a")).toBe("abcdefgh");
    expect(fs.plan.injected).toBe(1);
  });

  test("delay: the answer comes later, by the clock", async () => {
    const clock = new ManualClock();
    const rules: FaultRule[] = [{ operation: "mkdir", fault: { kind: "delay", ms: 250 } }];
    const fs = new FaultyFileSystem(new MemoryFileSystem(), rules, { clock });
    let done = false;
    const making = fs.mkdir("d").then(() => {
      done = true;
    });
    await clock.advanceAsync(249);
    expect([done, await fs.list("")]).toEqual([false, [{ name: "d", kind: "directory" }]]);
    await clock.advanceAsync(1);
    await making;
    expect(clock.pendingTimers).toBe(0);
  });

  test("delay passes synchronous calls by", () => {
    const fs = faulty({ fault: { kind: "delay", ms: 1 } });
    fs.createFileSync("a").closeSync();
    expect(fs.plan.injected).toBe(0);
  });

  test("a failing close closes all the same", async () => {
    const fs = faulty({ operation: "close", fault: eio });
    const handle = await fs.createFile("a");
    await expect(handle.close()).rejects.toMatchObject({ code: "IO", operation: "close" });
    await expect(handle.size()).rejects.toMatchObject({ code: "CLOSED" });
  });
});

describe("a failed sync over a CrashableFileSystem", () => {
  const after = async (rule: FaultRule, form: "sync" | "async"): Promise<string> => {
    const disk = new CrashableFileSystem();
    disk.syncDirectorySync("");
    const fs = new FaultyFileSystem(disk, [rule]);
    const handle = await fs.createFile("a");
    await handle.writeAt(0, Buffer.from("x"));
    const step = async (sync: () => Promise<void>, syncSync: () => void): Promise<void> =>
      (form === "sync" ? (async () => syncSync())() : sync()).catch(() => {});
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await step(
        () => handle.sync(),
        () => handle.syncSync(),
      );
      await step(
        () => fs.syncDirectory(""),
        () => fs.syncDirectorySync(""),
      );
    }
    const survivors = disk.crashClone({ model: "drop", random: new SeededRandom(1) });
    if (!(await survivors.fileExists("a"))) return "no file";
    return `${(await survivors.fileMetadata("a")).size} bytes`;
  };

  test.each(["sync", "async"] as const)("loses what it covered, though the retry succeeds (%s)", async (form) => {
    expect(await after({ operation: "sync", nth: 1, fault: eio }, form)).toBe("0 bytes");
    expect(await after({ operation: "syncDirectory", nth: 1, fault: eio }, form)).toBe("no file");
  });

  test("loses nothing when told so", async () => {
    expect(await after({ operation: "sync", nth: 1, fault: eio, losesUnsynced: false }, "async")).toBe("1 bytes");
  });

  test("cannot lose anything elsewhere, and says so", async () => {
    const fs = faulty({ operation: "syncDirectory", fault: eio, losesUnsynced: true });
    await expect(fs.syncDirectory("")).rejects.toThrow(TypeError);
  });
});

test.each([
  { nth: 0, fault: eio },
  { nth: 1.5, fault: eio },
  { sticky: true, fault: eio },
  { fault: { kind: "splitWrite", bytes: -1 } },
] as FaultRule[])("a rule that could not work is refused: %j", (rule) => {
  expect(() => new FaultPlan([rule])).toThrow(RangeError);
});

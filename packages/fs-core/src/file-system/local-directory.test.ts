/**
 * Goal: a directory that mkdir made is durable with all the names that lead to it.
 * Method: record which directories are synced, and what existed at that moment.
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { makeLocalDirectory } from "./local-directory.ts";
import { LocalPaths } from "./local-paths.ts";

async function record(existing: string, root: string, path: string): Promise<string[]> {
  const base = await mkdtemp(join(tmpdir(), "varve-mkdir-"));
  onTestFinished(() => rm(base, { recursive: true }));
  await mkdir(join(base, existing), { recursive: true });
  const synced: string[] = [];
  await makeLocalDirectory(new LocalPaths(join(base, root)), path, async (target) => {
    expect(existsSync(target)).toBe(true);
    synced.push(relative(base, target) || ".");
  });
  expect(existsSync(join(base, root, path))).toBe(true);
  return synced;
}

test("a new root: every parent up to the first that was there", async () => {
  expect(await record("x", "x/y/root", "")).toEqual(["x/y", "x"]);
});

test("directories below the root: each parent, root included", async () => {
  expect(await record("root", "root", "a/b/c")).toEqual([".", "root", "root/a", "root/a/b"]);
});

test("nothing missing: the same, for an earlier process may have died before its sync", async () => {
  expect(await record("root/a/b", "root", "a/b")).toEqual([".", "root", "root/a"]);
});

test("a parent of the root that is closed to us is passed over, one that fails is not", async () => {
  const base = await mkdtemp(join(tmpdir(), "varve-mkdir-"));
  onTestFinished(() => rm(base, { recursive: true }));
  const failing = (code: string) => async () => {
    throw Object.assign(new Error(code), { code });
  };
  await makeLocalDirectory(new LocalPaths(base), "", failing("EACCES"));
  await expect(makeLocalDirectory(new LocalPaths(base), "", failing("EIO"))).rejects.toMatchObject({ code: "IO" });
  await expect(makeLocalDirectory(new LocalPaths(join(base, "new")), "", failing("EACCES"))).rejects.toMatchObject({
    code: "PERMISSION_DENIED",
  });
});

test.runIf(process.platform === "linux")(
  "a root that the system refuses to make is an error, at any depth",
  async () => {
    for (const root of ["/proc/varve", "/proc/varve/deeper/still"]) {
      await expect(makeLocalDirectory(new LocalPaths(root), "")).rejects.toMatchObject({ code: "NOT_FOUND" });
    }
  },
);

test("a file where a parent of the root should be is said so", async () => {
  const base = await mkdtemp(join(tmpdir(), "varve-mkdir-"));
  onTestFinished(() => rm(base, { recursive: true }));
  await writeFile(join(base, "file"), "");
  for (const root of ["file", "file/x", "file/x/y"]) {
    await expect(makeLocalDirectory(new LocalPaths(join(base, root)), "")).rejects.toMatchObject({
      code: "NOT_A_DIRECTORY",
    });
  }
});

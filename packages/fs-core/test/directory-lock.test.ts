/**
 * Goal: promise 7 holds between processes: never two owners, and a dead owner's lock is free at once.
 * Method: real processes, real kills; a witness file proves that nobody else is in.
 */
import { once } from "node:events";
import { stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { expect, test, vi } from "vitest";
import { lockDirectory, lockFileName } from "../src/file-system/directory-lock.ts";
import { LocalFileSystem } from "../src/file-system/local-file-system.ts";
import { runFixture, startFixture, temporaryDirectory } from "./child.ts";

// Processes start slowly on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

test("four processes own a directory 500 times, never two at once", async () => {
  const root = await temporaryDirectory();
  const rivals = await Promise.all(Array.from({ length: 4 }, () => startFixture("locker", [root, "125"])));
  const results = await Promise.all(
    rivals.map(async (rival) => {
      rival.stdin?.write("go");
      const [output] = await once(rival.stdout as Readable, "data");
      return JSON.parse(String(output));
    }),
  );
  expect(results.map((result) => result.owned)).toEqual([125, 125, 125, 125]);
  expect(results.map((result) => result.secondOwners)).toEqual([0, 0, 0, 0]);
  // Without refusals they would have run one after the other, and the test would prove nothing.
  expect(results.reduce((sum, result) => sum + result.refused, 0)).toBeGreaterThan(10);
});

test("the lock of a killed process is free at once, that of a stopped one is not", async () => {
  const root = await temporaryDirectory();
  const fs = new LocalFileSystem(root);
  const holder = await startFixture("holder", [root, "stay"]);
  await expect(fs.lock("")).rejects.toMatchObject({ code: "LOCKED", retryable: true });
  holder.kill("SIGSTOP");
  await expect(fs.lock("")).rejects.toMatchObject({ code: "LOCKED" });
  holder.kill("SIGKILL");
  await once(holder, "exit");
  await (await fs.lock("")).release();
});

test("a held lock does not keep its process alive", async () => {
  const root = await temporaryDirectory();
  expect(await runFixture("holder", [root, "end"])).toBe("held\n");
});

test("cluster workers do not share a lock", async () => {
  const root = await temporaryDirectory();
  expect(await runFixture("cluster-lockers", [root])).toBe("LOCKED owner\n");
});

test("two file systems of one process exclude each other, whatever they call the directory", async () => {
  const base = await temporaryDirectory();
  const first = new LocalFileSystem(join(base, "real"));
  await first.mkdir("log");
  await symlink(join(base, "real"), join(base, "alias"));
  const lock = await first.lock("log");
  await expect(new LocalFileSystem(join(base, "alias")).lock("log")).rejects.toMatchObject({ code: "LOCKED" });
  await expect(new LocalFileSystem(join(base, "real/log")).lock("")).rejects.toMatchObject({ code: "LOCKED" });
  await lock.release();
  await (await new LocalFileSystem(join(base, "alias")).lock("log")).release();
});

test.skipIf(process.platform === "win32")(
  "where open can lock, a private file in the directory carries it",
  async () => {
    const root = await temporaryDirectory();
    const lock = await lockDirectory(root, "log", "darwin");
    expect((await stat(join(root, lockFileName))).mode & 0o777).toBe(0o600);
    await lock.release();
    await lock.release();
    await (await lockDirectory(root, "log", "darwin")).release();
  },
);

test("a platform without a kernel-held lock is refused, not guessed", async () => {
  const root = await temporaryDirectory();
  await expect(lockDirectory(root, "log", "aix")).rejects.toMatchObject({ code: "UNSUPPORTED", path: "log" });
});

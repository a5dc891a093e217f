import assert from "node:assert/strict";
import { systemClock } from "../../clock.ts";
import { isStorageError } from "../../errors.ts";
import type { FileLock, FileSystem } from "../../file-system/file-system.ts";
import { bytesOf, type Check, put, refuses, using } from "./check.ts";

/** Owning a directory, and hearing of its changes. */
export const lockAndWatchChecks: readonly Check[] = [
  {
    name: "promise 7: of concurrent lockers one wins",
    async run(fs) {
      await fs.mkdir("d");
      const attempts = await Promise.allSettled(Array.from({ length: 8 }, () => fs.lock("d")));
      const won = attempts.filter((attempt) => attempt.status === "fulfilled");
      for (const attempt of attempts) {
        if (attempt.status === "rejected") assert.ok(isStorageError(attempt.reason), String(attempt.reason));
        if (attempt.status === "rejected") assert.equal(attempt.reason.code, "LOCKED");
      }
      for (const { value } of won) await value.release();
      assert.equal(won.length, 1);
    },
  },
  {
    name: "promise 7: a released lock is free at once, again and again",
    async run(fs) {
      await fs.mkdir("d");
      for (let round = 0; round < 20; round += 1) {
        const lock = await fs.lock("d");
        await refuses("LOCKED", "lock", "d", () => fs.lock("d"));
        await lock.release();
      }
    },
  },
  {
    name: "releasing twice does not free the next owner's lock",
    async run(fs) {
      const first = await fs.lock("");
      await first.release();
      await holding(fs.lock(""), async () => {
        await first.release();
        await refuses("LOCKED", "lock", "", () => fs.lock(""));
      });
    },
  },
  {
    name: "locks of different directories are apart",
    async run(fs) {
      await fs.mkdir("d/e");
      await holding(fs.lock(""), () => holding(fs.lock("d"), () => holding(fs.lock("d/e"), async () => {})));
    },
  },
  {
    name: "a lock is on the directory, not on its name",
    async run(fs) {
      await fs.mkdir("d");
      await holding(fs.lock("d"), async () => {
        await fs.rename("d", "e");
        await refuses("LOCKED", "lock", "e", () => fs.lock("e"));
      });
    },
  },
  {
    name: "lock needs a directory",
    async run(fs) {
      await put(fs, "a", "");
      await refuses("NOT_FOUND", "lock", "d", () => fs.lock("d"));
      await refuses("NOT_A_DIRECTORY", "lock", "a", () => fs.lock("a"));
    },
  },
  {
    name: "disposal releases a lock",
    async run(fs) {
      const lock = await fs.lock("");
      await lock[Symbol.asyncDispose]();
      await (await fs.lock("")).release();
    },
  },
  ...watching("a new file", async (fs) => put(fs, "d/new", "")),
  ...watching("appended bytes", (fs) => using(fs.openFileMut("d/a"), (handle) => handle.writeAt(1, bytesOf("x")))),
  ...watching("a deleted file", (fs) => fs.deleteFile("d/a")),
  ...watching("a renamed file", (fs) => fs.rename("d/a", "d/b")),
  ...watching("a file that comes from elsewhere", (fs) => fs.rename("outside", "d/b")),
  {
    name: "watch is silent after close",
    async run(fs) {
      let calls = 0;
      const watch = fs.watch("", () => {
        calls += 1;
      });
      watch.close();
      watch.close();
      await put(fs, "a", "x");
      await systemClock.sleep(20);
      assert.equal(calls, 0);
    },
  },
  {
    name: "watch needs a directory",
    async run(fs) {
      await put(fs, "a", "");
      await refuses("NOT_FOUND", "watch", "d", () => fs.watch("d", () => {}));
      await refuses("NOT_A_DIRECTORY", "watch", "a", () => fs.watch("a", () => {}));
    },
  },
];

async function holding(locking: Promise<FileLock>, body: () => Promise<void>): Promise<void> {
  const lock = await locking;
  try {
    await body();
  } finally {
    await lock.release();
  }
}

function watching(what: string, change: (fs: FileSystem) => Promise<void>): Check[] {
  return [
    {
      name: `watch tells of ${what}`,
      async run(fs) {
        await fs.mkdir("d");
        await put(fs, "d/a", "a");
        await put(fs, "outside", "o");
        // Changes from before the watch may still be on their way; let them pass.
        await systemClock.sleep(2);
        const hearing = new AbortController();
        const watch = fs.watch("d", () => hearing.abort());
        try {
          await change(fs);
          const silence = systemClock.sleep(4000, { signal: hearing.signal });
          await assert.rejects(silence, { name: "AbortError" }, "heard nothing for 4 s");
        } finally {
          watch.close();
        }
      },
    },
  ];
}

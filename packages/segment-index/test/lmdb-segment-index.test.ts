/**
 * Goal: what is peculiar to the LMDB kind: when the library opens a file in place and when it is rebuilt, one instance per
 * directory, growth, privacy, no leaks. Method: a real environment, looked at from outside.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MemoryFileSystem } from "@varve/fs-core";
import { describe, expect, test } from "vitest";
import { checkEnvironment } from "../src/lmdb/check-environment.ts";
import { LmdbSegmentIndex } from "../src/lmdb/index.ts";
import { sampleEntry, sampleLogId as logId } from "../src/testing/index.ts";
import { fingerprint } from "./fill-index.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const root = temporaryDirectory();
let made = 0;

function freshDirectory(): string {
  return join(root, `index-${++made}`);
}

/** A closed index with something in it. */
async function closedIndex(): Promise<{ directory: string; state: string }> {
  const directory = freshDirectory();
  const index = await LmdbSegmentIndex.open({ directory, logId });
  await index.replaceAll(Array.from({ length: 50 }, (_, n) => sampleEntry(1 + 100 * n)));
  await index.setCursor("billing", 5);
  const state = await fingerprint(index);
  await index.close();
  return { directory, state };
}

async function stateIn(directory: string): Promise<string> {
  const index = await LmdbSegmentIndex.open({ directory, logId });
  try {
    expect(index.opened).toEqual({ outcome: "opened" });
    return await fingerprint(index);
  } finally {
    await index.close();
  }
}

describe("opening", () => {
  test("a sealed file is opened in place, and reading leaves it as it is", async () => {
    const { directory, state } = await closedIndex();
    const file = join(directory, "data.mdb");
    const before = { ino: statSync(file).ino, bytes: readFileSync(file) };
    expect(await stateIn(directory)).toBe(state);
    expect(statSync(file).ino).toBe(before.ino);
    expect(readFileSync(file).equals(before.bytes)).toBe(true);
  });

  test("a sound file without a matching seal is rebuilt with the same records", async () => {
    const { directory, state } = await closedIndex();
    const file = join(directory, "data.mdb");
    const { ino } = statSync(file);
    rmSync(join(directory, "data.seal"));
    expect(await stateIn(directory)).toBe(state);
    expect(statSync(file).ino).not.toBe(ino);
  });

  test("a seal from before the last commit is none", async () => {
    const { directory } = await closedIndex();
    const seal = readFileSync(join(directory, "data.seal"));
    const index = await LmdbSegmentIndex.open({ directory, logId });
    await index.setCursor("billing", 6);
    const state = await fingerprint(index);
    await index.close();
    writeFileSync(join(directory, "data.seal"), seal);
    const { ino } = statSync(join(directory, "data.mdb"));
    expect(await stateIn(directory)).toBe(state);
    expect(statSync(join(directory, "data.mdb")).ino).not.toBe(ino);
  });

  test("what a crash left in building/ is removed", async () => {
    const { directory, state } = await closedIndex();
    mkdirSync(join(directory, "building"));
    writeFileSync(join(directory, "building", "data.mdb"), "half a page");
    expect(await stateIn(directory)).toBe(state);
    expect(existsSync(join(directory, "building"))).toBe(false);
  });

  test("missing parents are made, and everything is private", async () => {
    const directory = join(root, "deep", "er", "index");
    await (await LmdbSegmentIndex.open({ directory, logId })).close();
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    for (const name of ["data.mdb", "data.seal"]) expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
  });

  test("twice in one process is refused, under any name, until the first is closed", async () => {
    const directory = freshDirectory();
    const first = await LmdbSegmentIndex.open({ directory, logId });
    const refused = { code: "INDEX_ALREADY_OPEN", retryable: true };
    await expect(LmdbSegmentIndex.open({ directory, logId })).rejects.toMatchObject(refused);
    await expect(
      LmdbSegmentIndex.open({ directory: join(directory, "..", `index-${made}`), logId }),
    ).rejects.toMatchObject(refused);
    await first.close();
    await (await LmdbSegmentIndex.open({ directory, logId })).close();
  });

  test("without the native module is a typed error", async () => {
    const settings = { directory: freshDirectory(), logId };
    const cause = new Error("no native build found");
    const missing = LmdbSegmentIndex.open(settings, { loadLmdb: () => Promise.reject(cause) });
    await expect(missing).rejects.toMatchObject({ code: "INDEX_UNAVAILABLE", cause });
    const other = LmdbSegmentIndex.open(settings, { loadLmdb: async () => ({ open: "sesame" }) });
    await expect(other).rejects.toMatchObject({ code: "INDEX_UNAVAILABLE" });
    expect(existsSync(settings.directory)).toBe(false);
  });

  test("without a directory of the operating system is a typed error", async () => {
    const opening = LmdbSegmentIndex.openIn({ path: "index", logId }, { fileSystem: new MemoryFileSystem() });
    await expect(opening).rejects.toMatchObject({ code: "INDEX_UNAVAILABLE" });
  });

  test("bad settings are refused before anything is touched", async () => {
    const directory = freshDirectory();
    for (const bad of ["", "ABCD", "xyz", "ab".repeat(17)]) {
      await expect(LmdbSegmentIndex.open({ directory, logId: bad })).rejects.toMatchObject({
        code: "INDEX_INVALID_ARGUMENT",
      });
    }
    const onDamage = "ignore" as "throw";
    await expect(LmdbSegmentIndex.open({ directory, logId, onDamage })).rejects.toMatchObject({
      code: "INDEX_INVALID_ARGUMENT",
    });
    expect(existsSync(directory)).toBe(false);
  });

  test("damage is an error by default, and nothing is touched", async () => {
    const { directory } = await closedIndex();
    const file = join(directory, "data.mdb");
    const bytes = readFileSync(file);
    bytes.fill(0, 4096, 8192);
    writeFileSync(file, bytes);
    await expect(LmdbSegmentIndex.open({ directory, logId })).rejects.toMatchObject({ code: "INDEX_DAMAGED" });
    expect(readFileSync(file).equals(bytes)).toBe(true);
    const index = await LmdbSegmentIndex.open({ directory, logId, onDamage: "reset" });
    expect(index.opened).toEqual({ outcome: "reset", reason: expect.stringContaining("data.mdb") });
    await index.close();
  });
});

describe("in use", () => {
  test("it outgrows the map it began with", { timeout: 60_000 }, async () => {
    const directory = freshDirectory();
    const index = await LmdbSegmentIndex.open({ directory, logId });
    const large = {
      archiveKey: "k".repeat(1024),
      localPath: "p".repeat(512),
      archiveEtag: "e".repeat(256),
      keyId: "y".repeat(256),
    };
    // More than a third of a page each: every value has overflow pages of its own.
    await index.replaceAll(Array.from({ length: 6000 }, (_, n) => sampleEntry(1 + 100 * n, large)));
    await index.update(1, { epoch: 2 });
    expect(statSync(join(directory, "data.mdb")).size).toBeGreaterThan(20 * 2 ** 20);
    expect(await index.verify()).toEqual([]);
    await index.close();
    const again = await LmdbSegmentIndex.open({ directory, logId });
    expect((await again.list()).length).toBe(6000);
    await again.close();
  });

  test("each acknowledged commit is in the file, complete", async () => {
    const directory = freshDirectory();
    const index = await LmdbSegmentIndex.open({ directory, logId });
    for (let n = 0; n < 20; n++) {
      await index.add(sampleEntry(1 + 100 * n));
      const { segments } = checkEnvironment(readFileSync(join(directory, "data.mdb")), logId);
      expect(segments.length).toBe(n + 1);
    }
    await index.close();
  });

  test.runIf(existsSync("/proc/self/fd"))("opening and closing leaks no descriptor", { timeout: 60_000 }, async () => {
    const directory = freshDirectory();
    await (await LmdbSegmentIndex.open({ directory, logId })).close();
    const before = readdirSync("/proc/self/fd").length;
    for (let n = 0; n < 50; n++) {
      const index = await LmdbSegmentIndex.open({ directory, logId });
      await index.setCursor("c", n);
      await index.close();
    }
    expect(readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(before + 2);
  });
});

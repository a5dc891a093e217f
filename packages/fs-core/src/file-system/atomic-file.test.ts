/**
 * Goal: replaceFile leaves the old file or the new one, whatever fails and whenever the power goes.
 * Method: a power cut at every boundary of every operation, under every model; a fault in every operation; both forms.
 */
import { describe, expect, test } from "vitest";
import { CrashableFileSystem } from "../testing/crashable-file-system.ts";
import { crashModels } from "../testing/crash-survivors.ts";
import { FaultyFileSystem } from "../testing/faulty-file-system.ts";
import type { FaultErrno } from "../testing/fault-plan.ts";
import { SeededRandom } from "../testing/seeded-random.ts";
import { replaceFile, replaceFileSync, sweepTemporaryFiles, sweepTemporaryFilesSync } from "./atomic-file.ts";
import type { FileSystem } from "./file-system.ts";
import { MemoryFileSystem } from "./memory-file-system.ts";
import { maxTemporaryTargetBytes, temporaryName } from "./temporary-name.ts";

const path = "d/MANIFEST";
// Longer than a sector, and of different lengths: a mixture could not be mistaken for either.
const oldBytes = new Uint8Array(1500).fill(1);
const newBytes = new Uint8Array(2100).fill(2);

type Replace = (fs: FileSystem, bytes: Uint8Array, seed: number) => Promise<void>;

const forms: Readonly<Record<string, Replace>> = {
  async: (fs, bytes, seed) => replaceFile(fs, path, bytes, { random: new SeededRandom(seed) }),
  sync: async (fs, bytes, seed) => replaceFileSync(fs, path, bytes, { random: new SeededRandom(seed) }),
};

/** `old`, `new`, `absent`, or what else is found. */
async function stateOf(fs: FileSystem): Promise<string> {
  if (!(await fs.fileExists(path))) return "absent";
  const handle = await fs.openFile(path);
  const bytes = Buffer.from(await handle.readAll());
  await handle.close();
  if (bytes.equals(oldBytes)) return "old";
  return bytes.equals(newBytes) ? "new" : `${bytes.length} bytes of something else`;
}

async function namesIn(fs: FileSystem): Promise<string[]> {
  return (await fs.list("d")).map((entry) => entry.name);
}

describe.each(Object.entries(forms))("replaceFile, %s", (_name, replace) => {
  test("creates and replaces, leaving nothing else", async () => {
    const fs = new MemoryFileSystem();
    await fs.mkdir("d");
    await replace(fs, oldBytes, 1);
    expect(await stateOf(fs)).toBe("old");
    await replace(fs, newBytes, 2);
    expect(await stateOf(fs)).toBe("new");
    expect(await namesIn(fs)).toEqual(["MANIFEST"]);
  });

  test.each([...crashModels])("survives a power cut at every moment: %s", async (model) => {
    const before = new CrashableFileSystem();
    await before.mkdir("d");
    await replace(before, oldBytes, 1);
    for (let seed = 1; seed <= 25; seed += 1) {
      const fs = before.crashClone({ model: "drop", random: new SeededRandom(0) });
      const random = new SeededRandom(seed);
      const states: Promise<string>[] = [];
      const leftovers: Promise<string[]>[] = [];
      fs.onOperation(() => {
        const after = fs.crashClone({ model, random });
        states.push(stateOf(after));
        leftovers.push(sweepTemporaryFiles(after, "d").then(() => namesIn(after)));
      });
      await replace(fs, newBytes, 2);
      const final = await stateOf(fs.crashClone({ model, random }));
      const seen = await Promise.all(states);
      expect(seen.length, `seed ${seed}`).toBeGreaterThanOrEqual(12);
      expect(
        [...new Set(seen)].filter((state) => state !== "old" && state !== "new"),
        `seed ${seed}`,
      ).toEqual([]);
      expect(final, `seed ${seed}: acknowledged`).toBe("new");
      // Once new, never old again: the switch happens once.
      if (model === "all" || model === "drop") expect(seen.join(" ")).toMatch(/^(old ?)+(new ?)*$/);
      for (const names of await Promise.all(leftovers)) expect(names).toEqual(["MANIFEST"]);
    }
  });

  test("creating one is as safe: absent or whole", async () => {
    for (const model of crashModels) {
      const fs = new CrashableFileSystem();
      await fs.mkdir("d");
      const states: Promise<string>[] = [];
      const random = new SeededRandom(7);
      fs.onOperation(() => void states.push(stateOf(fs.crashClone({ model, random }))));
      await replace(fs, newBytes, 2);
      expect((await Promise.all(states)).filter((state) => state !== "absent" && state !== "new")).toEqual([]);
      expect(await stateOf(fs.crashClone({ model, random }))).toBe("new");
    }
  });

  const steps = ["createFile", "writeAt", "sync", "close", "rename", "syncDirectory"] as const;
  const errnos: readonly FaultErrno[] = ["EIO", "ENOSPC"];
  test.each(steps.flatMap((step) => errnos.map((errno) => [step, errno] as const)))(
    "when %s fails with %s: rejects, old or new, and swept",
    async (operation, errno) => {
      for (const kind of ["error", "errorAfter"] as const) {
        const disk = new CrashableFileSystem();
        await disk.mkdir("d");
        await replace(disk, oldBytes, 1);
        const fs = new FaultyFileSystem(disk, [{ operation, nth: 1, fault: { kind, errno } }]);
        await expect(replace(fs, newBytes, 2)).rejects.toMatchObject({ operation, cause: { code: errno } });
        expect(fs.plan.injected).toBe(1);
        const named = operation === "syncDirectory" || (operation === "rename" && kind === "errorAfter");
        expect(await stateOf(disk)).toBe(named ? "new" : "old");
        const created = operation === "createFile" && kind === "errorAfter";
        expect((await sweepTemporaryFiles(disk, "d")).length).toBe(created ? 1 : 0);
        for (const model of crashModels) {
          const after = disk.crashClone({ model, random: new SeededRandom(3) });
          expect(["old", "new"], model).toContain(await stateOf(after));
        }
      }
    },
  );

  test("a short write is not taken for a whole one", async () => {
    const fs = new FaultyFileSystem(new MemoryFileSystem(), [
      { operation: "writeAt", fault: { kind: "shortWrite", bytes: 700, errno: "ENOSPC" } },
    ]);
    await fs.mkdir("d");
    await expect(replace(fs, newBytes, 2)).rejects.toMatchObject({ code: "NO_SPACE" });
    expect(await namesIn(fs)).toEqual([]);
  });

  test("the first failure is reported, not that of the cleaning up", async () => {
    const fs = new FaultyFileSystem(new MemoryFileSystem(), [
      { operation: "rename", fault: { kind: "error", errno: "EACCES" } },
      { operation: "deleteFile", fault: { kind: "error", errno: "EIO" } },
    ]);
    await fs.mkdir("d");
    await expect(replace(fs, newBytes, 2)).rejects.toMatchObject({ code: "PERMISSION_DENIED", operation: "rename" });
    expect(fs.plan.injected).toBe(2);
  });

  test("a leftover with the first token's name is in nobody's way", async () => {
    const fs = new MemoryFileSystem();
    await fs.mkdir("d");
    const taken = temporaryName("MANIFEST", new SeededRandom(5).u64());
    await (await fs.createFile(`d/${taken}`)).close();
    await replace(fs, newBytes, 5);
    expect(await stateOf(fs)).toBe("new");
    expect(await namesIn(fs)).toEqual([taken, "MANIFEST"].sort());
  });
});

test("without the directory's sync the test above would fail: the simulator is not blind", async () => {
  const fs = new CrashableFileSystem();
  await fs.mkdir("d");
  await replaceFile(fs, path, oldBytes);
  const forgetful = new Proxy(fs, {
    get(target, key) {
      if (key === "syncDirectory") return async () => {};
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  await replaceFile(forgetful, path, newBytes);
  expect(await stateOf(fs.crashClone({ model: "drop", random: new SeededRandom(1) }))).toBe("old");
});

test("names too long for a temporary name are refused before anything is written", async () => {
  const fs = new MemoryFileSystem();
  await expect(replaceFile(fs, "x".repeat(maxTemporaryTargetBytes + 1), newBytes)).rejects.toMatchObject({
    code: "INVALID_PATH",
  });
  expect(() => replaceFileSync(fs, "", newBytes)).toThrow(expect.objectContaining({ code: "INVALID_PATH" }));
  await replaceFile(fs, "x".repeat(maxTemporaryTargetBytes), newBytes);
  expect(await fs.list("")).toHaveLength(1);
});

describe.each([
  ["async", sweepTemporaryFiles],
  ["sync", async (fs: FileSystem, directory: string) => sweepTemporaryFilesSync(fs, directory)],
] as const)("sweepTemporaryFiles, %s", (_name, sweep) => {
  test("deletes temporary files of this directory and nothing else", async () => {
    const fs = new MemoryFileSystem();
    await fs.mkdir(`d/${temporaryName("directory", 1n)}`);
    const kept = ["MANIFEST", ".MANIFEST.tmp", "segment_1.log"];
    for (const name of [...kept, temporaryName("b", 2n), temporaryName("a", 1n)]) {
      await (await fs.createFile(`d/${name}`)).close();
    }
    await (await fs.createFile(temporaryName("above", 1n))).close();
    expect(await sweep(fs, "d")).toEqual([temporaryName("a", 1n), temporaryName("b", 2n)]);
    expect(await sweep(fs, "d")).toEqual([]);
    expect(await namesIn(fs)).toEqual([...kept, temporaryName("directory", 1n)].sort());
    expect(await fs.fileExists(temporaryName("above", 1n))).toBe(true);
  });
});

// Goal: a disk that fails at any operation costs nothing that was acknowledged, shows no part of an object, and every failure
// is typed and says whether something may have changed.
// Method: one script of writes; each kind of operation fails at each of its calls, once and from there on; then the power
// fails, and a new store is opened and judged.
import { describe, expect, test } from "vitest";
import { createObjectStore, isStoreError, LocalDriver } from "../../src/index.ts";
import { CrashableFileSystem, FaultPlan, FaultyFileSystem, SeededRandom } from "../../src/testing/index.ts";

const seed = Number(process.env["VARVE_SEED"] ?? 20261126);
const operations = [
  "createFile",
  "writeAt",
  "sync",
  "rename",
  "linkNoReplace",
  "mkdir",
  "syncDirectory",
  "deleteFile",
  "openFile",
  "readAt",
] as const;
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text.repeat(30));

interface Outcome {
  /** By key: what was acknowledged, and what a call left open. */
  readonly allowed: Map<string, (string | undefined)[]>;
}

async function run(fileSystem: FaultyFileSystem): Promise<Outcome> {
  const allowed = new Map<string, (string | undefined)[]>();
  const driver = await LocalDriver.open(fileSystem, { random: new SeededRandom(seed) }).catch((error: unknown) => {
    if (!isStoreError(error)) throw error;
    return undefined;
  });
  if (driver === undefined) return { allowed };
  const store = createObjectStore(driver, { retry: false });
  const write = async (key: string, content: string | undefined, call: () => Promise<unknown>): Promise<void> => {
    const before = allowed.get(key) ?? [undefined];
    try {
      await call();
      allowed.set(key, [content]);
    } catch (error) {
      if (!isStoreError(error)) throw error;
      if (error.outcome === "unknown") allowed.set(key, [...before, content]);
      else allowed.set(key, before);
    }
  };
  await write("a/one", "first", () => store.put("a/one", bytesOf("first"), { ifAbsent: true }));
  await write("a/one", "second", () => store.put("a/one", bytesOf("second")));
  await write("b", "parts", () => store.putStream("b", [bytesOf("parts")], { partBytes: 50, ifAbsent: true }));
  await write("c", "parts", () => store.copy("b", "c"));
  await write("b", undefined, () => store.delete("b"));
  await write("a/two", "two", () => store.put("a/two", bytesOf("two")));
  await store.close().catch((error: unknown) => {
    if (!(error instanceof Error)) throw error;
  });
  return { allowed };
}

describe.each([false, true])("sticky %s", (sticky) => {
  describe.each([
    ["EIO", "error"],
    ["ENOSPC", "error"],
    ["EIO", "errorAfter"],
  ] as const)("%s, %s", (errno, kind) => {
    test.each(operations)("of %s", { timeout: 60_000 }, async (operation) => {
      let nth = 1;
      for (; nth < 60; nth++) {
        const disk = new CrashableFileSystem();
        const plan = new FaultPlan([{ operation, nth, sticky, fault: { kind, errno } }]);
        const { allowed } = await run(new FaultyFileSystem(disk, plan));
        if (plan.injected === 0) break;
        for (const model of ["all", "drop"] as const) {
          const survivor = disk.crashClone({ model, random: new SeededRandom(seed + nth) });
          const store = createObjectStore(await LocalDriver.open(survivor));
          for (const [key, contents] of allowed) {
            const found = await store.head(key);
            const text =
              found === undefined ? undefined : new TextDecoder().decode(await (await store.get(key)).bytes());
            const texts = contents.map((content) => content?.repeat(30));
            expect(texts, `${key} after ${operation} ${nth}, ${model}`).toContain(text);
          }
          await store.close();
        }
      }
      expect(nth, "the script does this, and not without end").toBeGreaterThan(1);
      expect(nth).toBeLessThan(60);
    });
  });
});

test("after a folder could not be synced the store refuses writes until it is opened again", async () => {
  const plan = new FaultPlan();
  const store = createObjectStore(await LocalDriver.open(new FaultyFileSystem(new CrashableFileSystem(), plan)));
  await store.put("a", bytesOf("kept"));
  const rule = plan.add({ operation: "syncDirectory", fault: { kind: "error", errno: "EIO" } });
  await expect(store.put("b", bytesOf("lost"), { ifAbsent: true })).rejects.toMatchObject({
    code: "IO",
    outcome: "unknown",
  });
  rule.remove();
  await expect(store.put("c", bytesOf("x"))).rejects.toMatchObject({ code: "IO" });
  await expect(store.delete("a")).rejects.toMatchObject({ code: "IO" });
  expect(new TextDecoder().decode(await (await store.get("a")).bytes())).toBe("kept".repeat(30));
  await store.close();
});

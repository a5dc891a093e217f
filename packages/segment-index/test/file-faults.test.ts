/**
 * Goal: a failed file operation poisons the index: the change rejects, later ones repeat the cause, readers keep the last
 * state, and what was acknowledged is there after a reopen, power cut included. Method: fail each operation that the
 * history makes, one per run, on a CrashableFileSystem.
 */
import assert from "node:assert/strict";
import { CrashableFileSystem, type FaultRule, FaultyFileSystem, SeededRandom } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import { FileSegmentIndex } from "../src/file-segment-index.ts";
import { sampleEntry, sampleLogId as logId } from "../src/testing/index.ts";
import { seed } from "./effort.ts";
import { emptyState, visibleState, type VisibleState } from "./fill-index.ts";

const long = { archiveKey: "k".repeat(1024), localPath: "p".repeat(512) };

/** Operations of one history after opening; the last change makes the file be rewritten. */
async function run(index: FileSegmentIndex): Promise<{ states: VisibleState[]; failure: unknown }> {
  const states = [await visibleState(index)];
  const steps = [
    () => index.add(sampleEntry(1)),
    () => index.setCursor("c", 1),
    () => index.replaceAll(Array.from({ length: 180 }, (_, n) => sampleEntry(1 + 100 * n, long))),
    () => index.update(1, { epoch: 9 }),
  ];
  for (const step of steps) {
    try {
      await step();
    } catch (failure) {
      return { states, failure };
    }
    states.push(await visibleState(index));
  }
  return { states, failure: undefined };
}

const faults: readonly FaultRule["fault"][] = [
  { kind: "error", errno: "EIO" },
  { kind: "errorAfter", errno: "EIO" },
  { kind: "shortWrite", bytes: 20, errno: "ENOSPC" },
];
const operations = ["writeAt", "sync", "createFile", "rename", "syncDirectory", "openFileMut"] as const;

describe.each(operations)("a failing %s", (operation) => {
  test.each(faults)("$kind $errno", async (fault) => {
    if (fault.kind === "shortWrite" && operation !== "writeAt") return;
    let injected = 0;
    for (let nth = 1; nth < 30; nth++) {
      const inner = new CrashableFileSystem();
      const fileSystem = new FaultyFileSystem(inner);
      const index = await FileSegmentIndex.open({ path: "index", logId }, { fileSystem });
      const rule = fileSystem.plan.add({ operation, nth, fault });
      const { states, failure } = await run(index);
      if (rule.injected === 0) break;
      injected++;
      rule.remove();
      expect(failure).toMatchObject({ code: "INDEX_IO", cause: { name: "StorageError" } });
      const last = states.at(-1) as VisibleState;
      expect(await visibleState(index)).toEqual(last);
      await expect(index.setCursor("later", 1)).rejects.toMatchObject({ code: "INDEX_IO", cause: failure });
      const cut = inner.crashClone({ model: "drop", random: new SeededRandom(seed) });
      await index.close();
      for (const left of [inner, cut]) {
        const again = await FileSegmentIndex.open({ path: "index", logId }, { fileSystem: left });
        const found = await visibleState(again);
        // The failed change may have reached the disk all the same; nothing acknowledged may be missing.
        const more = found.entries.length - last.entries.length;
        assert.ok(more > 0 || (more === 0 && found.cursors.length >= last.cursors.length), `${operation} ${nth}`);
        await again.setCursor("after", 1);
        await again.close();
      }
    }
    expect(injected).toBeGreaterThan(0);
  });
});

describe("opening", () => {
  test("with any operation failing rejects, or works; and works afterwards", async () => {
    let injected = 0;
    for (let nth = 1; nth < 60; nth++) {
      const inner = new CrashableFileSystem();
      const fileSystem = new FaultyFileSystem(inner);
      const rule = fileSystem.plan.add({ nth, fault: { kind: "error", errno: "EIO" } });
      const outcome = await FileSegmentIndex.open({ path: "index", logId }, { fileSystem }).then(
        async (index) => {
          rule.remove();
          await index.close();
          return "opened";
        },
        (error: unknown) => (error as { code: unknown }).code,
      );
      if (rule.injected === 0) break;
      injected++;
      expect(["opened", "INDEX_IO"]).toContain(outcome);
      rule.remove();
      const index = await FileSegmentIndex.open({ path: "index", logId }, { fileSystem });
      expect(await visibleState(index)).toEqual(emptyState);
      await index.close();
    }
    expect(injected).toBeGreaterThan(5);
  });
});

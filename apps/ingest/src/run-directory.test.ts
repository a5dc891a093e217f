// Goal: each run has its own directory, and only what may be removed is removed. Method: real directories.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RunDirectory, type RunState } from "./run-directory.ts";

let parent = "";
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "varve-runs-"));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

async function finishedRun(state: RunState): Promise<string> {
  const run = await RunDirectory.create(parent);
  await run.note(state, { some: "report" });
  await run.release();
  return run.path;
}

describe("RunDirectory", () => {
  test("numbers runs from 1, beyond the highest there is, creating the parent", async () => {
    const within = join(parent, "not", "there");
    const first = await RunDirectory.create(within);
    expect(first.path).toBe(join(within, "ingest-0001"));
    mkdirSync(join(within, "ingest-0041"));
    const next = await RunDirectory.create(within);
    expect(next.path).toBe(join(within, "ingest-0042"));
    await Promise.all([first.release(), next.release()]);
  });

  test("never gives one directory to two runs that begin together", async () => {
    const runs = await Promise.all(Array.from({ length: 8 }, () => RunDirectory.create(parent)));
    expect(new Set(runs.map(({ path }) => path)).size).toBe(8);
    await Promise.all(runs.map((run) => run.release()));
  });

  test("writes down how the run stands", async () => {
    const path = await finishedRun("passed");
    expect(JSON.parse(readFileSync(join(path, "run.json"), "utf8"))).toEqual({
      state: "passed",
      report: { some: "report" },
    });
  });

  test("removes old runs, but not failed ones, running ones, and what is not a run", async () => {
    await finishedRun("passed");
    const failed = await finishedRun("failed");
    await finishedRun("interrupted");
    const running = await RunDirectory.create(parent);
    mkdirSync(join(parent, "ingest-0005"));
    writeFileSync(join(parent, "ingest-0005", "mine.txt"), "not a run's");
    mkdirSync(join(parent, "ingest-0006"));
    writeFileSync(join(parent, "ingest-0006", "run.json"), "not JSON");
    writeFileSync(join(parent, "ingest-0007"), "a file");
    const killed = await finishedRun("running");
    expect(killed).toBe(join(parent, "ingest-0008"));

    const latest = await RunDirectory.create(parent);
    expect(await latest.removeOlder(1)).toBe(3);
    expect(readdirSync(parent)).toEqual([
      "ingest-0002",
      "ingest-0004",
      "ingest-0005",
      "ingest-0006",
      "ingest-0007",
      "ingest-0009",
    ]);
    expect(existsSync(failed)).toBe(true);
    await running.release();
    await latest.release();
  });

  test("keeps as many as asked, the newest", async () => {
    for (let i = 0; i < 4; i++) await finishedRun("passed");
    const latest = await RunDirectory.create(parent);
    expect(await latest.removeOlder(3)).toBe(2);
    expect(readdirSync(parent)).toEqual(["ingest-0003", "ingest-0004", "ingest-0005"]);
    await latest.release();
  });

  test("disappears when the run did nothing", async () => {
    const run = await RunDirectory.create(parent);
    await run.discard();
    await run.release();
    expect(readdirSync(parent)).toEqual([]);
  });

  test("refuses a parent that is a file", async () => {
    const file = join(parent, "file");
    writeFileSync(file, "");
    await expect(RunDirectory.create(file)).rejects.toMatchObject({ code: "NOT_A_DIRECTORY" });
  });
});

/**
 * Goal: a killed process loses no acknowledged change, and a full disk is a rejected promise, not the end of the process.
 * Method: a child process writes; it is killed at some moment, or runs into a file size limit.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { LmdbSegmentIndex } from "../src/lmdb/index.ts";
import { sampleLogId as logId } from "../src/testing/index.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const root = temporaryDirectory();
const child = fileURLToPath(new URL("lmdb-child.ts", import.meta.url));

async function checkAcknowledged(directory: string, acknowledged: number): Promise<void> {
  const index = await LmdbSegmentIndex.open({ directory, logId });
  try {
    expect(index.opened).toEqual({ outcome: "opened" });
    const cursor = (await index.getCursor("acked")) ?? 0;
    // The change in flight may have made it, whole.
    expect([acknowledged, acknowledged + 1]).toContain(cursor);
    expect((await index.list()).length).toBe(cursor);
    expect(await index.verify()).toEqual([]);
  } finally {
    await index.close();
  }
}

test("kill -9 while writing, three times over", { timeout: 60_000 }, async () => {
  const directory = join(root, "killed");
  let acknowledged = 0;
  for (const enough of [7, 60, 25]) {
    const writer = spawn(process.execPath, [child, directory], { stdio: ["ignore", "pipe", "inherit"] });
    const exited = once(writer, "exit");
    let seen = 0;
    for await (const line of createInterface({ input: writer.stdout })) {
      if (line.startsWith("+")) acknowledged = Number(line.slice(1));
      if (++seen === enough) writer.kill("SIGKILL");
    }
    expect(await exited).toEqual([null, "SIGKILL"]);
    await checkAcknowledged(directory, acknowledged);
    acknowledged = await cursorIn(directory);
  }
});

async function cursorIn(directory: string): Promise<number> {
  const index = await LmdbSegmentIndex.open({ directory, logId });
  const cursor = (await index.getCursor("acked")) ?? 0;
  await index.close();
  return cursor;
}

test.runIf(existsSync("/bin/bash"))("a full disk", { timeout: 60_000 }, async () => {
  const directory = join(root, "full");
  // ulimit counts KiB in bash.
  const limited = 'ulimit -f 400; exec "$0" "$@"';
  const run = spawnSync("/bin/bash", ["-c", limited, process.execPath, child, directory], { encoding: "utf8" });
  // The library's own word on it; nothing of Node's.
  expect(run.stderr.replaceAll(/^Write error: File too large.*$/gm, "").trim()).toBe("");
  expect({ status: run.status, signal: run.signal }).toEqual({ status: 0, signal: null });
  const lines = run.stdout.trimEnd().split("\n");
  const acknowledged = lines.filter((line) => line.startsWith("+")).length;
  expect(acknowledged).toBeGreaterThan(100);
  expect(lines.slice(acknowledged)).toEqual(["!INDEX_IO", `=${acknowledged}`, "!INDEX_IO", "closed"]);
  await checkAcknowledged(directory, acknowledged);
});

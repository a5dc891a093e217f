/**
 * Goal: no file in an LMDB index directory can end the process or lead to wrong entries. Method: a child process opens
 * damaged copies of a real index, reads, writes, closes and opens them again; its death, or its exit code, is the
 * verdict. VARVE_FULL=1 tries many more; VARVE_SEED replays a sample.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { LmdbSegmentIndex } from "../src/lmdb/index.ts";
import { sampleLogId as logId } from "../src/testing/index.ts";
import { isFull, seed } from "./effort.ts";
import { fillIndex } from "./fill-index.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const root = temporaryDirectory();
const template = join(root, "template");

beforeAll(async () => {
  const index = await LmdbSegmentIndex.open({ directory: template, logId });
  await fillIndex(index, 60);
  await index.close();
});

test("damage of every kind, opened for real", { timeout: 3_600_000 }, () => {
  const scratch = join(root, "scratch");
  mkdirSync(scratch);
  const child = fileURLToPath(new URL("lmdb-damage-child.ts", import.meta.url));
  const flips = isFull ? 20_000 : 40;
  const run = spawnSync(process.execPath, [child, template, scratch, String(seed), String(flips)], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  const lines = run.stdout.trimEnd().split("\n");
  const last = `seed ${seed}, last case: ${lines.at(-1)}\n${run.stderr}`;
  assert.deepEqual([run.signal, run.status, run.stderr], [null, 0, ""], last);
  expect(lines.at(-1)).toBe(`done ${lines.length - 1}`);
  expect(lines.length).toBeGreaterThan(flips + 130);
});

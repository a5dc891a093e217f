// Goal: a read-only reader in another process goes on, or ends with RECORD_TRIMMED, while the writer trims and rotates;
// it never sees damage or wrong bytes.
// Method: a real child process over the real file system; records that name their id.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { Aof } from "../src/index.ts";

const aof = fileURLToPath(new URL("../dist/index.js", import.meta.url));

/** Reads from the beginning again and again; a line for each end: how many records, and `done` or an error's code. */
const reading = `
  let stop = false;
  process.stdin.on("data", () => (stop = true));
  const log = await openReadOnly({ dir, segmentCacheSize: 2 });
  console.log("ready");
  while (!stop) {
    let count = 0;
    let end = "done";
    try {
      await log.refresh();
      for await (const { id, payload } of log.read()) {
        if (Buffer.from(payload).toString() !== "r" + id + "x".repeat(id % 200)) throw new Error("wrong bytes at " + id);
        count++;
        if (count % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    } catch (error) {
      end = error.code ?? error.message;
    }
    console.log(count + " " + end);
  }
  await log.close();
  process.stdin.destroy();`;

test("a reader in another process reads on or ends with RECORD_TRIMMED", { timeout: 60_000 }, async () => {
  const dir = await mkdtemp(join(tmpdir(), "varve-retention-"));
  try {
    const log = await Aof.open({ dir, segmentSizeBytes: 8192, flushStrategy: { kind: "batched", batchSize: 50 } });
    const append = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index++)
        log.append(Buffer.from(`r${log.nextId}${"x".repeat(log.nextId % 200)}`));
      await log.flush();
    };
    await append(500);
    const source = `import { openReadOnly } from ${JSON.stringify(aof)}; const dir = ${JSON.stringify(dir)}; ${reading}`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", source], { stdio: ["pipe", "pipe", "pipe"] });
    let out = "";
    let err = "";
    child.stdout.on("data", (data: Buffer) => (out += data.toString()));
    child.stderr.on("data", (data: Buffer) => (err += data.toString()));
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    const ends = (): string[] => out.trim().split("\n").slice(1);
    for (let round = 0; round < 60 || ends().length < 30; round++) {
      if (child.exitCode !== null) break;
      await append(120);
      await log.trim(log.durableId - 100 - ((round * 37) % 300));
      await new Promise((resolve) => setImmediate(resolve));
    }
    child.stdin.write("stop");
    expect({ code: await ended, err }).toEqual({ code: 0, err: "" });
    const wrong = ends().filter((line) => !/^\d+ (done|RECORD_TRIMMED)$/.test(line));
    expect(wrong).toEqual([]);
    expect(ends().some((line) => /^[1-9]\d* done$/.test(line))).toBe(true);
    await log.close();
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

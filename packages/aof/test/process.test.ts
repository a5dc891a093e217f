// Goal: the end of a process, by itself, by process.exit or by SIGKILL, loses nothing that its strategy promised; nothing
// keeps a process alive after close, and nothing leaks (G10, G14, G18).
// Method: real child processes over the real file system.
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Aof } from "../src/index.ts";

const aof = fileURLToPath(new URL("../dist/index.js", import.meta.url));
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "varve-process-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Runs `body` in a child with `log` open in `dir`; resolves with how it ended and what it printed. */
function child(
  body: string,
  onOut: (text: string, kill: () => void) => void = () => {},
): Promise<{ code: number | null; signal: string | null; out: string; err: string }> {
  const source = `import { Aof } from ${JSON.stringify(aof)}; const dir = ${JSON.stringify(dir)}; ${body}`;
  const process_ = spawn(process.execPath, ["--input-type=module", "-e", source], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  process_.stderr.on("data", (data: Buffer) => (err += data.toString()));
  process_.stdout.on("data", (data: Buffer) => {
    out += data.toString();
    onOut(out, () => process_.kill("SIGKILL"));
  });
  return new Promise((resolve) => process_.on("close", (code, signal) => resolve({ code, signal, out, err })));
}

async function recovered(): Promise<string[]> {
  const log = await Aof.open({ dir });
  const found: string[] = [];
  for await (const { payload } of log.read()) found.push(Buffer.from(payload).toString());
  await log.close();
  return found;
}

const hundred = Array.from({ length: 100 }, (_, index) => `r${index}`);

test.each([
  ["runs out of work", ""],
  ["calls process.exit", "process.exit(0);"],
  ["throws", "setImmediate(() => { throw new Error('boom'); });"],
])("a process that %s without closing keeps what it appended", async (_name, end) => {
  const body = `const log = await Aof.open({ dir, flushStrategy: { kind: "batched", batchSize: 100000 } });
    for (let i = 0; i < 100; i++) log.append(Buffer.from("r" + i)); ${end}`;
  const { err } = await child(body);
  expect(err).not.toMatch(/Warning/);
  expect(await recovered()).toEqual(hundred);
});

test("a closed log lets the process end, without a warning", async () => {
  const { code, err } = await child(
    `for (let i = 0; i < 20; i++) { const log = await Aof.open({ dir, flushStrategy: { kind: "periodic", intervalMs: 60000 } }); await log.appendDurable(Buffer.from("x")); await log.close(); }`,
  );
  expect({ code, err }).toEqual({ code: 0, err: "" });
});

test("SIGKILL takes nothing that was acknowledged", async () => {
  const body = `import { writeSync } from "node:fs"; const log = await Aof.open({ dir, segmentSizeBytes: 8192, flushStrategy: { kind: "batched", batchSize: 10 } });
    for (let i = 0; ; i++) { await log.appendDurable(Buffer.from("r" + i)); writeSync(1, i + "\\n"); }`;
  const { signal, out } = await child(body, (text, kill) => {
    if (text.split("\n").length > 300) kill();
  });
  expect(signal).toBe("SIGKILL");
  const acknowledged = Number(out.trim().split("\n").at(-1));
  const found = await recovered();
  expect(found.length).toBeGreaterThanOrEqual(acknowledged);
  expect(found).toEqual(Array.from({ length: found.length }, (_, index) => `r${index}`));
});

test("opening and closing leaves no descriptor, no listener and no file behind", { timeout: 60_000 }, async () => {
  const count = async (): Promise<number> =>
    process.platform === "linux" ? (await readdir("/proc/self/fd")).length : 0;
  const cycle = async (): Promise<void> => {
    const log = await Aof.open({
      dir,
      flushStrategy: { kind: "sync" },
      indexKind: "file",
      bufferBytes: 65536,
      segmentSizeBytes: 4096,
    });
    for (let index = 0; index < 5; index++) log.append(Buffer.alloc(1000));
    for await (const _record of log.read()) break;
    await log.close();
  };
  for (let index = 0; index < 3; index++) await cycle();
  const before = await count();
  const listeners = process.listenerCount("exit");
  const rounds = process.env["VARVE_FULL"] === "1" ? 10_000 : 60;
  for (let index = 0; index < rounds; index++) await cycle();
  expect(await count()).toBeLessThanOrEqual(before);
  expect(process.listenerCount("exit")).toBe(listeners);
  expect((await readdir(dir)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";

const run = promisify(execFile);

/** The path of a program beside the tests. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`fixtures/${name}.ts`, import.meta.url));
}

/** Runs a fixture to its end and returns its output; fails on a bad exit or anything on stderr. */
export async function runFixture(
  name: string,
  args: readonly string[],
  nodeOptions: readonly string[] = [],
): Promise<string> {
  const { stdout, stderr } = await run(process.execPath, [...nodeOptions, fixture(name), ...args], { timeout: 30_000 });
  if (stderr !== "") throw new Error(stderr);
  return stdout;
}

/** Starts a fixture and waits for its first output. */
export async function startFixture(name: string, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [fixture(name), ...args], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  await once(child.stdout, "data");
  return child;
}

/** A new directory that goes away with the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "varve-fs-core-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

// Goal: nothing of a cluster outlives it, and whoever waits for it learns why it does not start.
// Method: programs of the system in place of Ceph's, told apart by their process ids.
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assertInstalled, CephProcesses, MissingProgramError } from "./ceph-processes.ts";

let directory = "";
let processes: CephProcesses;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "varve-ceph-"));
  processes = new CephProcesses(directory);
});

afterEach(async () => {
  await processes.close();
  await rm(directory, { recursive: true, force: true });
});

test("what is not installed is named, with the packages that have it", async () => {
  for (const program of ["ceph-mon", "ceph-osd", "setpriv"]) {
    await writeFile(join(directory, program), "", { mode: 0o755 });
  }
  await writeFile(join(directory, "ceph"), "", { mode: 0o644 });
  let message = "";
  try {
    assertInstalled(directory);
  } catch (error) {
    expect(error).toBeInstanceOf(MissingProgramError);
    message = String(error);
  }
  expect(message).toContain("radosgw, radosgw-admin, ceph, ceph-authtool, monmaptool: not installed");
  expect(message).toMatch(/apt-get install --no-install-recommends radosgw ceph-common$/);
});

// Debian has it; the gateway runs nowhere else.
describe.skipIf(!existsSync("/usr/bin/setpriv"))("programs", () => {
  const signal = new AbortController().signal;

  /** The id of a program that stays: its shell writes it down. */
  async function started(): Promise<number> {
    processes.start("sh", "-c", "echo $$ > pid.new && mv pid.new pid && exec sleep 1000");
    await processes.run(signal, "sh", "-c", "until test -e pid; do sleep 0.01; done");
    return Number(await readFile(join(directory, "pid"), "utf8"));
  }

  const isRunning = (pid: number): boolean => existsSync(`/proc/${pid}`);

  test("one that runs once gives its output; one that fails, its last words", async () => {
    expect(await processes.run(signal, "sh", "-c", "pwd; echo $CEPH_CONF")).toBe(
      `${directory}\n${directory}/ceph.conf\n`,
    );
    await expect(processes.run(signal, "sh", "-c", "echo no keyring >&2; exit 3")).rejects.toThrow(
      /sh -c .*: no keyring$/s,
    );
  });

  test("one that stays ends with close", async () => {
    const pid = await started();
    expect(isRunning(pid)).toBe(true);
    await processes.close();
    expect(isRunning(pid)).toBe(false);
    expect(() => processes.start("sh")).toThrow("closed");
  });

  test("a signal ends what runs", async () => {
    const stop = new AbortController();
    const running = processes.run(stop.signal, "sh", "-c", "echo $$ > pid; exec sleep 1000");
    await processes.run(signal, "sh", "-c", "until test -s pid; do sleep 0.01; done");
    const pid = Number(await readFile(join(directory, "pid"), "utf8"));
    stop.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
    expect(isRunning(pid)).toBe(false);
  });

  test("whoever waits is told when one that should stay has ended", async () => {
    const waiting = processes.run(signal, "sleep", "1000");
    processes.start("sh", "-c", "echo out of disk; exit 1");
    await expect(waiting).rejects.toThrow(`sh ended; its log is in ${directory}`);
  });
});

// Goal: a run that is stopped closes the log, says where it is, and leaves no process behind. Method: real processes and real
// signals, at moments that the program's own output marks; a log that can be opened for writing has no other writer.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Aof } from "@varve/aof";
import { systemClock } from "@varve/fs-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Main } from "./run-main.ts";

let cwd = "";
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "varve-interrupt-"));
  const lines = Array.from({ length: 20_000 }, (_, index) => JSON.stringify({ index, text: "x".repeat(index % 90) }));
  writeFileSync(join(cwd, "input.ndjson"), lines.join("\n"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const logDir = (): string => join(cwd, "data", "ingest-0001", "log");

/** Whether a writer of a run in `cwd` is alive. Linux only. */
function writerIsAlive(): boolean {
  return readdirSync("/proc").some((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const command = readFileSync(join("/proc", pid, "cmdline"), "utf8");
      return command.includes("writer-process") && command.includes(cwd);
    } catch {
      // It ended meanwhile.
      return false;
    }
  });
}

/** @returns whether it came true within ten seconds */
async function comesTrue(condition: () => boolean, between: () => Promise<void>): Promise<boolean> {
  const deadlineUs = systemClock.monotonicUs() + 10e6;
  while (!condition()) {
    if (systemClock.monotonicUs() > deadlineUs) return false;
    await between();
  }
  return true;
}

describe("a run that is stopped", () => {
  test.each([
    ["between writers", "SIGINT", 130, "Kill 1"],
    ["while it finishes", "SIGTERM", 143, "Kill 2"],
  ] as const)("%s closes the log and says where it is (%s)", async (_, signal, code, moment) => {
    const main = new Main(["--seed", "3", "--kills", "2", "--input", "input.ndjson"], cwd);
    await main.printed(moment);
    main.process.kill(signal);
    const end = await main.ended;
    expect([end.code, end.signal]).toEqual([code, null]);
    expect(end.stderr).toMatch(
      /^stopped by SIG\w+: the log in data\/ingest-0001\/log is closed and holds records 1 to \d+\n$/,
    );
    expect(JSON.parse(readFileSync(join(cwd, "data", "ingest-0001", "run.json"), "utf8"))).toMatchObject({
      state: "interrupted",
    });
    const log = await Aof.open({ dir: logDir() });
    expect(log.recovery.outcome).toBe("clean");
    expect(log.lastId).toBe(Number(/\d+$/.exec(end.stderr.trim())?.[0]));
    await log.close();
  });

  test("while it reads its input leaves nothing behind", async () => {
    const main = new Main(["--input", "-"], cwd);
    main.process.stdin?.write("one\ntwo\n");
    const spool = join(cwd, "data", "ingest-0001", "input.ndjson");
    expect(
      await comesTrue(
        () => existsSync(spool),
        () => systemClock.sleep(5),
      ),
    ).toBe(true);
    main.process.kill("SIGINT");
    const end = await main.ended;
    expect(end).toMatchObject({ code: 130, stdout: "", stderr: "stopped by SIGINT: nothing was appended yet\n" });
    expect(readdirSync(join(cwd, "data"))).toEqual([]);
  });

  test.runIf(process.platform === "linux")(
    "by a kill of its own leaves no writer behind, and its log closed",
    async () => {
      // This seed lets the writer append nearly all of its share before it would be killed.
      const plan = ["--seed", "2", "--kills", "1", "--input", "input.ndjson", "--dir", join(cwd, "data")];
      const main = new Main(plan, cwd);
      await main.printed("Seed");
      // Stopped but for moments, the parent cannot kill the writer before it was seen.
      const aMoment = async (): Promise<void> => {
        main.process.kill("SIGCONT");
        await systemClock.sleep(5);
        main.process.kill("SIGSTOP");
      };
      const manifest = join(logDir(), "MANIFEST");
      expect(await comesTrue(() => writerIsAlive() && existsSync(manifest), aMoment)).toBe(true);
      main.process.kill("SIGKILL");
      await main.ended;
      expect(
        await comesTrue(
          () => !writerIsAlive(),
          () => systemClock.sleep(5),
        ),
      ).toBe(true);
      const log = await Aof.open({ dir: logDir() });
      expect(log.recovery.outcome).toBe("clean");
      await log.close();
    },
  );
});

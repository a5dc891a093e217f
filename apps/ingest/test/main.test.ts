// Goal: the program does what its help says, as a person or a script meets it. Method: real processes on a small input,
// with a fixed seed; what they leave on disk is opened afterwards.
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openReadOnly } from "@varve/aof";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkTitles } from "../src/checks.ts";
import type { IngestReport } from "../src/report.ts";
import { Main, runMain } from "./run-main.ts";

let cwd = "";
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "varve-ingest-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

/** Lines of many lengths, some not JSON, one not even text. */
const lines: readonly Uint8Array[] = Array.from({ length: 3000 }, (_, index) => {
  if (index === 700) return Buffer.from("not JSON");
  if (index === 701) return Uint8Array.of(0xff, 0xfe, 0x22);
  return Buffer.from(JSON.stringify({ index, text: "x".repeat((index * 37) % 211) }));
});

function writeInput(records: readonly Uint8Array[]): void {
  writeFileSync(join(cwd, "input.ndjson"), Buffer.concat(records.flatMap((record) => [record, Buffer.from("\n")])));
}

/** Every record of a log in the file system, hashed in order. */
async function hashOfLog(dir: string): Promise<{ records: number; hash: string }> {
  const log = await openReadOnly({ dir });
  const hash = createHash("sha256");
  let records = 0;
  for await (const { id, payload } of log.read()) {
    expect(id).toBe(++records);
    hash.update(payload).update("\n");
  }
  await log.close();
  return { records, hash: hash.digest("hex") };
}

describe("a whole run", () => {
  test("kills, recovers and proves everything for an input of one's own", async () => {
    writeInput(lines);
    const { code, stdout, stderr } = await runMain(["--once", "--input", "input.ndjson", "--seed", "11"], cwd);
    expect({ code, stderr, stdout: code === 0 ? "" : stdout }).toEqual({ code: 0, stderr: "", stdout: "" });
    expect(stdout).toContain("3,000 records");
    expect(stdout).toContain("2 lines are not JSON (the first: line 701)");
    expect(stdout).toContain("Kill 3");
    expect(stdout).toMatch(/Flush latency\s+P50 .* P95 .* P99 .* P99\.9 /);
    expect(stdout).toContain("records/s");
    expect(stdout).toContain("segment_00000000000000000001.log");
    expect(stdout.match(/^✓ /gm)).toHaveLength(Object.keys(checkTitles).length);
    expect(stdout).toContain("All 12 checks passed");
    // Not a terminal: no colours, no line that changes.
    expect(stdout).not.toMatch(/[\x1b\r]/);

    expect(readdirSync(join(cwd, "data"))).toEqual(["ingest-0001"]);
    const log = await hashOfLog(join(cwd, "data", "ingest-0001", "log"));
    const input = readFileSync(join(cwd, "input.ndjson"));
    expect(log).toEqual({ records: 3000, hash: createHash("sha256").update(input).digest("hex") });
    expect(existsSync(join(cwd, "data", "ingest-0001", "input.ndjson"))).toBe(false);
  });

  test("prints one JSON document, repeats its plan by the seed, and keeps the newest run only", async () => {
    const input = `${"one\n".repeat(40)}\n\r\n"no newline at the end"`;
    const args = ["--json", "--input", "-", "--seed", "5", "--kills", "1", "--dir", "runs"];
    const first = await runMain(args, cwd, input);
    const second = await runMain(args, cwd, input);
    const reports = [first, second].map(({ code, stdout, stderr }) => {
      expect([code, stderr]).toEqual([0, ""]);
      return JSON.parse(stdout) as IngestReport;
    });
    const [before, after] = reports as [IngestReport, IngestReport];
    expect(after).toMatchObject({
      ok: true,
      seed: 5,
      dir: join("runs", "ingest-0002"),
      input: { name: "standard input", records: 41, blankLines: 2, badJsonLines: 40, firstBadJsonLine: 1 },
    });
    expect(after.checks.map(({ name }) => name)).toEqual(Object.keys(checkTitles));
    expect(after.checks.every(({ findingCount }) => findingCount === 0)).toBe(true);
    expect(after.kills.map(({ strategy, firstId }) => [strategy, firstId])).toEqual(
      before.kills.map(({ strategy, firstId }) => [strategy, firstId]),
    );
    expect(readdirSync(join(cwd, "runs"))).toEqual(["ingest-0002"]);
    expect(JSON.parse(readFileSync(join(cwd, "runs", "ingest-0002", "run.json"), "utf8"))).toEqual({
      state: "passed",
      report: after,
    });
  });

  test.each([
    ["nothing", "", 0],
    ["one record", "1", 1],
  ])("an input of %s is an input", async (_, input, records) => {
    const { code, stdout } = await runMain(["--json", "--input", "-", "--seed", "1", "--kills", "1"], cwd, input);
    const report = JSON.parse(stdout) as IngestReport;
    expect([code, report.ok, report.input.records]).toEqual([0, true, records]);
  });
});

describe("a log that is damaged behind the program's back", () => {
  test("makes it fail loudly, naming the record, and keep everything", async () => {
    writeInput(lines);
    const main = new Main(["--input", "input.ndjson", "--seed", "4", "--kills", "2"], cwd);
    await main.printed("Kill 1");
    const dir = join(cwd, "data", "ingest-0001");
    const segment = join(dir, "log", "segment_00000000000000000001.log");
    const bytes = readFileSync(segment);
    // In the payload of the first record: the header of the segment takes 64 bytes, the record's 32.
    bytes[64 + 32 + 3] = (bytes[64 + 32 + 3] as number) ^ 1;
    writeFileSync(segment, bytes);
    const { code, stdout, stderr } = await main.ended;
    expect(code).toBe(5);
    expect(stderr).toContain("varve ingest: CORRUPTED_RECORD: ");
    expect(stderr).toContain("record 1 ");
    expect(stderr).toContain("--seed 4");
    expect(stdout).not.toContain("passed");
    expect(readdirSync(dir).sort()).toEqual(["input.ndjson", "log", "run.json"]);
    expect(JSON.parse(readFileSync(join(dir, "run.json"), "utf8"))).toMatchObject({ state: "failed" });
  });
});

describe("wrong use", () => {
  test.each([
    [["--sed", "7"], 1, "USAGE: --sed: no such option"],
    [["--kills", "0"], 1, "USAGE: --kills"],
    [["--input", "missing.ndjson"], 2, "NO_INPUT: missing.ndjson: no such file"],
    [["--input", "."], 1, "USAGE: . is a directory"],
    [["--dir", "package.json"], 4, "NOT_A_DIRECTORY"],
  ])("%j ends with a sentence and code %i", async (args, code, message) => {
    writeFileSync(join(cwd, "package.json"), "{}");
    const end = await runMain(args, cwd);
    expect([end.code, end.stdout]).toEqual([code, ""]);
    expect(end.stderr).toContain(message);
    expect(end.stderr).not.toContain("    at ");
    // No empty run is left behind.
    expect(
      readdirSync(cwd)
        .filter((name) => name !== "package.json")
        .flatMap((name) => readdirSync(join(cwd, name))),
    ).toEqual([]);
  });

  test("--help explains, and ends with 0", async () => {
    const { code, stdout } = await runMain(["--help"], cwd);
    expect([code, stdout.includes("--input FILE|-")]).toEqual([0, true]);
  });
});

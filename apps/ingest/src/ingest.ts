/** A whole run, step by step. */
import { Aof, verifyLog } from "@varve/aof";
import type { Clock } from "@varve/fs-core";
import { SeededRandom } from "@varve/fs-core/testing";
import { allPassed, type Check, check, judgeTail } from "./checks.ts";
import { spoolInput } from "./dataset.ts";
import { drill, type KillReport } from "./drill.ts";
import { planKills, sizeLog } from "./drill-plan.ts";
import { finish } from "./finish.ts";
import { checkReadsById, type IdReadsReport } from "./id-check.ts";
import type { IngestOptions } from "./options.ts";
import type { Output } from "./output.ts";
import { RecordFile } from "./record-file.ts";
import {
  type IngestReport,
  renderChecks,
  renderEnd,
  renderFigures,
  renderFinish,
  renderKill,
  renderReads,
  renderSegments,
  renderStart,
  titledChecks,
} from "./report.ts";
import { compareWithInput } from "./tail-check.ts";
import { checkReadsByTime } from "./time-check.ts";
import { placesIn, type Workspace } from "./workspace.ts";

export interface IngestParts {
  readonly clock: Clock;
  readonly output: Output;
  /** Stops the run: children end, the log is closed, and the run rejects with its reason. */
  readonly signal: AbortSignal;
}

/**
 * @param dir the run's own directory, fresh
 * @returns what was found; `ok` says whether every check passed
 */
export async function runIngest(
  dir: string,
  seed: number,
  options: Pick<IngestOptions, "input" | "kills">,
  { clock, output, signal }: IngestParts,
): Promise<IngestReport> {
  const { paint } = output;
  const progress = (text: string): void => output.progress(text);
  const beganUs = clock.monotonicUs();
  const places = placesIn(dir);
  const input = await spoolInput(options.input, places.files, places.inputPath, { signal, progress });
  output.lines(renderStart(seed, dir, input, paint));

  const random = new SeededRandom(seed);
  const sizing = sizeLog(input.records, input.bytes, input.longestBytes);
  const workspace: Workspace = { ...places, records: input.records, sizing, clock, signal, progress };
  const checks: Check[] = [];
  const kills: KillReport[] = [];
  for (const plan of planKills(input.records, options.kills, random)) {
    const killed = await drill(plan, workspace);
    kills.push(killed.report);
    checks.push(...killed.checks);
    output.lines(renderKill(killed.report, paint));
  }

  const finished = await finish(random.int(2 ** 32), workspace);
  checks.push(...finished.checks);
  output.lines(renderFinish(finished.report, paint));

  const closed = await checkClosedLog(random, workspace);
  checks.push(...closed.checks);
  const byTime = await checkReadsByTime(random, workspace);
  checks.push(byTime.check);
  output.lines(renderReads(closed.byId, byTime.report, paint));
  output.lines(renderFigures(finished.report, paint));
  output.lines(renderSegments(finished.report, paint));
  output.lines(renderChecks(checks, paint));

  const report: IngestReport = {
    ok: allPassed(checks),
    seed,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    dir,
    input,
    kills,
    finish: finished.report,
    byId: closed.byId,
    byTime: byTime.report,
    checks: titledChecks(checks),
    elapsedUs: clock.monotonicUs() - beganUs,
  };
  output.lines(renderEnd(report, paint));
  return report;
}

/** Opens the finished log once more, reads all of it and some of it by id, then lets every byte be scanned. */
async function checkClosedLog(
  random: SeededRandom,
  workspace: Workspace,
): Promise<{ byId: IdReadsReport; checks: Check[] }> {
  const { files, inputPath, logDir, records, signal, progress } = workspace;
  progress("reading the finished log");
  const log = await Aof.open({ dir: logDir, ...workspace.sizing });
  const checks: Check[] = [];
  let byId: IdReadsReport;
  try {
    const sent = await RecordFile.open(files, inputPath, 1);
    try {
      const sequence = await compareWithInput(log.readBatches({ signal }), sent, {
        where: "after the last close",
        firstId: 1,
      });
      const complete = judgeTail("complete", records, sequence, "after the last close");
      const { outcome } = log.recovery;
      const unclean = {
        where: "after the last close",
        expected: "a log that was closed cleanly",
        got: `outcome ${outcome}`,
      };
      const findings = outcome === "clean" ? complete.findings : [unclean, ...complete.findings];
      checks.push({
        ...complete,
        findings,
        findingCount: complete.findingCount + findings.length - complete.findings.length,
      });
    } finally {
      await sent[Symbol.asyncDispose]();
    }
    const reads = await checkReadsById(log, random, workspace);
    checks.push(reads.check);
    byId = reads.report;
  } finally {
    await log.close();
  }

  const verified = await verifyLog({ dir: logDir }, { signal });
  const findings = verified.problems.map(({ code, message, recordId }) => ({
    where: "scanning every byte",
    ...(recordId === undefined ? {} : { id: recordId }),
    expected: "no problem",
    got: `${code}: ${message}`,
  }));
  if (verified.ok && verified.records !== records) {
    findings.push({ where: "scanning every byte", expected: `${records} records`, got: `${verified.records}` });
  }
  checks.push(check("verified", verified.records, "records", findings));
  return { byId, checks };
}

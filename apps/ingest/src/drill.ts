/** Kill and recover: one writer after the other dies in the middle, and each time everything is compared. */
import { Aof, type RecoveryReport } from "@varve/aof";
import { formatFlushStrategy } from "@varve/flush-metrics";
import { type Check, judgeKill } from "./checks.ts";
import { ContentHash } from "./content-hash.ts";
import type { KillPlan } from "./drill-plan.ts";
import { type KilledWriter, killWriter } from "./kill.ts";
import { RecordFile } from "./record-file.ts";
import { compareWithInput } from "./tail-check.ts";
import type { Workspace } from "./workspace.ts";

/** One kill and its recovery, for the report. Plain JSON. */
export interface KillReport {
  readonly round: number;
  /** In its text form. */
  readonly strategy: string;
  readonly firstId: number;
  readonly acknowledgedId: number;
  readonly announcedId: number;
  /** The newest record that was there afterwards. */
  readonly recoveredId: number;
  /** Records that the writer appended and got acknowledged, and in how long. */
  readonly acknowledgedRecords: number;
  readonly writingUs: number;
  /** How long the open that recovered took. */
  readonly recoveryUs: number;
  readonly recovery: RecoveryReport;
}

/** Runs one kill. The log is closed, and sound as far as the checks say, when it resolves. */
export async function drill(plan: KillPlan, workspace: Workspace): Promise<{ report: KillReport; checks: Check[] }> {
  const killed = await killWriter(plan, workspace);
  const { clock, progress, signal } = workspace;
  signal.throwIfAborted();
  progress(`recovering after kill ${plan.round}`);
  const beganUs = clock.monotonicUs();
  const log = await Aof.open({ dir: workspace.logDir, ...workspace.sizing });
  try {
    const recoveryUs = clock.monotonicUs() - beganUs;
    const checks = await judgeRecovered(log, killed, `after kill ${plan.round}`, workspace);
    return {
      checks,
      report: {
        round: plan.round,
        strategy: formatFlushStrategy(plan.strategy),
        firstId: killed.firstId,
        acknowledgedId: killed.acknowledgedId,
        announcedId: killed.announcedId,
        recoveredId: log.recovery.lastId,
        acknowledgedRecords: killed.acknowledgedId - killed.firstId + 1,
        writingUs: killed.elapsedUs,
        recoveryUs,
        recovery: log.recovery,
      },
    };
  } finally {
    await log.close();
  }
}

/** Compares all that a recovered log holds with what was sent to it, and with what its killed writer said. */
export async function judgeRecovered(
  log: Aof,
  killed: Omit<KilledWriter, "elapsedUs">,
  where: string,
  { files, inputPath, signal }: Pick<Workspace, "files" | "inputPath" | "signal">,
): Promise<Check[]> {
  const hash = new ContentHash();
  let recoveredHash: string | undefined;
  const sent = await RecordFile.open(files, inputPath, 1);
  try {
    const sequence = await compareWithInput(log.readBatches({ signal }), sent, {
      where,
      firstId: 1,
      onRecord: (id, record) => {
        if (id < killed.firstId || id > killed.acknowledgedId) return;
        hash.add(record);
        if (id === killed.acknowledgedId) recoveredHash = hash.digest();
      },
    });
    return judgeKill({
      where,
      acknowledgedId: killed.acknowledgedId,
      acknowledgedHash: killed.acknowledgedHash,
      announcedId: killed.announcedId,
      writerEpoch: killed.epoch,
      recovery: { ...log.recovery, firstCutId: log.recovery.tornTail?.firstCutId },
      sequence,
      recoveredHash,
    });
  } finally {
    await sent[Symbol.asyncDispose]();
  }
}

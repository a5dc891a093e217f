import type { Manifest } from "./format/manifest-codec.ts";
import type { IndexOpening } from "./index-keeper.ts";
import type { RecoveredFiles } from "./recovery.ts";
import type { RecoveryPlan } from "./recovery-plan.ts";
import type { LostRange, RecoveryReport } from "./recovery-report.ts";
import type { RecoveryMode } from "./settings.ts";

/** Everything a report is made of. */
export interface ReportInput {
  readonly mode: RecoveryMode;
  readonly isNew: boolean;
  /** MANIFEST as this open found it. */
  readonly previous: Manifest;
  readonly plan: RecoveryPlan;
  readonly files: RecoveredFiles;
  readonly lost: readonly LostRange[];
  readonly cursorMessages: readonly string[];
  readonly epoch: number;
  readonly index: IndexOpening;
}

/** Puts what a recovery found and did into one plain object. Pure. */
export function reportRecovery(input: ReportInput): RecoveryReport {
  const { previous, files, plan } = input;
  return {
    outcome: input.isNew ? "created" : previous.closedCleanly ? "clean" : "recovered",
    mode: input.mode,
    epoch: input.epoch,
    previousEpoch: input.isNew ? 0 : previous.epoch,
    firstId: (plan.manifest ?? previous).firstId,
    lastId: recoveredLastId(plan.manifest ?? previous, files),
    tornTail: files.tornTail,
    resealed: files.resealed,
    lost: input.lost,
    removedFiles: files.removedFiles,
    foreignFiles: plan.foreign,
    scannedBytes: plan.scannedBytes,
    index: input.index,
    messages: [...messagesOf(input), ...input.cursorMessages],
  };
}

/** The newest id that was ever given out and is known of: when no record remains, ids go on behind what was promised. */
export function recoveredLastId({ firstId, promisedId }: Manifest, { sealed }: RecoveredFiles): number {
  return sealed.at(-1)?.lastId ?? Math.max(firstId - 1, promisedId);
}

function* messagesOf({ files, lost, plan, index }: ReportInput): Iterable<string> {
  const { tornTail } = files;
  if (tornTail !== undefined) {
    const records = tornTail.cutRecords ? ", sound but unacknowledged records among them" : "";
    yield `cut ${tornTail.bytes} bytes that were never acknowledged as durable from ${tornTail.path} at offset ${tornTail.offset} (record ${tornTail.firstCutId} on${records}); kept in ${tornTail.keptAs}`;
  }
  for (const range of lost) yield lostMessage(range);
  if (index.outcome === "reset") yield `rebuilt the index: ${index.reason ?? "it did not fit the log"}`;
  if (plan.foreign.length > 0) yield `left alone files that are not the log's: ${plan.foreign.slice(0, 5).join(", ")}`;
}

/** What a repair gave up, in a sentence. */
export function lostMessage({ firstId, lastId, reason }: LostRange): string {
  return firstId === lastId ? `lost record ${firstId}: ${reason}` : `lost records ${firstId} to ${lastId}: ${reason}`;
}

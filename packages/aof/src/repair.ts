import { Aof } from "./aof.ts";
import { AofError } from "./errors.ts";
import type { AofParts } from "./parts.ts";
import type { RecoveryReport } from "./recovery-report.ts";
import { verifyLog, type VerifyReport } from "./verify.ts";

export interface RepairSettings {
  readonly dir: string;
  /**
   * `truncate-torn-tail` does what every open for writing does. `salvage` reads everything and gives up what cannot be
   * read: lost records keep their ids and are marked, damaged files are kept beside the log.
   */
  readonly mode: "truncate-torn-tail" | "salvage";
  /** Default `index`. */
  readonly indexPath?: string;
}

export interface RepairReport {
  readonly recovery: RecoveryReport;
  /** The log after the repair; marks of lost records are listed as problems. */
  readonly verify: VerifyReport;
}

/**
 * Repairs a log that no writer has open, and closes it again.
 * @throws AofError `NOT_FOUND`, `LOCKED`, and what `Aof.open` throws
 */
export async function repairLog(settings: RepairSettings, parts: AofParts = {}): Promise<RepairReport> {
  const place = {
    dir: settings.dir,
    ...(settings.indexPath === undefined ? {} : { indexPath: settings.indexPath }),
  };
  if (settings.mode !== "truncate-torn-tail" && settings.mode !== "salvage") {
    throw new AofError("INVALID_ARGUMENT", `mode: got ${String(settings.mode)}, want truncate-torn-tail or salvage`);
  }
  // Throws NOT_FOUND before an open would create a log.
  const before = await verifyLog(place, {}, parts);
  const deep = settings.mode === "salvage" && before.problems.some((problem) => problem.code.startsWith("CORRUPTED"));
  const log = await Aof.open({ ...place, recovery: deep ? "salvage" : "truncate-torn-tail" }, parts);
  const { recovery } = log;
  await log.close();
  return { recovery, verify: await verifyLog(place, {}, parts) };
}

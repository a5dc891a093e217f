import { Aof } from "./aof.ts";
import { AofError, isAofError } from "./errors.ts";
import { checkCursorFile, setCursorsAside } from "./cursor-file.ts";
import { ManifestFile, readManifest } from "./manifest-file.ts";
import { LogDirectory } from "./log-directory.ts";
import { takeLock } from "./open-log.ts";
import { lostMessage } from "./recovery-messages.ts";
import { type AofParts, resolveParts } from "./parts.ts";
import { salvageLog } from "./salvage.ts";
import type { LostRange, RecoveryReport } from "./recovery-report.ts";
import { verifyLog, type VerifyReport } from "./verify.ts";

/** Which log to repair, and how far to go. */
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

/** What a repair did and left. Plain JSON. */
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
  // No repair makes keys: KEYS is restored from a copy.
  const isDamaged = before.problems.some(({ code }) => code.startsWith("CORRUPTED") && code !== "CORRUPTED_KEYS");
  const salvaged = settings.mode === "salvage" && isDamaged ? await salvage(settings, parts) : nothingSalvaged;
  const { lost } = salvaged;
  // Nothing is appended and no record's content is read: no key is needed.
  const { keyProvider: _, ...rest } = parts;
  const log = await Aof.open({ ...place, encryption: false }, rest);
  const { recovery } = log;
  await log.close();
  const messages = [...recovery.messages, ...lost.map(lostMessage), ...salvaged.messages];
  return { recovery: { ...recovery, lost, messages }, verify: await verifyLog(place, {}, parts) };
}

interface Salvaged {
  readonly lost: readonly LostRange[];
  readonly messages: readonly string[];
}

const nothingSalvaged: Salvaged = { lost: [], messages: [] };

/** An open finds only damage that it meets; this one reads everything. */
async function salvage(settings: RepairSettings, parts: AofParts): Promise<Salvaged> {
  const directory = new LogDirectory(resolveParts(settings.dir, parts));
  const indexPath = settings.indexPath ?? "index";
  const lock = await takeLock(directory, false);
  try {
    const lost = await salvageLog(directory, indexPath);
    // It describes the files before the repair.
    await directory.fileSystem.removeDirectory(directory.at(indexPath));
    return { lost, messages: await salvageCursors(directory) };
  } finally {
    await lock?.release();
  }
}

async function salvageCursors(directory: LogDirectory): Promise<string[]> {
  const manifest = await readManifest(directory);
  if (manifest === undefined) return [];
  try {
    await checkCursorFile(directory, manifest);
    return [];
  } catch (error) {
    if (!isAofError(error) || error.code !== "CORRUPTED_CURSORS") throw error;
    const file = new ManifestFile(directory, manifest);
    try {
      return [await setCursorsAside(directory, file, error)];
    } finally {
      file.closeSync();
    }
  }
}

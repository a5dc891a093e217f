/**
 * From a directory to a log that may be appended to: lock, plan, recover, index. What was begun is taken back when a
 * later step fails.
 */
import { type FileLock, isStorageError } from "@varve/fs-core";
import { AofError, type AofErrorCode, isAofError, toAofError } from "./errors.ts";
import type { Manifest, SegmentTail } from "./format/manifest-codec.ts";
import { IndexKeeper } from "./index-keeper.ts";
import type { LogKeys } from "./keys/log-keys.ts";
import { ensureKeys, loadKeys, reloadKeys } from "./keys/open-keys.ts";
import { LogDirectory } from "./log-directory.ts";
import { listLog } from "./log-listing.ts";
import { ManifestFile, readManifest, readManifestSync } from "./manifest-file.ts";
import type { LogParts } from "./parts.ts";
import { applyRecovery, tailOf } from "./recovery.ts";
import { checkCursorFile, type CursorPositions, openCursors } from "./cursor-file.ts";
import { recoveredLastId, reportRecovery } from "./recovery-messages.ts";
import { planRecovery, type RecoveryPlan } from "./recovery-plan.ts";
import type { LostRange, RecoveryReport } from "./recovery-report.ts";
import { salvageLog } from "./salvage.ts";
import type { SealedSegment } from "./sealed-segment.ts";
import type { ResolvedAofSettings } from "./settings.ts";

/** A recovered log before its first segment is begun. */
export interface OpenedLog {
  readonly directory: LogDirectory;
  /** undefined: taken over from a writer that still holds it. */
  readonly lock: FileLock | undefined;
  readonly manifest: ManifestFile;
  readonly index: IndexKeeper;
  readonly sealed: readonly SealedSegment[];
  readonly tail: SegmentTail | undefined;
  readonly cursors: CursorPositions;
  readonly epoch: number;
  readonly report: RecoveryReport;
  /** undefined: opened without keys. */
  readonly keys: LogKeys | undefined;
}

/** @throws AofError; see `Aof.open` */
export async function openLogFiles(
  settings: ResolvedAofSettings,
  parts: LogParts & { readonly root: string },
): Promise<OpenedLog> {
  const directory = new LogDirectory(parts);
  try {
    await directory.fileSystem.mkdir(directory.path);
  } catch (error) {
    throw toAofError(error, "creating the log's directory");
  }
  const lock = await takeLock(directory, settings.takeOver);
  let manifest: ManifestFile | undefined;
  let index: IndexKeeper | undefined;
  let keys: LogKeys | undefined;
  try {
    const lost: LostRange[] = [];
    let found = await manifestOf(directory, settings, lost);
    keys = await loadKeys(directory, found.manifest, settings.encryption, parts.keyProvider);
    // Now, although it is read when the end of the log is known: a refusal comes before a byte changes.
    if (!found.isNew && settings.recovery !== "salvage") await checkCursorFile(directory, found.manifest);
    manifest = new ManifestFile(directory, found.manifest);
    if (found.isNew) manifest.replaceSync({});
    else if (lock === undefined) {
      // The key provider may have taken its time, and the writer need not have been stuck: from what MANIFEST says now.
      found = { manifest: readManifestSync(directory), isNew: false };
      manifest.adopt(found.manifest);
      // A stuck writer must be fenced before its tail is read: whatever it acknowledges was synced before this.
      manifest.replaceSync({ epoch: found.manifest.epoch + 1 });
      if (keys !== undefined) await reloadKeys(directory, found.manifest, keys, parts.keyProvider);
    }
    const epoch = found.isNew || lock === undefined ? manifest.current.epoch : manifest.current.epoch + 1;
    index = await openIndex(directory, settings, found.manifest.logId, epoch);
    const plan = await planOrSalvage(directory, settings, index, manifest, lost);
    if (settings.recovery === "strict") refuseUnlessClean(plan);
    const files = await applyRecovery(directory, plan, { isTakeOver: lock === undefined });
    if (keys !== undefined && parts.keyProvider !== undefined && settings.encryption !== false) {
      await ensureKeys(directory, manifest, keys, parts.keyProvider);
    }
    await refreshIndex(index, files.sealed);
    const lastId = recoveredLastId(plan.manifest ?? found.manifest, files);
    const cursors = await openCursors(directory, manifest, settings.recovery, lastId);
    const report = reportRecovery({
      mode: settings.recovery,
      isNew: found.isNew,
      previous: found.manifest,
      plan,
      files,
      lost,
      cursorMessages: cursors.messages,
      epoch,
      index: index.opening,
    });
    const { sealed } = files;
    const tail = tailOf(sealed);
    return { directory, lock, manifest, index, sealed, tail, cursors: cursors.positions, epoch, report, keys };
  } catch (error) {
    await index?.close().catch(() => {});
    keys?.close();
    manifest?.closeSync();
    await lock?.release();
    throw isAofError(error) ? error : toAofError(error, "opening the log");
  }
}

/** undefined when another writer holds it and `takeOver` says not to mind. @throws AofError `LOCKED` */
export async function takeLock(directory: LogDirectory, takeOver: boolean): Promise<FileLock | undefined> {
  try {
    return await directory.lock();
  } catch (error) {
    if (isStorageError(error) && error.code === "LOCKED") {
      if (takeOver) return undefined;
      throw new AofError(
        "LOCKED",
        "another writer has this log open; close it, open read-only, or, if it is stuck, open with takeOver",
        { cause: error },
      );
    }
    throw toAofError(error, "locking the log's directory");
  }
}

/** The log's MANIFEST, or what a new log's will say. */
async function manifestOf(
  directory: LogDirectory,
  settings: ResolvedAofSettings,
  lost: LostRange[],
): Promise<{ readonly manifest: Manifest; readonly isNew: boolean }> {
  let manifest: Manifest | undefined;
  try {
    manifest = await readManifest(directory);
    if (manifest === undefined) await refuseStrangers(directory, settings.indexPath);
  } catch (error) {
    if (!isSalvageable(error, settings)) throw error;
    lost.push(...(await salvageLog(directory, settings.indexPath)));
    manifest = await readManifest(directory);
  }
  if (manifest !== undefined) return { manifest, isNew: false };
  const id = directory.random.fill(new Uint8Array(16));
  return {
    manifest: {
      epoch: 1,
      logId: Array.from(id, (byte) => byte.toString(16).padStart(2, "0")).join(""),
      firstId: 1,
      closedCleanly: false,
      hasKeys: false,
      hasCursors: false,
      active: undefined,
      promisedId: 0,
      tail: undefined,
      updatedAtUs: directory.clock.wallUs(),
    },
    isNew: true,
  };
}

/** A new log is begun only where nothing else lives. */
async function refuseStrangers(directory: LogDirectory, indexPath: string): Promise<void> {
  const listing = await listLog(directory, indexPath);
  if (listing.segments.length > 0) {
    throw new AofError(
      "CORRUPTED_MANIFEST",
      `MANIFEST is missing although ${listing.segments.length} segments are there; restore it, or repair with mode "salvage"`,
      { path: "MANIFEST" },
    );
  }
  if (listing.hasKeys) {
    throw new AofError(
      "CORRUPTED_MANIFEST",
      `MANIFEST is missing although KEYS is there; restore it, or repair with mode "salvage"`,
      { path: "MANIFEST" },
    );
  }
  const strangers = listing.foreign.filter((name) => !name.startsWith(".") && name !== "lost+found");
  if (strangers.length > 0) {
    throw new AofError(
      "NOT_A_LOG",
      `the directory has no log but other files (${strangers.slice(0, 3).join(", ")}${strangers.length > 3 ? ", …" : ""}); choose an empty one`,
      { path: strangers[0] as string },
    );
  }
}

async function openIndex(
  directory: LogDirectory,
  settings: ResolvedAofSettings,
  logId: string,
  epoch: number,
): Promise<IndexKeeper> {
  try {
    return await IndexKeeper.open(directory, settings, logId, epoch);
  } catch (error) {
    throw new AofError("INDEX", `the index cannot be opened or made anew: ${(error as Error).message}`, {
      path: settings.indexPath,
      cause: error,
    });
  }
}

async function planOrSalvage(
  directory: LogDirectory,
  settings: ResolvedAofSettings,
  index: IndexKeeper,
  manifest: ManifestFile,
  lost: LostRange[],
): Promise<RecoveryPlan> {
  const indexed = await index.sealedSegments().catch(() => undefined);
  try {
    return await planRecovery(directory, { indexed, indexPath: settings.indexPath });
  } catch (error) {
    if (!isSalvageable(error, settings)) throw error;
  }
  lost.push(...(await salvageLog(directory, settings.indexPath)));
  manifest.adopt((await readManifest(directory)) as Manifest);
  // The index describes the files before the repair.
  return planRecovery(directory, { indexPath: settings.indexPath });
}

const damageCodes: readonly AofErrorCode[] = ["CORRUPTED_RECORD", "CORRUPTED_SEGMENT", "CORRUPTED_MANIFEST"];

function isSalvageable(error: unknown, settings: ResolvedAofSettings): boolean {
  return settings.recovery === "salvage" && isAofError(error) && damageCodes.includes(error.code);
}

function refuseUnlessClean(plan: RecoveryPlan): void {
  const { active } = plan;
  if (active === undefined || (active.tornEnd <= active.scan.end && !active.cutRecords)) return;
  const recordId = active.header.baseId + active.scan.count;
  throw new AofError(
    "CORRUPTED_RECORD",
    `the log ends with ${active.tornEnd - active.scan.end} torn bytes at offset ${active.scan.end}, never acknowledged as durable; open with recovery "truncate-torn-tail" to cut them. Nothing was changed.`,
    { segmentId: active.header.baseId, offset: active.scan.end, recordId },
  );
}

/** The index is a cache: when it will not take the truth, the log runs without its help. */
async function refreshIndex(index: IndexKeeper, sealed: readonly SealedSegment[]): Promise<void> {
  try {
    await index.refresh(sealed);
  } catch (error) {
    throw new AofError("INDEX", `the index cannot be brought up to date: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/**
 * CURSORS on disk: reading it, replacing it, setting it aside.
 *
 * Always true:
 *  I1  the file is replaced by rename, never written in place: a crash leaves the old positions or the new ones, whole
 *  I2  MANIFEST says `hasCursors` before anybody is told that a cursor exists, so that a missing file is noticed
 */
import { isStorageError, temporaryName } from "@varve/fs-core";
import { AofError, isAofError, toAofError } from "./errors.ts";
import { cursorsBytesMax, decodeCursors, encodeCursors } from "./format/cursors-codec.ts";
import type { Manifest } from "./format/manifest-codec.ts";
import type { LogDirectory } from "./log-directory.ts";
import type { ManifestFile } from "./manifest-file.ts";
import { brokenCursorsName, cursorsName } from "./segment-name.ts";
import type { RecoveryMode } from "./settings.ts";

/** By name: the last id that was committed. */
export type CursorPositions = ReadonlyMap<string, number>;

/** What an open found. */
export interface OpenedCursors {
  readonly positions: CursorPositions;
  /** What was mended, in sentences. */
  readonly messages: readonly string[];
}

/**
 * Reads the cursors of a recovered log and mends what recovery has to.
 * @param lastId the newest record that survived: a cursor beyond it is moved back to it, durably, before an append can
 * give that id to another record
 * @throws AofError `CORRUPTED_CURSORS` unless `mode` is `salvage`, `FORMAT_TOO_NEW`, `IO`
 */
export async function openCursors(
  directory: LogDirectory,
  manifest: ManifestFile,
  mode: RecoveryMode,
  lastId: number,
): Promise<OpenedCursors> {
  let found: CursorPositions | undefined;
  try {
    found = await readCursors(directory, manifest.current);
  } catch (error) {
    if (mode !== "salvage" || !isAofError(error) || error.code !== "CORRUPTED_CURSORS") throw error;
    return { positions: new Map(), messages: [await setCursorsAside(directory, manifest, error)] };
  }
  if (found === undefined) return { positions: new Map(), messages: [] };
  const ahead = [...found].filter(([, position]) => position > lastId);
  if (ahead.length > 0) {
    const positions = new Map([...found].map(([name, position]) => [name, Math.min(position, lastId)]));
    await writeCursors(directory, manifest, positions);
    return { positions, messages: ahead.map(([name, position]) => clampMessage(name, position, lastId)) };
  }
  // The first cursor's writer died before MANIFEST could say that there are any.
  if (!manifest.current.hasCursors) manifest.replaceSync({ hasCursors: true });
  return { positions: found, messages: [] };
}

function clampMessage(name: string, position: number, lastId: number): string {
  return `moved cursor ${JSON.stringify(name)} back from ${position} to ${lastId}: the records between are no more`;
}

/** @throws AofError `CORRUPTED_CURSORS`, `FORMAT_TOO_NEW`, `IO` */
export async function checkCursorFile(directory: LogDirectory, manifest: Manifest): Promise<void> {
  await readCursors(directory, manifest);
}

/** undefined when there is no file, and none must be. @throws AofError `CORRUPTED_CURSORS`, `FORMAT_TOO_NEW`, `IO` */
async function readCursors(directory: LogDirectory, manifest: Manifest): Promise<CursorPositions | undefined> {
  let bytes: Uint8Array;
  try {
    const handle = await directory.open(cursorsName);
    try {
      // One more byte than a sound file can have: what is longer is damaged.
      const length = Math.min(await handle.size(), cursorsBytesMax + 1);
      const buffer = new Uint8Array(length);
      bytes = buffer.subarray(0, await handle.readAt(0, buffer));
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (isStorageError(error) && error.code === "NOT_FOUND") {
      if (!manifest.hasCursors) return undefined;
      throw corrupted("is missing although MANIFEST says that cursors were made", error);
    }
    throw toAofError(error, "reading CURSORS", { path: cursorsName });
  }
  const decoded = decodeCursors(bytes);
  switch (decoded.kind) {
    case "ok":
      if (decoded.value.logId === manifest.logId) return decoded.value.positions;
      throw corrupted("belongs to another log");
    case "newer":
      throw new AofError("FORMAT_TOO_NEW", "CURSORS was written by a newer version; upgrade. Nothing was touched.", {
        path: cursorsName,
      });
    case "foreign":
      throw corrupted(`does not begin as one of ours (${bytes.length} bytes)`);
    case "damaged":
      throw corrupted(`is damaged: ${decoded.reason}`);
  }
}

/**
 * Replaces CURSORS durably. The new file is written whole each time, so a failure before the rename changed nothing and
 * another attempt writes nothing that a failed sync may have lost.
 * @param onNamesFailed called when the rename or the directory's sync failed: what else of the directory is on disk is
 * not known any more then
 * @throws AofError `FENCED`, `NO_SPACE`, `IO`
 */
export async function writeCursors(
  directory: LogDirectory,
  manifest: ManifestFile,
  positions: CursorPositions,
  onNamesFailed: (error: AofError) => void = () => {},
): Promise<void> {
  const name = temporaryName(cursorsName, directory.random.u64());
  const context = { path: cursorsName };
  try {
    const handle = await directory.create(name);
    try {
      await handle.writeAt(0, encodeCursors({ logId: manifest.current.logId, positions }));
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    await directory.delete(name).catch(() => {});
    throw toAofError(error, "writing CURSORS", context);
  }
  try {
    // Without a turn of the loop in between: a newer writer's file of this name must not be replaced.
    if (!manifest.isStillOurs()) throw manifest.fenced();
    directory.renameSync(name, cursorsName);
    await directory.sync();
    if (!manifest.current.hasCursors) manifest.replaceSync({ hasCursors: true });
    // Whoever took the log over before this read the positions before this.
    else if (!manifest.isStillOurs()) throw manifest.fenced();
  } catch (error) {
    const failure = toAofError(error, "replacing CURSORS", context);
    onNamesFailed(failure);
    await directory.delete(name).catch(() => {});
    throw failure;
  }
}

/** Keeps a damaged file beside the log and goes on without cursors. @returns what was done, in a sentence */
export async function setCursorsAside(
  directory: LogDirectory,
  manifest: ManifestFile,
  reason: AofError,
): Promise<string> {
  let keptAs: string | undefined;
  if (await directory.fileSystem.fileExists(directory.at(cursorsName))) {
    for (let attempt = 0; keptAs === undefined; attempt++) {
      const name = brokenCursorsName(manifest.current.epoch, attempt);
      if (!(await directory.fileSystem.fileExists(directory.at(name)))) keptAs = name;
    }
    await directory.rename(cursorsName, keptAs);
    await directory.sync();
  }
  manifest.replaceSync({ hasCursors: false });
  const kept = keptAs === undefined ? "" : `; the file is kept as ${keptAs}`;
  return `gave up all cursors: ${reason.message}${kept}`;
}

function corrupted(what: string, cause?: unknown): AofError {
  return new AofError(
    "CORRUPTED_CURSORS",
    `CURSORS ${what}; restore it, or give up all cursors by a repair with mode "salvage"`,
    { path: cursorsName, ...(cause === undefined ? {} : { cause }) },
  );
}

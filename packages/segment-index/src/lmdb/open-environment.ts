/**
 * From whatever stands in an index directory to an open environment, without ever showing LMDB a byte that it did not
 * write itself.
 *
 * | `data.mdb` is | then |
 * | --- | --- |
 * | absent | a new environment is built |
 * | sound, and its seal matches | the library opens it |
 * | sound, without a matching seal | its records go into a new environment, which replaces it |
 * | anything else | `INDEX_DAMAGED` and friends; the caller may reset |
 *
 * New environments are made in `building/` and renamed into place, so a crash in the middle leaves the old state.
 */
import { chmod } from "node:fs/promises";
import { type FileSystem, isStorageError, joinPath } from "@varve/fs-core";
import { IndexMetadata } from "../change.ts";
import { IndexError, isIndexError } from "../errors.ts";
import { discard, isDisposable, readWholeFile } from "../index-directory.ts";
import type { OpenOutcome } from "../index-storage.ts";
import { SegmentDirectory } from "../segment-directory.ts";
import { checkEnvironment, type EnvironmentContents } from "./check-environment.ts";
import { Environment, type RecordChanges } from "./environment.ts";
import { isSealed, sealName } from "./environment-seal.ts";
import type { LmdbModule } from "./lmdb-module.ts";
import { type EnvironmentState, metadataKey, stateKey } from "./metadata-records.ts";
import { noRecords, type RecordTotals } from "./record-totals.ts";

export const dataName = "data.mdb";
const lockName = "lock.mdb";
const buildingName = "building";

/** Every name an environment may leave in an index directory, the data file first. */
export const environmentNames: readonly string[] = [dataName, sealName, lockName, buildingName];

/** Where the environment is, for both worlds. */
export interface EnvironmentPlace {
  readonly fileSystem: FileSystem;
  /** The index directory; it exists. */
  readonly path: string;
  readonly lmdb: LmdbModule;
}

/** An open environment and what is in it. */
export interface OpenEnvironment {
  readonly environment: Environment;
  readonly opened: OpenOutcome;
  readonly directory: SegmentDirectory;
  readonly metadata: IndexMetadata;
  readonly revision: number;
  readonly totals: RecordTotals;
}

/** @param reset whether useless bytes are replaced by an empty environment */
export async function openEnvironment(
  place: EnvironmentPlace,
  logId: string,
  reset: boolean,
): Promise<OpenEnvironment> {
  const { fileSystem, path } = place;
  await discard(fileSystem, joinPath(path, buildingName));
  const found = await look(place, logId, reset);
  // Nobody else may hold it (the log's lock says so), so its content, garbage perhaps, is of no use to anyone.
  await discard(fileSystem, joinPath(path, lockName));
  if (found.contents === undefined) await buildEmpty(place, logId);
  else if (!found.sealed) await build(place, recordsOf(found.contents), found.contents.state);
  const environment = await Environment.open(place.lmdb, localPath(fileSystem, path));
  return { environment, opened: found.opened, ...stateOf(found.contents) };
}

interface Found {
  readonly contents: EnvironmentContents | undefined;
  readonly sealed: boolean;
  readonly opened: OpenOutcome;
}

async function look({ fileSystem, path }: EnvironmentPlace, logId: string, reset: boolean): Promise<Found> {
  const dataPath = joinPath(path, dataName);
  try {
    const file = await readWholeFile(fileSystem, dataPath);
    if (file === undefined) return { contents: undefined, sealed: false, opened: { outcome: "created" } };
    const contents = checkEnvironment(file, logId);
    return { contents, sealed: isSealed(file, await readSeal(fileSystem, path)), opened: { outcome: "opened" } };
  } catch (cause) {
    if (!reset || !isDisposable(cause)) throw cause;
    await discard(fileSystem, dataPath);
    return { contents: undefined, sealed: false, opened: { outcome: "reset", reason: cause.message } };
  }
}

/** A seal that cannot be read is no seal: it costs the rebuild of the environment. */
async function readSeal(fileSystem: FileSystem, path: string): Promise<Uint8Array | undefined> {
  const sealPath = joinPath(path, sealName);
  try {
    return await readWholeFile(fileSystem, sealPath);
  } catch (cause) {
    if (!isDisposable(cause)) throw cause;
    await discard(fileSystem, sealPath);
    return undefined;
  }
}

/** Makes `data.mdb` a new environment with these records, in one step. */
async function build(
  { fileSystem, path, lmdb }: EnvironmentPlace,
  changes: RecordChanges,
  state: EnvironmentState,
): Promise<void> {
  const building = joinPath(path, buildingName);
  await fileSystem.mkdir(building);
  const environment = await Environment.open(lmdb, localPath(fileSystem, building));
  try {
    environment.commit(changes, state);
  } finally {
    await environment.close();
  }
  const built = joinPath(building, dataName);
  // The library leaves it to the umask.
  await chmod(localPath(fileSystem, built), 0o600);
  await fileSystem.rename(built, joinPath(path, dataName));
  await fileSystem.syncDirectory(path);
  await discard(fileSystem, building);
}

/** @throws IndexError `INDEX_UNAVAILABLE` where the library cannot work: some file systems have no shared mappings */
async function buildEmpty(place: EnvironmentPlace, logId: string): Promise<void> {
  const changes: RecordChanges = { clear: false, segments: new Map(), metadata: new Map() };
  try {
    await build(place, changes, { logId, revision: 0, records: 0, digest: 0n });
  } catch (cause) {
    if (isIndexError(cause) || isStorageError(cause)) throw cause;
    throw new IndexError("INDEX_UNAVAILABLE", "lmdb cannot make an environment in this directory", { cause });
  }
}

function recordsOf({ segments, metadata, directory }: EnvironmentContents): RecordChanges {
  const baseIds = [...directory.select({})];
  const keyed = metadata.map(({ key, value }): [string, Uint8Array] => [metadataKey(key), value]);
  return {
    clear: false,
    segments: new Map(segments.map(({ value }, index) => [baseIds[index] as number, value])),
    metadata: new Map(keyed.filter(([key]) => key !== stateKey)),
  };
}

function stateOf(contents: EnvironmentContents | undefined): Omit<OpenEnvironment, "environment" | "opened"> {
  if (contents === undefined) {
    return { directory: new SegmentDirectory(), metadata: new IndexMetadata(), revision: 0, totals: noRecords };
  }
  const { state, segments, metadata, directory, values, segmentsDigest } = contents;
  const totals = {
    segments: segments.length,
    segmentsDigest,
    metadata: metadata.length - 1,
    metadataDigest: state.digest ^ segmentsDigest,
  };
  return { directory, metadata: values, revision: state.revision, totals };
}

/** @throws IndexError `INDEX_UNAVAILABLE` on a file system that is not the operating system's */
export function localPath(fileSystem: FileSystem, path: string): string {
  const local = fileSystem.localPath(path);
  if (local === undefined) throw new IndexError("INDEX_UNAVAILABLE", "lmdb needs a directory of the operating system");
  return local;
}

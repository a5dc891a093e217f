import { parseTemporaryName } from "@varve/fs-core";
import { toAofError } from "./errors.ts";
import type { LogDirectory } from "./log-directory.ts";
import { cursorsName, isBrokenName, keysName, manifestName, parseSegmentName } from "./segment-name.ts";

/** What lies in a log's directory, by what the names say. */
export interface LogListing {
  /** Base ids in ascending order. */
  readonly segments: readonly number[];
  /** Unfinished work of a writer that died. */
  readonly temporary: readonly string[];
  /** What earlier recoveries kept aside. */
  readonly broken: readonly string[];
  /** Names that are none of ours, directories other than the index included. Left alone. */
  readonly foreign: readonly string[];
  readonly hasManifest: boolean;
  readonly hasKeys: boolean;
  readonly hasCursors: boolean;
}

/** @param indexPath the index's directory, which is ours */
export async function listLog(directory: LogDirectory, indexPath = "index"): Promise<LogListing> {
  const segments: number[] = [];
  const temporary: string[] = [];
  const broken: string[] = [];
  const foreign: string[] = [];
  let hasManifest = false;
  let hasKeys = false;
  let hasCursors = false;
  let entries: Awaited<ReturnType<LogDirectory["list"]>>;
  try {
    entries = await directory.list();
  } catch (error) {
    throw toAofError(error, "listing the log's directory");
  }
  for (const { name, kind } of entries) {
    const baseId = parseSegmentName(name);
    if (baseId !== undefined) segments.push(baseId);
    else if (name === manifestName) hasManifest = true;
    else if (name === keysName) hasKeys = true;
    else if (name === cursorsName && kind === "file") hasCursors = true;
    else if (name === indexPath && kind === "directory") continue;
    else if (kind === "file" && parseTemporaryName(name) !== undefined) temporary.push(name);
    else if (kind === "file" && isBrokenName(name)) broken.push(name);
    else foreign.push(name);
  }
  segments.sort((a, b) => a - b);
  return { segments, temporary, broken, foreign, hasManifest, hasKeys, hasCursors };
}

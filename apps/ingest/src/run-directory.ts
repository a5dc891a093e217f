/**
 * A fresh directory for each run, `ingest-0001` and so on, and the removal of old ones.
 *
 * Always true:
 *  D1  a run holds the lock of its directory from before `run.json` is there until it ends
 *  D2  only a directory with a `run.json`, whose lock is free and whose run did not fail, is ever removed
 */
import { join } from "node:path";
import { type FileLock, isStorageError, LocalFileSystem, replaceFile } from "@varve/fs-core";

/** How a run stands. `running` with nobody holding the lock means: it was killed. */
export type RunState = "running" | "passed" | "failed" | "interrupted";

const markerName = "run.json";
const runName = /^ingest-(\d{4,9})$/;

export class RunDirectory {
  /** Its path, beginning with the parent's as it was given. */
  readonly path: string;
  readonly number: number;
  readonly #parent: LocalFileSystem;
  readonly #lock: FileLock;

  /**
   * Makes the next one in `parent`, which is created when missing.
   * @throws StorageError `NOT_A_DIRECTORY`, `PERMISSION_DENIED`, `NO_SPACE`, `IO`
   */
  static async create(parent: string): Promise<RunDirectory> {
    const files = new LocalFileSystem(parent);
    await files.mkdir("");
    for (let number = await highestNumber(files); ; ) {
      number++;
      const name = nameOf(number);
      await files.mkdir(name);
      const lock = await lockOrSkip(files, name);
      // Another run made the same one a moment ago: the next number, then.
      if (lock === undefined) continue;
      try {
        const marker = await files.createFile(join(name, markerName));
        await marker.close();
        const run = new RunDirectory(files, join(parent, name), number, lock);
        await run.note("running", undefined);
        return run;
      } catch (error) {
        await lock.release();
        if (!isStorageError(error) || error.code !== "ALREADY_EXISTS") throw error;
      }
    }
  }

  private constructor(parent: LocalFileSystem, path: string, number: number, lock: FileLock) {
    this.#parent = parent;
    this.path = path;
    this.number = number;
    this.#lock = lock;
  }

  /** Writes down how the run stands. @param report JSON-able; undefined while there is none */
  async note(state: RunState, report: unknown): Promise<void> {
    const text = `${JSON.stringify({ state, report }, undefined, 2)}\n`;
    await replaceFile(this.#parent, join(nameOf(this.number), markerName), Buffer.from(text));
  }

  /** Removes older runs so that `keep` remain, this one and failed ones included. Returns how many went. */
  async removeOlder(keep: number): Promise<number> {
    const older: string[] = [];
    for (const { name, number } of await listRuns(this.#parent)) {
      if (number < this.number && (await readState(this.#parent, name)) !== undefined) older.push(name);
    }
    let removed = 0;
    for (const name of older.slice(0, Math.max(0, older.length - (keep - 1)))) {
      const lock = await lockOrSkip(this.#parent, name);
      if (lock === undefined) continue;
      try {
        // Only now nobody can change it any more.
        if ((await readState(this.#parent, name)) === "failed") continue;
        await this.#parent.removeDirectory(name);
        removed++;
      } finally {
        await lock.release();
      }
    }
    return removed;
  }

  /** Removes it, with all that is in it. For a run that did nothing. */
  async discard(): Promise<void> {
    await this.#parent.removeDirectory(nameOf(this.number));
  }

  async release(): Promise<void> {
    await this.#lock.release();
  }
}

/** Oldest first. */
async function listRuns(files: LocalFileSystem): Promise<{ name: string; number: number }[]> {
  const entries = await files.list("");
  return entries
    .filter(({ kind, name }) => kind === "directory" && runName.test(name))
    .map(({ name }) => ({ name, number: numberOf(name) }))
    .sort((a, b) => a.number - b.number);
}

/** Of all names like ours, whatever they are. */
async function highestNumber(files: LocalFileSystem): Promise<number> {
  const entries = await files.list("");
  return entries.reduce((highest, { name }) => Math.max(highest, runName.test(name) ? numberOf(name) : 0), 0);
}

function numberOf(name: string): number {
  return Number(runName.exec(name)?.[1]);
}

/** undefined for a directory without a marker of ours, or with one that nobody finished writing. */
async function readState(files: LocalFileSystem, name: string): Promise<RunState | undefined> {
  try {
    const handle = await files.openFile(join(name, markerName));
    try {
      const { state } = JSON.parse(Buffer.from(await handle.readAll()).toString()) as { state?: RunState };
      return state;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof SyntaxError || (isStorageError(error) && error.code === "NOT_FOUND")) return undefined;
    throw error;
  }
}

async function lockOrSkip(files: LocalFileSystem, name: string): Promise<FileLock | undefined> {
  try {
    return await files.lock(name);
  } catch (error) {
    // `NOT_FOUND`: another run removed it meanwhile.
    if (isStorageError(error) && (error.code === "LOCKED" || error.code === "NOT_FOUND")) return undefined;
    throw error;
  }
}

function nameOf(number: number): string {
  return `ingest-${String(number).padStart(4, "0")}`;
}

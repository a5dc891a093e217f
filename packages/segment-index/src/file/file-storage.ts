/**
 * The journal behind `FileSegmentIndex`: the only code that writes `segments.idx`.
 *
 * Always true between commits:
 *  F1  the file is clean: its last frame is the last commit, and both slots are sound
 *  F2  #state is exactly what the file decodes to
 *  F3  a commit is acknowledged only when its frame, and then its slot, were synced; or the file was replaced
 */
import { type FileHandle, type FileSystem, joinPath, replaceFile } from "@varve/fs-core";
import type { Change, IndexMetadata } from "../change.ts";
import { encodeEntry } from "../entry-codec.ts";
import { type IndexError, ioError } from "../errors.ts";
import { discard, isDisposable, prepareOrReset, readWholeFile } from "../index-directory.ts";
import type { IndexStorage, OpenOutcome } from "../index-storage.ts";
import { MemoryStorage } from "../memory-segment-index.ts";
import { claimDirectory } from "../open-directories.ts";
import type { SegmentDirectory } from "../segment-directory.ts";
import type { SegmentEntry } from "../segment-entry.ts";
import { encodeFrame, encodeSlot, slotOffset } from "./file-layout.ts";
import { buildIndexFile, type FilePosition, type ReadIndexFile, readIndexFile } from "./index-file.ts";

export const indexFileName = "segments.idx";

/** The journal may grow to twice the state it began with, so that rewriting costs O(1) bytes per byte written … */
const journalShare = 2;
/** … and to this in any case, so that a small index is not rewritten at every other commit. */
const journalBytesMin = 256 * 1024;

export class FileStorage implements IndexStorage {
  readonly kind = "file";
  readonly logId: string;
  readonly opened: OpenOutcome;
  readonly #fileSystem: FileSystem;
  readonly #path: string;
  readonly #release: () => void;
  readonly #state: MemoryStorage;
  #position: FilePosition;
  #handle: FileHandle;

  private constructor(
    place: { readonly fileSystem: FileSystem; readonly path: string; readonly release: () => void },
    opened: OpenOutcome,
    { state, position, handle }: Omit<ReadIndexFile, "clean"> & { readonly handle: FileHandle },
  ) {
    this.logId = state.logId as string;
    this.opened = opened;
    this.#fileSystem = place.fileSystem;
    this.#path = place.path;
    this.#release = place.release;
    this.#state = state;
    this.#position = position;
    this.#handle = handle;
  }

  /** @param reset whether useless bytes are replaced by an empty index */
  static async open(fileSystem: FileSystem, directory: string, logId: string, reset: boolean): Promise<FileStorage> {
    const path = joinPath(directory, indexFileName);
    let release: (() => void) | undefined;
    try {
      const refused = await prepareOrReset(fileSystem, directory, reset);
      release = claimDirectory(fileSystem, directory);
      const { found, opened } = await readOrReset(fileSystem, path, logId, reset, refused);
      const ready = found?.clean ? found : await replaceWithClean(fileSystem, path, logId, found);
      const handle = await openDurably(fileSystem, directory, path);
      return new FileStorage({ fileSystem, path, release }, opened, { ...ready, handle });
    } catch (cause) {
      release?.();
      throw ioError("opening the index", cause);
    }
  }

  get directory(): SegmentDirectory {
    return this.#state.directory;
  }

  get metadata(): IndexMetadata {
    return this.#state.metadata;
  }

  get revision(): number {
    return this.#state.revision;
  }

  read(baseId: number): SegmentEntry | undefined {
    return this.#state.read(baseId);
  }

  async commit(changes: readonly Change[], revision: number): Promise<void> {
    const sequence = this.#position.sequence + 1;
    const { bytes, checksum } = encodeFrame({ sequence, revision, changes }, this.#position.checksum);
    const end = this.#position.end + bytes.length;
    if (end - this.#position.baseEnd > this.#journalBytesMax()) {
      await this.#replace(changes, revision);
    } else {
      await this.#handle.writeAt(this.#position.end, bytes);
      await this.#handle.sync({ dataOnly: true });
      await this.#handle.writeAt(slotOffset(sequence), encodeSlot({ sequence, end, checksum }));
      await this.#handle.sync({ dataOnly: true });
      this.#position = { ...this.#position, sequence, checksum, end };
    }
    this.#state.apply(changes, revision);
  }

  async check(): Promise<string[]> {
    try {
      const bytes = await readWholeFile(this.#fileSystem, this.#path);
      if (bytes === undefined) return [`${indexFileName} is gone`];
      const found = readIndexFile(bytes, this.logId);
      return found.clean && sameState(found.state, this.#state) ? [] : [`${indexFileName} holds another state`];
    } catch (cause) {
      if (isDisposable(cause)) return [cause.message];
      throw ioError("verifying the index", cause);
    }
  }

  async close(): Promise<void> {
    try {
      await this.#handle.close();
    } finally {
      this.#release();
    }
  }

  #journalBytesMax(): number {
    return Math.max(journalBytesMin, journalShare * this.#position.baseEnd);
  }

  async #replace(changes: readonly Change[], revision: number): Promise<void> {
    const next = new MemoryStorage(this.logId);
    next.apply(this.#state.changes(), this.#state.revision);
    next.apply(changes, revision);
    const { bytes, position } = buildIndexFile(next, this.logId, this.#position.generation + 1);
    await replaceFile(this.#fileSystem, this.#path, bytes);
    const handle = await this.#fileSystem.openFileMut(this.#path);
    const old = this.#handle;
    this.#handle = handle;
    this.#position = position;
    await old.close();
  }
}

/** What was in the file, or undefined where an empty index is to be made. */
async function readOrReset(
  fileSystem: FileSystem,
  path: string,
  logId: string,
  reset: boolean,
  refused: IndexError | undefined,
): Promise<{ found: ReadIndexFile | undefined; opened: OpenOutcome }> {
  try {
    const bytes = await readWholeFile(fileSystem, path);
    if (bytes !== undefined) return { found: readIndexFile(bytes, logId), opened: { outcome: "opened" } };
    return { found: undefined, opened: refused ? outcomeOf(refused) : { outcome: "created" } };
  } catch (cause) {
    if (!reset || !isDisposable(cause)) throw cause;
    await discard(fileSystem, path);
    return { found: undefined, opened: outcomeOf(cause) };
  }
}

function outcomeOf(refusal: IndexError): OpenOutcome {
  return { outcome: "reset", reason: refusal.message };
}

async function replaceWithClean(
  fileSystem: FileSystem,
  path: string,
  logId: string,
  found: ReadIndexFile | undefined,
): Promise<Omit<ReadIndexFile, "clean">> {
  const state = found?.state ?? new MemoryStorage(logId);
  const { bytes, position } = buildIndexFile(state, logId, (found?.position.generation ?? 0) + 1);
  await replaceFile(fileSystem, path, bytes);
  return { state, position };
}

/** What a crashed writer never synced may be visible now: make it durable before anyone relies on it. */
async function openDurably(fileSystem: FileSystem, directory: string, path: string): Promise<FileHandle> {
  const handle = await fileSystem.openFileMut(path);
  try {
    await handle.sync();
    await fileSystem.syncDirectory(directory);
    return handle;
  } catch (cause) {
    await handle.close();
    throw cause;
  }
}

function sameState(a: MemoryStorage, b: MemoryStorage): boolean {
  return a.revision === b.revision && JSON.stringify(comparable(a)) === JSON.stringify(comparable(b));
}

function comparable(state: MemoryStorage): unknown[] {
  return state.changes().map((change) => {
    return change.kind === "put" ? Buffer.from(encodeEntry(change.entry)).toString("latin1") : change;
  });
}

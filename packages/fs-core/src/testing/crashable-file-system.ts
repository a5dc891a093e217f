import { type Clock, systemClock } from "../clock.ts";
import type { FileHandle } from "../file-system/file-system.ts";
import { MemoryFileHandle } from "../file-system/memory-file-handle.ts";
import { MemoryDirectory, type MemoryFile } from "../file-system/memory-node.ts";
import { MemoryTree } from "../file-system/memory-tree.ts";
import { TreeFileSystem } from "../file-system/tree-file-system.ts";
import { CrashJournal } from "./crash-journal.ts";
import { type CrashSettings, survivingTree } from "./crash-survivors.ts";
import { InterceptedFileHandle } from "./intercepted-file-handle.ts";
import { InterceptedFileSystem } from "./intercepted-file-system.ts";
import type { FileInterceptor, FileOperation, FileOperationName } from "./operation.ts";

/** What a {@link CrashableFileSystem} may be given. */
export interface CrashableFileSystemParts {
  /** Gives `mtimeMs`. Default: the system's clock. */
  readonly clock?: Clock;
}

/** A moment at which a test may cut the power: right before or right after an operation. */
export interface OperationBoundary {
  /** Counts operations from 0, in the order in which they began. */
  readonly index: number;
  readonly name: FileOperationName;
  readonly path: string;
  readonly phase: "before" | "after";
}

/** A file system that can be told that a sync failed; see {@link CrashableFileSystem.syncFailed}. */
export interface SyncFailureTarget {
  syncFailed(target: FileHandle | string): void;
}

/**
 * A file system in memory that knows what a power cut would leave of it:
 * - bytes of a file are durable when a `sync` of it that began after the write returned (`dataOnly` or not: fdatasync
 *   makes a new size durable too);
 * - a name is durable when its directory was synced; a rename is one step, durable when all its directories (one or
 *   two) were synced;
 * - all else may or may not be there, as the {@link CrashModel} says.
 *
 * {@link crashClone} takes a picture and leaves the original running, so one run can be cut at every boundary.
 */
export class CrashableFileSystem extends InterceptedFileSystem implements SyncFailureTarget {
  readonly #clock: Clock;
  readonly #tree: MemoryTree;
  readonly #journal: CrashJournal;
  readonly #boundaries: Boundaries;

  /** @param survivors for {@link crashClone}: what is there at the start, all of it durable */
  constructor(
    parts: CrashableFileSystemParts = {},
    survivors?: { readonly tree: MemoryDirectory; readonly nextIno: number },
  ) {
    const clock = parts.clock ?? systemClock;
    const root = survivors?.tree ?? new MemoryDirectory(1, clock.wallUs() / 1000);
    const journal = new CrashJournal(root);
    const tree = new MemoryTree(clock, journal, root, survivors?.nextIno);
    const boundaries = new Boundaries();
    super(new TreeFileSystem(tree), boundaries);
    this.#clock = clock;
    this.#tree = tree;
    this.#journal = journal;
    this.#boundaries = boundaries;
  }

  /**
   * What a power cut at this moment may leave, as a fresh file system in which everything counts as durable and nothing
   * is locked or open. Call it as often as you like, in {@link onOperation} too.
   */
  crashClone(settings: CrashSettings): CrashableFileSystem {
    const tree = survivingTree(this.#tree.root, this.#journal, settings);
    return new CrashableFileSystem({ clock: this.#clock }, { tree, nextIno: this.#tree.nextIno });
  }

  /**
   * Calls `listener` synchronously before and after each operation of the file system and its handles, whichever its
   * form, and whether or not it fails. Several asynchronous operations may be under way at once.
   *
   * @returns a function that ends it
   */
  onOperation(listener: (boundary: OperationBoundary) => void): () => void {
    return this.#boundaries.add(listener);
  }

  /** How many operations have begun. */
  get operations(): number {
    return this.#boundaries.count;
  }

  /**
   * Declares that a sync of this open file, or of the directory with this path, has failed. What it would have made durable is
   * lost at the next power cut for good, even if a later sync succeeds: the kernel marks the pages clean. Readers go on
   * seeing it until then.
   */
  syncFailed(target: FileHandle | string): void {
    if (typeof target === "string") this.#journal.directorySyncFailed(this.#tree.directory(target, "syncDirectory"));
    else this.#journal.syncFailed(fileOf(target));
  }
}

function fileOf(handle: FileHandle): MemoryFile {
  const inner = handle instanceof InterceptedFileHandle ? handle.inner : handle;
  if (inner instanceof MemoryFileHandle) return inner.file;
  throw new TypeError("syncFailed: the handle belongs to another file system");
}

class Boundaries implements FileInterceptor {
  readonly #listeners: Set<(boundary: OperationBoundary) => void> = new Set();
  count = 0;

  add(listener: (boundary: OperationBoundary) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async around<T>(operation: FileOperation, call: () => Promise<T>): Promise<T> {
    const index = this.count++;
    this.#tell(operation, index, "before");
    try {
      return await call();
    } finally {
      this.#tell(operation, index, "after");
    }
  }

  aroundSync<T>(operation: FileOperation, call: () => T): T {
    const index = this.count++;
    this.#tell(operation, index, "before");
    try {
      return call();
    } finally {
      this.#tell(operation, index, "after");
    }
  }

  #tell({ name, path }: FileOperation, index: number, phase: "before" | "after"): void {
    for (const listener of this.#listeners) listener({ index, name, path, phase });
  }
}

import { type Clock, systemClock } from "../clock.ts";
import { MemoryTree } from "./memory-tree.ts";
import { TreeFileSystem } from "./tree-file-system.ts";

/** What a {@link MemoryFileSystem} may be given. */
export interface MemoryFileSystemParts {
  /** Gives `mtimeMs`. Default: the system's clock. */
  readonly clock?: Clock;
}

/**
 * A file system in this process's memory, for tests and for data that may vanish. It keeps every promise of
 * {@link FileSystem} with one reading of "stable storage": this object. Locks exclude whoever shares it. The root exists
 * from the start.
 */
export class MemoryFileSystem extends TreeFileSystem {
  constructor(parts: MemoryFileSystemParts = {}) {
    super(new MemoryTree(parts.clock ?? systemClock));
  }
}

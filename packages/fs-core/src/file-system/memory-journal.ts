import type { MemoryDirectory, MemoryFile, MemoryNode } from "./memory-node.ts";

/**
 * Hears of every change of a {@link MemoryTree} right after it was made, in order. The crash simulator keeps its books
 * with it.
 */
export interface MemoryJournal {
  /** `data` is the caller's: copy what must last. */
  wrote(file: MemoryFile, position: number, data: Uint8Array): void;
  resized(file: MemoryFile, size: number): void;
  /** A number that grows with every change: where a sync began. */
  mark(): number;
  /** A sync that began at `mark` succeeded. */
  synced(file: MemoryFile, mark: number): void;
  named(directory: MemoryDirectory, name: string, node: MemoryNode): void;
  unnamed(directory: MemoryDirectory, name: string, node: MemoryNode): void;
  /** One step: `node` left `from` and took the place of whatever bore the name `to`. */
  renamed(from: MemoryName, to: MemoryName, node: MemoryNode): void;
  directorySynced(directory: MemoryDirectory, mark: number): void;
}

/** A name in a directory. */
export interface MemoryName {
  readonly directory: MemoryDirectory;
  readonly name: string;
}

/** For a file system whose every byte lives and dies with the process. */
export const noJournal: MemoryJournal = {
  wrote: () => {},
  resized: () => {},
  mark: () => 0,
  synced: () => {},
  named: () => {},
  unnamed: () => {},
  renamed: () => {},
  directorySynced: () => {},
};

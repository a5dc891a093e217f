/**
 * Names and files in memory: the one place that changes them, so that the journal and the watchers hear of everything.
 *
 * Always true:
 *  I1  every node is reachable from `root` by exactly one path if it is a directory, by any number if it is a file
 *  I2  each change is told to the journal exactly once, after it was made
 */
import type { Clock } from "../clock.ts";
import { StorageError } from "../errors.ts";
import type { DirectoryEntry, FileMetadata, FileWatch } from "./file-system.ts";
import { argumentError } from "./map-node-error.ts";
import { type MemoryJournal, type MemoryName, noJournal } from "./memory-journal.ts";
import { countLinks, MemoryDirectory, MemoryFile, type MemoryNode } from "./memory-node.ts";
import { MemoryWatchers } from "./memory-watchers.ts";
import { pathParts, quotePath } from "./path-rules.ts";

export class MemoryTree {
  readonly root: MemoryDirectory;
  readonly locked: Set<MemoryDirectory> = new Set();
  readonly #clock: Clock;
  readonly #journal: MemoryJournal;
  readonly #watchers = new MemoryWatchers();
  #nextIno: number;

  /** @param root what is there already, for a tree that continues another; its inode numbers are below `nextIno` */
  constructor(clock: Clock, journal: MemoryJournal = noJournal, root?: MemoryDirectory, nextIno = 2) {
    this.#clock = clock;
    this.#journal = journal;
    this.#nextIno = nextIno;
    this.root = root ?? new MemoryDirectory(1, this.#nowMs());
  }

  get nextIno(): number {
    return this.#nextIno;
  }

  /** What `path` names. @throws StorageError `NOT_FOUND`, `NOT_A_DIRECTORY` on the way, `INVALID_PATH` */
  node(path: string, operation: string): MemoryNode {
    const node = this.find(path, operation);
    if (node === undefined) throw failure("NOT_FOUND", operation, path, "nothing is there");
    return node;
  }

  file(path: string, operation: string): MemoryFile {
    const node = this.node(path, operation);
    if (node.kind === "file") return node;
    throw failure("NOT_A_DIRECTORY", operation, path, "a directory stands where a file should");
  }

  directory(path: string, operation: string): MemoryDirectory {
    return asDirectory(this.node(path, operation), path, operation);
  }

  find(path: string, operation: string): MemoryNode | undefined {
    let node: MemoryNode | undefined = this.root;
    for (const part of pathParts(path, operation)) {
      if (node === undefined) return undefined;
      node = asDirectory(node, path, operation).entries.get(part);
    }
    return node;
  }

  createFile(path: string, operation: string): MemoryFile {
    const place = this.#freePlace(path, operation);
    const file = new MemoryFile(this.#nextIno++, this.#nowMs());
    this.#name(place, file);
    return file;
  }

  link(existing: string, path: string, operation: string): void {
    const file = this.file(existing, operation);
    this.#name(this.#freePlace(path, operation), file);
  }

  deleteFile(path: string, operation: string): void {
    const node = this.find(path, operation);
    if (node === undefined) return;
    if (node.kind === "directory")
      throw failure("NOT_A_DIRECTORY", operation, path, "a directory; see removeDirectory");
    this.#unname(this.#place(path, operation), node);
  }

  rename(from: string, to: string, operation: string): void {
    const node = this.node(from, operation);
    const target = this.find(to, operation);
    if (target !== undefined) {
      if (node.kind === "directory")
        throw failure("ALREADY_EXISTS", operation, to, "a directory never replaces anything");
      if (target.kind === "directory") {
        throw failure("NOT_A_DIRECTORY", operation, to, "a directory stands where a file should");
      }
      if (target === node) return;
    }
    if (node.kind === "directory" && `${to}/`.startsWith(from === "" ? "" : `${from}/`)) {
      throw argumentError(operation, from, "a directory cannot move into itself");
    }
    const source = this.#place(from, operation);
    const place = this.#place(to, operation);
    source.directory.entries.delete(source.name);
    place.directory.entries.set(place.name, node);
    if (target !== undefined) countLinks(target, -1);
    this.#journal.renamed(source, place, node);
    this.#touch(source.directory);
    this.#touch(place.directory);
  }

  makeDirectory(path: string, operation: string): void {
    let directory = this.root;
    for (const part of pathParts(path, operation)) {
      let next = directory.entries.get(part);
      if (next === undefined) {
        next = new MemoryDirectory(this.#nextIno++, this.#nowMs());
        this.#name({ directory, name: part }, next);
      }
      const child = asDirectory(next, path, operation);
      this.syncDirectory(directory, this.mark());
      directory = child;
    }
  }

  removeDirectory(path: string, operation: string): void {
    if (path === "") throw failure("INVALID_PATH", operation, path, "the root stays");
    const node = this.find(path, operation);
    if (node === undefined) return;
    const directory = asDirectory(node, path, operation);
    this.#empty(directory);
    this.#unname(this.#place(path, operation), directory);
  }

  list(path: string, operation: string): DirectoryEntry[] {
    return [...this.directory(path, operation).entries]
      .map(([name, node]): DirectoryEntry => ({ name, kind: node.kind }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  metadata(path: string, operation: string): FileMetadata {
    const node = this.node(path, operation);
    const size = node.kind === "file" ? node.bytes.size : 0;
    return { kind: node.kind, size, mtimeMs: node.mtimeMs, ino: node.ino };
  }

  write(file: MemoryFile, position: number, data: Uint8Array): void {
    file.bytes.writeAt(position, data);
    this.#journal.wrote(file, position, data);
    this.#changed(file);
  }

  resize(file: MemoryFile, size: number): void {
    file.bytes.setSize(size);
    this.#journal.resized(file, size);
    this.#changed(file);
  }

  mark(): number {
    return this.#journal.mark();
  }

  sync(file: MemoryFile, mark: number): void {
    this.#journal.synced(file, mark);
  }

  syncDirectory(directory: MemoryDirectory, mark: number): void {
    this.#journal.directorySynced(directory, mark);
  }

  watch(path: string, onChange: () => void): FileWatch {
    return this.#watchers.add(this.directory(path, "watch"), onChange);
  }

  #empty(directory: MemoryDirectory): void {
    for (const [name, node] of directory.entries) {
      if (node.kind === "directory") this.#empty(node);
      this.#unname({ directory, name }, node);
    }
  }

  /** The directory that holds, or would hold, `path`, and its name there. */
  #place(path: string, operation: string): MemoryName {
    const parts = pathParts(path, operation);
    const name = parts.pop();
    if (name === undefined) throw failure("INVALID_PATH", operation, path, "the root stays");
    const parent = this.find(parts.join("/"), operation);
    if (parent === undefined) throw failure("NOT_FOUND", operation, path, "its directory is missing");
    return { directory: asDirectory(parent, path, operation), name };
  }

  #freePlace(path: string, operation: string): MemoryName {
    if (this.find(path, operation) !== undefined) {
      throw failure("ALREADY_EXISTS", operation, path, "the name is taken");
    }
    return this.#place(path, operation);
  }

  #name(place: MemoryName, node: MemoryNode): void {
    countLinks(node, 1);
    place.directory.entries.set(place.name, node);
    this.#journal.named(place.directory, place.name, node);
    this.#touch(place.directory);
  }

  #unname(place: MemoryName, node: MemoryNode): void {
    countLinks(node, -1);
    place.directory.entries.delete(place.name);
    this.#journal.unnamed(place.directory, place.name, node);
    this.#touch(place.directory);
  }

  #touch(directory: MemoryDirectory): void {
    directory.mtimeMs = this.#nowMs();
    this.#watchers.changed(directory);
  }

  #changed(file: MemoryFile): void {
    file.mtimeMs = this.#nowMs();
    this.#watchers.fileChanged(file);
  }

  #nowMs(): number {
    return this.#clock.wallUs() / 1000;
  }
}

type TreeCode = "NOT_FOUND" | "ALREADY_EXISTS" | "NOT_A_DIRECTORY" | "INVALID_PATH";

function failure(code: TreeCode, operation: string, path: string, problem: string): StorageError {
  return new StorageError(code, `${operation} ${quotePath(path)}: ${problem}`, { operation, path });
}

function asDirectory(node: MemoryNode, path: string, operation: string): MemoryDirectory {
  if (node.kind === "directory") return node;
  throw failure("NOT_A_DIRECTORY", operation, path, "a file stands where a directory should");
}

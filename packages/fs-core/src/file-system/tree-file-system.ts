import { StorageError } from "../errors.ts";
import type {
  DirectoryEntry,
  FileHandle,
  FileLock,
  FileMetadata,
  FileSystem,
  FileSystemSupport,
  FileWatch,
} from "./file-system.ts";
import { MemoryFileHandle } from "./memory-file-handle.ts";
import type { MemoryDirectory } from "./memory-node.ts";
import type { MemoryTree } from "./memory-tree.ts";
import { quotePath } from "./path-rules.ts";

/** A {@link MemoryTree} as a {@link FileSystem}. An asynchronous call acts one microtask after it was made. */
export class TreeFileSystem implements FileSystem {
  readonly supports: FileSystemSupport = { memoryMap: false, hardLinks: true, directorySync: true };
  readonly #tree: MemoryTree;

  constructor(tree: MemoryTree) {
    this.#tree = tree;
  }

  createFileSync(path: string): FileHandle {
    return new MemoryFileHandle(this.#tree, this.#tree.createFile(path, "createFile"), path, true);
  }

  openFileSync(path: string): FileHandle {
    return new MemoryFileHandle(this.#tree, this.#tree.file(path, "openFile"), path, false);
  }

  openFileMutSync(path: string): FileHandle {
    return new MemoryFileHandle(this.#tree, this.#tree.file(path, "openFileMut"), path, true);
  }

  deleteFileSync(path: string): void {
    this.#tree.deleteFile(path, "deleteFile");
  }

  fileMetadataSync(path: string): FileMetadata {
    return this.#tree.metadata(path, "fileMetadata");
  }

  listSync(path: string): DirectoryEntry[] {
    return this.#tree.list(path, "list");
  }

  renameSync(from: string, to: string): void {
    this.#tree.rename(from, to, "rename");
  }

  syncDirectorySync(path: string): void {
    this.#tree.syncDirectory(this.#tree.directory(path, "syncDirectory"), this.#tree.mark());
  }

  async createFile(path: string): Promise<FileHandle> {
    await Promise.resolve();
    return this.createFileSync(path);
  }

  async openFile(path: string): Promise<FileHandle> {
    await Promise.resolve();
    return this.openFileSync(path);
  }

  async openFileMut(path: string): Promise<FileHandle> {
    await Promise.resolve();
    return this.openFileMutSync(path);
  }

  async deleteFile(path: string): Promise<void> {
    await Promise.resolve();
    this.deleteFileSync(path);
  }

  async fileExists(path: string): Promise<boolean> {
    await Promise.resolve();
    return this.#tree.find(path, "fileExists")?.kind === "file";
  }

  async fileMetadata(path: string): Promise<FileMetadata> {
    await Promise.resolve();
    return this.fileMetadataSync(path);
  }

  async list(path: string): Promise<DirectoryEntry[]> {
    await Promise.resolve();
    return this.listSync(path);
  }

  async rename(from: string, to: string): Promise<void> {
    await Promise.resolve();
    this.renameSync(from, to);
  }

  async linkNoReplace(existing: string, path: string): Promise<void> {
    await Promise.resolve();
    this.#tree.link(existing, path, "linkNoReplace");
  }

  async mkdir(path: string): Promise<void> {
    await Promise.resolve();
    this.#tree.makeDirectory(path, "mkdir");
  }

  async removeDirectory(path: string): Promise<void> {
    await Promise.resolve();
    this.#tree.removeDirectory(path, "removeDirectory");
  }

  async syncDirectory(path: string): Promise<void> {
    // As for files: names made while the sync runs are not covered.
    const mark = this.#tree.mark();
    await Promise.resolve();
    this.#tree.syncDirectory(this.#tree.directory(path, "syncDirectory"), mark);
  }

  async lock(path: string): Promise<FileLock> {
    await Promise.resolve();
    return this.#lock(this.#tree.directory(path, "lock"), path);
  }

  watch(path: string, onChange: () => void): FileWatch {
    return this.#tree.watch(path, onChange);
  }

  localPath(path: string): string | undefined {
    this.#tree.find(path, "localPath");
    return undefined;
  }

  #lock(directory: MemoryDirectory, path: string): FileLock {
    const { locked } = this.#tree;
    if (locked.has(directory)) {
      const message = `lock ${quotePath(path)}: another live owner holds it`;
      throw new StorageError("LOCKED", message, { operation: "lock", path });
    }
    locked.add(directory);
    let held = true;
    const release = async (): Promise<void> => {
      if (held) locked.delete(directory);
      held = false;
    };
    return { release, [Symbol.asyncDispose]: release };
  }
}

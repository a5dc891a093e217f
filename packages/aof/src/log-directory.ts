import type {
  Clock,
  DirectoryEntry,
  FileHandle,
  FileLock,
  FileMetadata,
  FileSystem,
  FileWatch,
  Random,
} from "@varve/fs-core";

/**
 * The log's directory in some file system: joins names, and is the only thing below `Aof` that knows where the
 * directory lies.
 */
export class LogDirectory {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly random: Random;
  readonly path: string;

  constructor(parts: { fileSystem: FileSystem; clock: Clock; random: Random; root: string }) {
    this.fileSystem = parts.fileSystem;
    this.clock = parts.clock;
    this.random = parts.random;
    this.path = parts.root;
  }

  /** The file system's path of a name in the log's directory. */
  at(name: string): string {
    return this.path === "" ? name : `${this.path}/${name}`;
  }

  open(name: string): Promise<FileHandle> {
    return this.fileSystem.openFile(this.at(name));
  }

  openSync(name: string): FileHandle {
    return this.fileSystem.openFileSync(this.at(name));
  }

  openMut(name: string): Promise<FileHandle> {
    return this.fileSystem.openFileMut(this.at(name));
  }

  openMutSync(name: string): FileHandle {
    return this.fileSystem.openFileMutSync(this.at(name));
  }

  createSync(name: string): FileHandle {
    return this.fileSystem.createFileSync(this.at(name));
  }

  create(name: string): Promise<FileHandle> {
    return this.fileSystem.createFile(this.at(name));
  }

  metadata(name: string): Promise<FileMetadata> {
    return this.fileSystem.fileMetadata(this.at(name));
  }

  metadataSync(name: string): FileMetadata {
    return this.fileSystem.fileMetadataSync(this.at(name));
  }

  list(): Promise<DirectoryEntry[]> {
    return this.fileSystem.list(this.path);
  }

  rename(from: string, to: string): Promise<void> {
    return this.fileSystem.rename(this.at(from), this.at(to));
  }

  renameSync(from: string, to: string): void {
    this.fileSystem.renameSync(this.at(from), this.at(to));
  }

  delete(name: string): Promise<void> {
    return this.fileSystem.deleteFile(this.at(name));
  }

  sync(): Promise<void> {
    return this.fileSystem.syncDirectory(this.path);
  }

  syncSync(): void {
    this.fileSystem.syncDirectorySync(this.path);
  }

  lock(): Promise<FileLock> {
    return this.fileSystem.lock(this.path);
  }

  watch(onChange: () => void): FileWatch {
    return this.fileSystem.watch(this.path, onChange);
  }
}

/**
 * The file-system seam: everything a log needs from a disk, as numbered promises, in an asynchronous and (for the hot
 * path and for recovery at exit) a synchronous form. The two forms of a method promise the same.
 *
 * Paths are relative to the file system's root, `/`-separated, without `.`, `..`, empty parts, NUL or a leading `/`;
 * `""` is the root itself. Anything else, and any symbolic link inside the root, is refused with `INVALID_PATH`
 * before a byte changes.
 *
 * Every implementation promises:
 *  1. Complete writes: `writeAt` returns only when every byte was handed over; a short write is continued, and one
 *     that cannot make progress is an error.
 *  2. Honest durability: bytes written before `sync` began are on stable storage when it returns. A failed sync
 *     promises nothing about them, ever, even if a later sync succeeds.
 *  3. Names are durable when `syncDirectory` of their directory returned after the create, rename, link or unlink; a
 *     rename from one directory to another, when both were synced.
 *  4. `createFile` and `linkNoReplace` never replace: an existing name is `ALREADY_EXISTS`.
 *  5. `rename` replaces a file at the target in one step: a reader sees the old one or the new one.
 *  6. Reads stop at the end of the file: `readAt` returns how many bytes it got, 0 at the end, and loops on short
 *     reads.
 *  7. One owner: of any number of processes calling `lock` on one directory, by whichever path, at most one holds it;
 *     the kernel frees it when its holder dies, however it dies. (Processes on one host and, on Linux, in one network
 *     namespace.)
 *  8. Private: new files are 0600, new directories 0700, where the platform has modes.
 *  9. Every failure is a `StorageError` that names the path and the operation and keeps its cause.
 */
export interface FileSystem {
  readonly supports: FileSystemSupport;

  /** Creates an empty file for reading and writing. @throws StorageError `ALREADY_EXISTS`, `NOT_FOUND` (parent) */
  createFile(path: string): Promise<FileHandle>;
  /** Opens for reading. @throws StorageError `NOT_FOUND` */
  openFile(path: string): Promise<FileHandle>;
  /** Opens an existing file for reading and writing. @throws StorageError `NOT_FOUND` */
  openFileMut(path: string): Promise<FileHandle>;
  /** Idempotent: deleting an absent file resolves. */
  deleteFile(path: string): Promise<void>;
  /** Whether a regular file is there. A directory, a device or a missing parent is `false`. */
  fileExists(path: string): Promise<boolean>;
  /** Of a file or a directory. @throws StorageError `NOT_FOUND` */
  fileMetadata(path: string): Promise<FileMetadata>;
  /** The entries of a directory, sorted by name (code unit order). @throws StorageError `NOT_FOUND` */
  list(path: string): Promise<DirectoryEntry[]>;
  /**
   * Gives `from`, a file or a directory, the name `to`. A file replaces a file (promise 5); a directory replaces nothing.
   * @throws StorageError `NOT_FOUND` (`from`, or the directory of `to`), `NOT_A_DIRECTORY` when `to` is a directory and
   * `from` a file, `ALREADY_EXISTS` when `from` is a directory and `to` exists, `INVALID_ARGUMENT` for a directory into
   * itself, `UNSUPPORTED` across a mount point
   */
  rename(from: string, to: string): Promise<void>;
  /** A second name for `existing`, never replacing. @throws StorageError `ALREADY_EXISTS`, `UNSUPPORTED` */
  linkNoReplace(existing: string, path: string): Promise<void>;
  /**
   * Creates the directory and its missing parents, syncing each parent, whether it had to create anything or not.
   * Idempotent. `mkdir("")` creates the root. @throws StorageError `NOT_A_DIRECTORY`
   */
  mkdir(path: string): Promise<void>;
  /**
   * Removes a directory and all below it. Idempotent. For disposable data only: nothing is synced.
   * @throws StorageError `INVALID_PATH` for the root, `NOT_A_DIRECTORY`
   */
  removeDirectory(path: string): Promise<void>;
  /** Makes the names in a directory durable. @throws StorageError `NOT_FOUND`, `NOT_A_DIRECTORY` */
  syncDirectory(path: string): Promise<void>;
  /**
   * Takes the lock of the existing directory `path` or rejects at once; never waits. A lock does not keep the process alive.
   * @throws StorageError `LOCKED`, `NOT_FOUND`, `UNSUPPORTED`
   */
  lock(path: string): Promise<FileLock>;
  /**
   * Calls `onChange` soon after anything in the directory `path` changes. Spurious calls are allowed, lost ones are
   * not, except those a caller could have seen by looking after `watch` returned.
   * @throws StorageError `NOT_FOUND`, `TOO_MANY_OPEN_FILES` at the system's limit of watches: look now and then instead
   */
  watch(path: string, onChange: () => void): FileWatch;
  /** The path in the operating system's terms, for libraries that open files themselves; undefined if there is none. */
  localPath(path: string): string | undefined;

  createFileSync(path: string): FileHandle;
  openFileSync(path: string): FileHandle;
  openFileMutSync(path: string): FileHandle;
  deleteFileSync(path: string): void;
  fileMetadataSync(path: string): FileMetadata;
  listSync(path: string): DirectoryEntry[];
  renameSync(from: string, to: string): void;
  syncDirectorySync(path: string): void;
}

/** What an implementation offers beyond the promises. Fixed at construction. */
export interface FileSystemSupport {
  /** False: Node has no mmap, and mmap hides write errors. `memoryMap()` refuses with `UNSUPPORTED`. */
  readonly memoryMap: boolean;
  /** Whether `linkNoReplace` works. */
  readonly hardLinks: boolean;
  /** Whether `syncDirectory` reaches the disk (Windows has no such call and needs none). */
  readonly directorySync: boolean;
}

/**
 * One open file. Positions and lengths are whole numbers of bytes, explicit; there is no cursor. Calls after `close`
 * fail with `CLOSED`; one that began before it finishes undisturbed. Writing to a handle of `openFile`, and an argument
 * out of range, is `INVALID_ARGUMENT`.
 */
export interface FileHandle extends AsyncDisposable {
  /** As given to the call that opened it. */
  readonly path: string;
  /** Fills `buffer` from `position` and returns the bytes read: less than its length only at the end of the file. */
  readAt(position: number, buffer: Uint8Array): Promise<number>;
  /** `data` is borrowed until the promise settles; leave it unmodified. At most one un-awaited write per handle. */
  writeAt(position: number, data: Uint8Array): Promise<void>;
  /** The whole file. @throws StorageError `INVALID_ARGUMENT` above `limitBytes` (default 64 MiB) */
  readAll(options?: { readonly limitBytes?: number }): Promise<Uint8Array>;
  /** A private copy of `[position, position + length)`, shorter at the end of the file. */
  readView(position: number, length: number): Promise<Uint8Array>;
  /** Cuts or extends (with zeroes) to `size` bytes. */
  setSize(size: number): Promise<void>;
  /**
   * Makes `[position, position + length)` a run of written zeroes, so that a later sync of data there need not commit
   * metadata. Written, not `fallocate`d: unwritten extents made fdatasync 2 × slower (190 µs against 85 µs measured).
   */
  preallocate(position: number, length: number): Promise<void>;
  size(): Promise<number>;
  /** Hands user-space buffers to the operating system. Implementations here have none: resolves at once. */
  flush(): Promise<void>;
  /** @param options.dataOnly fdatasync instead of fsync: enough when the file's length did not change, or grew */
  sync(options?: { readonly dataOnly?: boolean }): Promise<void>;
  /** Always refuses with `UNSUPPORTED` where `supports.memoryMap` is false. */
  memoryMap(): Promise<Uint8Array>;
  /** Waits for the calls in flight. Idempotent. Does not sync: a close promises nothing about bytes. */
  close(): Promise<void>;

  readAtSync(position: number, buffer: Uint8Array): number;
  writeAtSync(position: number, data: Uint8Array): void;
  setSizeSync(size: number): void;
  preallocateSync(position: number, length: number): void;
  sizeSync(): number;
  /**
   * How many names the file has now: 0 once it was deleted or another was renamed over it. One `fstat`, the cheapest way
   * to notice that somebody replaced a file which we hold open.
   */
  linkCountSync(): number;
  syncSync(options?: { readonly dataOnly?: boolean }): void;
  closeSync(): void;
}

/** Default of {@link FileHandle.readAll}'s `limitBytes`: control files are far smaller, segments are read in pieces. */
export const readAllLimitBytes: number = 64 * 2 ** 20;

/** What {@link FileSystem.fileMetadata} tells. */
export interface FileMetadata {
  readonly kind: "file" | "directory" | "other";
  /** Bytes. */
  readonly size: number;
  /** Wall clock of the last change, milliseconds since 1970. A label, never an order. */
  readonly mtimeMs: number;
  /** Identity of the file on its device, where there is one: a replaced file has another. */
  readonly ino?: number;
  readonly dev?: number;
}

/** One name in a directory. `other` is a symbolic link, a pipe, a device. */
export interface DirectoryEntry {
  readonly name: string;
  readonly kind: "file" | "directory" | "other";
}

/** A held lock. */
export interface FileLock extends AsyncDisposable {
  /** Idempotent. */
  release(): Promise<void>;
}

/** A running {@link FileSystem.watch}. Does not keep the process alive. */
export interface FileWatch {
  /** Idempotent; no call of `onChange` starts afterwards. */
  close(): void;
}

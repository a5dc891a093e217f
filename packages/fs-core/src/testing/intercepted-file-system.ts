import type {
  DirectoryEntry,
  FileHandle,
  FileLock,
  FileMetadata,
  FileSystem,
  FileSystemSupport,
  FileWatch,
} from "../file-system/file-system.ts";
import { InterceptedFileHandle } from "./intercepted-file-handle.ts";
import type { FileInterceptor, FileOperation, FileOperationName } from "./operation.ts";

/** A file system every operation of which passes an interceptor. */
export class InterceptedFileSystem implements FileSystem {
  readonly supports: FileSystemSupport;
  readonly #inner: FileSystem;
  readonly #interceptor: FileInterceptor;
  readonly #wrap: (handle: FileHandle) => FileHandle;

  /** @param wrap what becomes of the inner handles. Default: their operations pass the interceptor too */
  constructor(
    inner: FileSystem,
    interceptor: FileInterceptor,
    wrap: (handle: FileHandle) => FileHandle = (handle) => new InterceptedFileHandle(handle, interceptor),
  ) {
    this.#inner = inner;
    this.#interceptor = interceptor;
    this.#wrap = wrap;
    this.supports = inner.supports;
  }

  createFile(path: string): Promise<FileHandle> {
    return this.#around("createFile", path, async () => this.#wrap(await this.#inner.createFile(path)));
  }

  openFile(path: string): Promise<FileHandle> {
    return this.#around("openFile", path, async () => this.#wrap(await this.#inner.openFile(path)));
  }

  openFileMut(path: string): Promise<FileHandle> {
    return this.#around("openFileMut", path, async () => this.#wrap(await this.#inner.openFileMut(path)));
  }

  createFileSync(path: string): FileHandle {
    return this.#aroundSync("createFile", path, () => this.#wrap(this.#inner.createFileSync(path)));
  }

  openFileSync(path: string): FileHandle {
    return this.#aroundSync("openFile", path, () => this.#wrap(this.#inner.openFileSync(path)));
  }

  openFileMutSync(path: string): FileHandle {
    return this.#aroundSync("openFileMut", path, () => this.#wrap(this.#inner.openFileMutSync(path)));
  }

  deleteFile(path: string): Promise<void> {
    return this.#around("deleteFile", path, () => this.#inner.deleteFile(path));
  }

  deleteFileSync(path: string): void {
    this.#aroundSync("deleteFile", path, () => this.#inner.deleteFileSync(path));
  }

  fileExists(path: string): Promise<boolean> {
    return this.#around("fileExists", path, () => this.#inner.fileExists(path));
  }

  fileMetadata(path: string): Promise<FileMetadata> {
    return this.#around("fileMetadata", path, () => this.#inner.fileMetadata(path));
  }

  fileMetadataSync(path: string): FileMetadata {
    return this.#aroundSync("fileMetadata", path, () => this.#inner.fileMetadataSync(path));
  }

  list(path: string): Promise<DirectoryEntry[]> {
    return this.#around("list", path, () => this.#inner.list(path));
  }

  listSync(path: string): DirectoryEntry[] {
    return this.#aroundSync("list", path, () => this.#inner.listSync(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#around("rename", from, () => this.#inner.rename(from, to), { to });
  }

  renameSync(from: string, to: string): void {
    this.#aroundSync("rename", from, () => this.#inner.renameSync(from, to), { to });
  }

  linkNoReplace(existing: string, path: string): Promise<void> {
    return this.#around("linkNoReplace", existing, () => this.#inner.linkNoReplace(existing, path), { to: path });
  }

  mkdir(path: string): Promise<void> {
    return this.#around("mkdir", path, () => this.#inner.mkdir(path));
  }

  removeDirectory(path: string): Promise<void> {
    return this.#around("removeDirectory", path, () => this.#inner.removeDirectory(path));
  }

  syncDirectory(path: string): Promise<void> {
    return this.#around("syncDirectory", path, () => this.#inner.syncDirectory(path));
  }

  syncDirectorySync(path: string): void {
    this.#aroundSync("syncDirectory", path, () => this.#inner.syncDirectorySync(path));
  }

  lock(path: string): Promise<FileLock> {
    return this.#around("lock", path, () => this.#inner.lock(path));
  }

  watch(path: string, onChange: () => void): FileWatch {
    return this.#aroundSync("watch", path, () => this.#inner.watch(path, onChange));
  }

  localPath(path: string): string | undefined {
    return this.#inner.localPath(path);
  }

  // `call` begins synchronously, as an inner call without a wrapper would.
  #around<T>(name: FileOperationName, path: string, call: () => Promise<T>, more?: Partial<FileOperation>): Promise<T> {
    return this.#interceptor.around({ name, path, synchronous: false, ...more }, call);
  }

  #aroundSync<T>(name: FileOperationName, path: string, call: () => T, more?: Partial<FileOperation>): T {
    return this.#interceptor.aroundSync({ name, path, synchronous: true, ...more }, call);
  }
}

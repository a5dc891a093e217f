import assert from "node:assert/strict";
import { isStorageError, type StorageErrorCode } from "../../errors.ts";
import type { DirectoryEntry, FileHandle, FileMetadata, FileSystem } from "../../file-system/file-system.ts";

/** One check of the suite. It gets a fresh file system and leaves no handle open. */
export interface Check {
  readonly name: string;
  readonly run: (fs: FileSystem) => Promise<void>;
}

/** The operations that have two forms, called by either under one signature. */
export interface Form {
  readonly name: "async" | "sync";
  createFile(fs: FileSystem, path: string): Promise<FileHandle>;
  openFile(fs: FileSystem, path: string): Promise<FileHandle>;
  openFileMut(fs: FileSystem, path: string): Promise<FileHandle>;
  deleteFile(fs: FileSystem, path: string): Promise<void>;
  fileMetadata(fs: FileSystem, path: string): Promise<FileMetadata>;
  list(fs: FileSystem, path: string): Promise<DirectoryEntry[]>;
  rename(fs: FileSystem, from: string, to: string): Promise<void>;
  syncDirectory(fs: FileSystem, path: string): Promise<void>;
  readAt(handle: FileHandle, position: number, buffer: Uint8Array): Promise<number>;
  writeAt(handle: FileHandle, position: number, data: Uint8Array): Promise<void>;
  setSize(handle: FileHandle, size: number): Promise<void>;
  preallocate(handle: FileHandle, position: number, length: number): Promise<void>;
  size(handle: FileHandle): Promise<number>;
  sync(handle: FileHandle, options?: { readonly dataOnly?: boolean }): Promise<void>;
  close(handle: FileHandle): Promise<void>;
}

const asyncForm: Form = {
  name: "async",
  createFile: (fs, path) => fs.createFile(path),
  openFile: (fs, path) => fs.openFile(path),
  openFileMut: (fs, path) => fs.openFileMut(path),
  deleteFile: (fs, path) => fs.deleteFile(path),
  fileMetadata: (fs, path) => fs.fileMetadata(path),
  list: (fs, path) => fs.list(path),
  rename: (fs, from, to) => fs.rename(from, to),
  syncDirectory: (fs, path) => fs.syncDirectory(path),
  readAt: (handle, position, buffer) => handle.readAt(position, buffer),
  writeAt: (handle, position, data) => handle.writeAt(position, data),
  setSize: (handle, size) => handle.setSize(size),
  preallocate: (handle, position, length) => handle.preallocate(position, length),
  size: (handle) => handle.size(),
  sync: (handle, options) => handle.sync(options),
  close: (handle) => handle.close(),
};

const syncForm: Form = {
  name: "sync",
  createFile: async (fs, path) => fs.createFileSync(path),
  openFile: async (fs, path) => fs.openFileSync(path),
  openFileMut: async (fs, path) => fs.openFileMutSync(path),
  deleteFile: async (fs, path) => fs.deleteFileSync(path),
  fileMetadata: async (fs, path) => fs.fileMetadataSync(path),
  list: async (fs, path) => fs.listSync(path),
  rename: async (fs, from, to) => fs.renameSync(from, to),
  syncDirectory: async (fs, path) => fs.syncDirectorySync(path),
  readAt: async (handle, position, buffer) => handle.readAtSync(position, buffer),
  writeAt: async (handle, position, data) => handle.writeAtSync(position, data),
  setSize: async (handle, size) => handle.setSizeSync(size),
  preallocate: async (handle, position, length) => handle.preallocateSync(position, length),
  size: async (handle) => handle.sizeSync(),
  sync: async (handle, options) => handle.syncSync(options),
  close: async (handle) => handle.closeSync(),
};

/** A check of something that has two forms, once for each. */
export function inBothForms(name: string, run: (fs: FileSystem, form: Form) => Promise<void>): Check[] {
  return [asyncForm, syncForm].map((form) => ({ name: `${name} (${form.name})`, run: (fs) => run(fs, form) }));
}

/** A call that must fail with `code`, naming `path` and `operation` as promise 9 says. */
export async function refuses(
  code: StorageErrorCode,
  operation: string,
  path: string,
  call: () => unknown,
): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!isStorageError(error)) throw error;
    assert.deepEqual({ code: error.code, operation: error.operation, path: error.path }, { code, operation, path });
    return;
  }
  assert.fail(`${operation} ${JSON.stringify(path)} was to be refused with ${code}`);
}

/** Runs `body` with a handle and closes it whatever happens. */
export async function using<T>(opening: Promise<FileHandle>, body: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await opening;
  try {
    return await body(handle);
  } finally {
    await handle.close();
  }
}

/** Creates a file with this content. */
export function put(fs: FileSystem, path: string, content: string | Uint8Array): Promise<void> {
  return using(fs.createFile(path), (handle) => handle.writeAt(0, bytesOf(content)));
}

/** The content of a file as text. */
export function get(fs: FileSystem, path: string): Promise<string> {
  return using(fs.openFile(path), async (handle) => textOf(await handle.readAll()));
}

export function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Bytes without a pattern that a shift or a swap would keep. */
export function patternBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += 1) bytes[i] = (Math.imul(i, 2_654_435_761) >>> 13) ^ (i >>> 9);
  return bytes;
}

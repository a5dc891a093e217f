import type { FileHandle } from "../file-system/file-system.ts";

/** What a wrapper sees of a call. A call's synchronous and asynchronous forms have one name. */
export interface FileOperation {
  readonly name: FileOperationName;
  /** As the caller gave it; for a handle, the path it was opened with. */
  readonly path: string;
  readonly synchronous: boolean;
  /** The new name, of `rename` and `linkNoReplace`. */
  readonly to?: string;
  /** The bytes of `writeAt`: the caller's, not a copy. */
  readonly write?: { readonly position: number; readonly data: Uint8Array };
  /** The wrapped file system's handle, for operations on handles. */
  readonly handle?: FileHandle;
}

/** Every operation of a file system and its handles. */
export const fileOperationNames = [
  "createFile",
  "openFile",
  "openFileMut",
  "deleteFile",
  "fileExists",
  "fileMetadata",
  "list",
  "rename",
  "linkNoReplace",
  "mkdir",
  "removeDirectory",
  "syncDirectory",
  "lock",
  "watch",
  "readAt",
  "writeAt",
  "readAll",
  "readView",
  "setSize",
  "preallocate",
  "size",
  "linkCount",
  "flush",
  "sync",
  "close",
] as const;

/** One of {@link fileOperationNames}. */
export type FileOperationName = (typeof fileOperationNames)[number];

/** What stands around every operation. Each form calls `call` once, never, or with something done before or after. */
export interface FileInterceptor {
  around<T>(operation: FileOperation, call: () => Promise<T>): Promise<T>;
  aroundSync<T>(operation: FileOperation, call: () => T): T;
}

/** Stands aside. */
export const noInterceptor: FileInterceptor = { around: (_, call) => call(), aroundSync: (_, call) => call() };

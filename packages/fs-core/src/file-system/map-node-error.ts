import { isStorageError, StorageError, type StorageErrorCode } from "../errors.ts";
import { quotePath } from "./path-rules.ts";

/** The only place that reads the operating system's error codes. What is not listed is `IO`. */
export const codeOfErrno: Readonly<Record<string, StorageErrorCode>> = {
  ENOENT: "NOT_FOUND",
  EEXIST: "ALREADY_EXISTS",
  ENOTEMPTY: "ALREADY_EXISTS",
  ENOTDIR: "NOT_A_DIRECTORY",
  EISDIR: "NOT_A_DIRECTORY",
  EACCES: "PERMISSION_DENIED",
  EPERM: "PERMISSION_DENIED",
  EROFS: "PERMISSION_DENIED",
  ENOSPC: "NO_SPACE",
  EDQUOT: "NO_SPACE",
  EFBIG: "NO_SPACE", // the process's file size limit, or the file system's
  EMFILE: "TOO_MANY_OPEN_FILES",
  ENFILE: "TOO_MANY_OPEN_FILES",
  ENAMETOOLONG: "INVALID_PATH",
  ELOOP: "INVALID_PATH", // O_NOFOLLOW met a symbolic link
  EILSEQ: "INVALID_PATH", // the file system refuses the name's encoding
  EINVAL: "INVALID_ARGUMENT",
  ERR_INVALID_ARG_TYPE: "INVALID_ARGUMENT",
  ERR_INVALID_ARG_VALUE: "INVALID_ARGUMENT",
  ERR_OUT_OF_RANGE: "INVALID_ARGUMENT",
  EADDRINUSE: "LOCKED",
  EBUSY: "LOCKED", // Windows: another process has the file open
  EBADF: "CLOSED", // somebody else closed our descriptor
  ENOTSUP: "UNSUPPORTED",
  EOPNOTSUPP: "UNSUPPORTED",
  ENOSYS: "UNSUPPORTED",
  EXDEV: "UNSUPPORTED", // a mount point inside the root: no rename or link across it
  EMLINK: "UNSUPPORTED",
  ABORT_ERR: "ABORTED",
};

/** `cause` as a {@link StorageError} that names the operation and the path. A StorageError passes unchanged. */
export function toStorageError(cause: unknown, operation: string, path: string): StorageError {
  if (isStorageError(cause)) return cause;
  const errno = errnoOf(cause);
  const code = (errno === undefined ? undefined : codeOfErrno[errno]) ?? "IO";
  const reason = errno ?? (cause instanceof Error ? cause.message : String(cause));
  return new StorageError(code, `${operation} ${quotePath(path)}: ${reason}`, { operation, path, cause });
}

/** The symbolic name of an operating system or Node error, for example `ENOENT`. */
export function errnoOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !("code" in cause)) return undefined;
  return typeof cause.code === "string" ? cause.code : undefined;
}

/** The error of a call on a closed handle. */
export function closedError(operation: string, path: string): StorageError {
  return new StorageError("CLOSED", `${operation} ${quotePath(path)}: the handle is closed`, { operation, path });
}

/** The error of a call whose arguments could never work. */
export function argumentError(operation: string, path: string, problem: string): StorageError {
  return new StorageError("INVALID_ARGUMENT", `${operation} ${quotePath(path)}: ${problem}`, { operation, path });
}

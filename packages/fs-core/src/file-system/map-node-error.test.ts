/** Goal: each operating system error becomes the code that says what to do. Method: the whole table, spelled out. */
import { expect, test } from "vitest";
import { StorageError, storageErrorCodes } from "../errors.ts";
import { codeOfErrno, errnoOf, toStorageError } from "./map-node-error.ts";

const expected = [
  ["ENOENT", "NOT_FOUND"],
  ["EEXIST", "ALREADY_EXISTS"],
  ["ENOTEMPTY", "ALREADY_EXISTS"],
  ["ENOTDIR", "NOT_A_DIRECTORY"],
  ["EISDIR", "NOT_A_DIRECTORY"],
  ["EACCES", "PERMISSION_DENIED"],
  ["EPERM", "PERMISSION_DENIED"],
  ["EROFS", "PERMISSION_DENIED"],
  ["ENOSPC", "NO_SPACE"],
  ["EDQUOT", "NO_SPACE"],
  ["EFBIG", "NO_SPACE"],
  ["EMFILE", "TOO_MANY_OPEN_FILES"],
  ["ENFILE", "TOO_MANY_OPEN_FILES"],
  ["ENAMETOOLONG", "INVALID_PATH"],
  ["ELOOP", "INVALID_PATH"],
  ["EILSEQ", "INVALID_PATH"],
  ["EINVAL", "INVALID_ARGUMENT"],
  ["ERR_INVALID_ARG_TYPE", "INVALID_ARGUMENT"],
  ["ERR_INVALID_ARG_VALUE", "INVALID_ARGUMENT"],
  ["ERR_OUT_OF_RANGE", "INVALID_ARGUMENT"],
  ["EADDRINUSE", "LOCKED"],
  ["EBUSY", "LOCKED"],
  ["EBADF", "CLOSED"],
  ["ENOTSUP", "UNSUPPORTED"],
  ["EOPNOTSUPP", "UNSUPPORTED"],
  ["ENOSYS", "UNSUPPORTED"],
  ["EXDEV", "UNSUPPORTED"],
  ["EMLINK", "UNSUPPORTED"],
  ["ABORT_ERR", "ABORTED"],
] as const;

test.each(expected)("%s is %s", (errno, code) => {
  const cause = Object.assign(new Error("from the system"), { code: errno });
  const error = toStorageError(cause, "writeAt", "d/a");
  expect(error).toMatchObject({ name: "StorageError", code, operation: "writeAt", path: "d/a", cause });
  expect(error.message).toBe(`writeAt "d/a": ${errno}`);
});

test("the table above is the whole table", () => {
  expect(Object.keys(codeOfErrno).sort()).toEqual(expected.map(([errno]) => errno).sort());
  for (const code of Object.values(codeOfErrno)) expect(storageErrorCodes).toContain(code);
});

test.each(["EIO", "ESTALE", "ENODEV", "ESOMETHINGNEW"])("%s is IO", (errno) => {
  expect(toStorageError(Object.assign(new Error(), { code: errno }), "sync", "a").code).toBe("IO");
});

test("whatever else is thrown is IO and kept", () => {
  for (const cause of [
    new Error("plain"),
    "text",
    undefined,
    { code: "ENOENT" },
    Object.assign(new Error(), { code: 7 }),
  ]) {
    const error = toStorageError(cause, "sync", "a");
    expect(error.code).toBe("IO");
    if (cause !== undefined) expect(error.cause).toBe(cause);
    expect(errnoOf(cause)).toBeUndefined();
  }
});

test("a StorageError passes unchanged", () => {
  const error = new StorageError("CLOSED", "closed");
  expect(toStorageError(error, "sync", "a")).toBe(error);
});

test("only what can succeed later without a change is retryable", () => {
  const retryable = storageErrorCodes.filter((code) => new StorageError(code, "").retryable);
  expect(retryable).toEqual(["TOO_MANY_OPEN_FILES", "LOCKED"]);
});

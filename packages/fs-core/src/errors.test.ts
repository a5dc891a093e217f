/** Goal: errors are recognised across copies of the package, and carry what a log may show. Method: a look-alike. */
import { expect, test } from "vitest";
import { isStorageError, StorageError } from "./errors.ts";

test("an error tells code, place and cause", () => {
  const cause = new Error("disk");
  const error = new StorageError("IO", "sync failed", { path: "a", operation: "sync", cause });
  expect(error).toMatchObject({
    name: "StorageError",
    code: "IO",
    path: "a",
    operation: "sync",
    cause,
    retryable: false,
  });
  expect(new StorageError("LOCKED", "taken")).toMatchObject({ path: undefined, retryable: true });
  expect("cause" in new StorageError("LOCKED", "taken")).toBe(false);
});

test("recognised by name and code, not by class", () => {
  class OtherCopy extends Error {
    override readonly name = "StorageError";
    readonly code = "NOT_FOUND";
  }
  expect(isStorageError(new StorageError("IO", ""))).toBe(true);
  expect(isStorageError(new OtherCopy())).toBe(true);
  for (const other of [
    new Error("x"),
    { name: "StorageError", code: "IO" },
    undefined,
    Object.assign(new OtherCopy(), { code: "NEW" }),
  ]) {
    expect(isStorageError(other)).toBe(false);
  }
});

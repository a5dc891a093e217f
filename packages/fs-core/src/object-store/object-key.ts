/**
 * Which keys are accepted, decided from the text alone and the same on every store: what was put here must be copyable to
 * any other store, and a name from outside must never leave the store's folder.
 */
import { pathProblem, quotePath } from "../file-system/path-rules.ts";
import { StoreError } from "./store-error.ts";

/** Of a local store's directory: uploads, locks. Reserved on every store, so that objects can move. */
export const reservedFolder = ".varve-store";

const loneSurrogate = /\p{Surrogate}/u;
const control = /\p{Control}/u;

/**
 * For keys that are about to hold an object: the rules of portable paths, so that a local directory can hold it too.
 * @throws StoreError `INVALID_KEY`
 */
export function assertNewKey(key: string, operation: string): void {
  const problem = newKeyProblem(key);
  if (problem !== undefined) throw refused(key, operation, problem);
}

/** Whether `key` is {@link reservedFolder} or lies in it, on a file system that ignores case too. */
export function isReservedKey(key: string): boolean {
  return key.split("/", 1)[0]?.toLowerCase() === reservedFolder;
}

function newKeyProblem(key: string): string | undefined {
  if (key === "") return "a key is not empty";
  if (typeof key === "string" && isReservedKey(key)) {
    return `the folder ${reservedFolder} is for what a local store keeps beside its objects`;
  }
  return pathProblem(key)?.replaceAll("a path", "a key");
}

/**
 * For keys of objects that may have been put by others: anything that every client sends and every server takes as it is.
 * @param bytesMax the store's limit
 * @throws StoreError `INVALID_KEY`
 */
export function assertKey(key: string, operation: string, bytesMax: number): void {
  const problem = keyProblem(key, bytesMax);
  if (problem !== undefined) throw refused(key, operation, problem);
}

function keyProblem(key: unknown, bytesMax: number): string | undefined {
  if (typeof key !== "string") return "a key is a string";
  if (key === "") return "a key is not empty";
  if (loneSurrogate.test(key)) return "a lone surrogate has no UTF-8 form";
  if (control.test(key)) return "control characters are refused";
  // Azure takes it for a slash.
  if (key.includes("\\")) return "a backslash is refused";
  if (Buffer.byteLength(key) > bytesMax) return `a key has at most ${bytesMax} bytes`;
  for (const part of key.split("/")) {
    // HTTP clients and servers resolve such parts: the request would go to another object.
    if (part === "." || part === "..") return "a key has no . or .. parts";
    if (part === "") return "a key has no empty parts and does not begin or end with /";
  }
  return undefined;
}

/** For the prefix of a listing: a key, or the beginning of one; may be empty. @throws StoreError `INVALID_KEY` */
export function assertPrefix(prefix: string, operation: string): void {
  if (typeof prefix !== "string" || loneSurrogate.test(prefix) || control.test(prefix) || prefix.includes("\\")) {
    throw refused(prefix, operation, "a prefix is text without control characters, backslashes and lone surrogates");
  }
  const parts = prefix.split("/").slice(0, -1);
  if (parts.some((part) => part === "" || part === "." || part === "..")) {
    throw refused(prefix, operation, "a prefix has no empty, . or .. parts and does not begin with /");
  }
}

function refused(key: unknown, operation: string, problem: string): StoreError {
  return new StoreError("INVALID_KEY", `${operation} ${quotePath(key)}: ${problem}`, {
    operation,
    key: quotePath(key),
  });
}

/** Order of keys: of their UTF-8 bytes, as object stores list them. JavaScript's own differs beyond U+FFFF. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

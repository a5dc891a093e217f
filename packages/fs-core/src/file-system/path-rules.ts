import { StorageError } from "../errors.ts";

/**
 * Which paths are accepted, decided from the text alone and the same on every platform: a log written on one machine
 * must be restorable on another, and a name from outside (a manifest, a bucket) must never leave the root.
 */

/** Longest path part in bytes of UTF-8: NAME_MAX of ext4, XFS, APFS and NTFS alike. */
export const maxPartBytes = 255;

/** Longest path in bytes of UTF-8, well below PATH_MAX (4096 on Linux, 1024 on macOS) less a root. */
export const maxPathBytes = 900;

// A colon names an alternate data stream on NTFS, a backslash separates there; the others Windows refuses.
const forbiddenCharacters = /[\p{Control}\\:*?"<>|]/u;

const loneSurrogate = /\p{Surrogate}/u;

// The device is meant whatever extension follows: `con.log` is the console.
const windowsDevice = /^(?:con|prn|aux|nul|clock\$|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(?:\.|$)/i;

/**
 * The parts of an acceptable path; none for `""`, the root.
 * @throws StorageError `INVALID_PATH` for anything else
 */
export function pathParts(path: string, operation: string): string[] {
  if (path === "") return [];
  const problem = pathProblem(path);
  if (problem === undefined) return path.split("/");
  throw new StorageError("INVALID_PATH", `${operation} ${quotePath(path)}: ${problem}`, {
    operation,
    path: String(path),
  });
}

/** Why `path` is refused, as the end of a sentence; undefined when it is acceptable. */
export function pathProblem(path: unknown): string | undefined {
  if (typeof path !== "string") return "a path is a string";
  if (path === "") return undefined;
  if (path.startsWith("/")) return "a path is relative to the root";
  if (Buffer.byteLength(path) > maxPathBytes) return `a path has at most ${maxPathBytes} bytes`;
  for (const part of path.split("/")) {
    const problem = partProblem(part);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function partProblem(part: string): string | undefined {
  if (part === "") return "a path has no empty parts";
  if (part === "." || part === "..") return "a path has no . or .. parts";
  if (loneSurrogate.test(part)) return "a lone surrogate has no UTF-8 form";
  if (forbiddenCharacters.test(part)) return 'control characters and \\ : * ? " < > | are refused';
  if (Buffer.byteLength(part) > maxPartBytes) return `a part has at most ${maxPartBytes} bytes`;
  if (part.endsWith(".") || part.endsWith(" ")) return "Windows drops a trailing dot or space";
  if (windowsDevice.test(part)) return "the name is a device on Windows";
  // macOS compares names after normalising: two spellings of one name would be two files here and one there.
  if (part !== part.normalize("NFC")) return "the name is not in Unicode normal form C";
  return undefined;
}

/** A path for a message: quoted, escaped, and cut when long, so that a hostile one cannot forge log lines. */
export function quotePath(path: unknown): string {
  const text = String(path);
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
}

/** The directory that holds `path`: `""` for a name at the root and for the root itself. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

/** The last part of `path`. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** `directory` and `name` as one path; `directory` may be `""`, the root. */
export function joinPath(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

/** What the command itself looks at in a log's directory: names and sizes, never contents. */
import { readdir, stat } from "node:fs/promises";
import { CliError } from "./cli-error.ts";

/** @throws CliError `NOT_FOUND` when nothing is there, `NOT_A_LOG` for a file */
export async function assertDirectory(dir: string): Promise<void> {
  const kind = await pathKind(dir);
  if (kind === "absent") throw new CliError("NOT_FOUND", "there is no such directory");
  if (kind === "other") throw notADirectory();
}

/** @throws CliError `NOT_A_LOG` for a file; a directory or nothing may become a log */
export async function assertNotAFile(dir: string): Promise<void> {
  if ((await pathKind(dir)) === "other") throw notADirectory();
}

/** The names in `dir`, sorted; none when it does not exist. @throws CliError `PERMISSION_DENIED`, `IO` */
export async function namesIn(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).sort();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw fileError(error, dir);
  }
}

/** Bytes of a file, undefined when it does not exist. @throws CliError `PERMISSION_DENIED`, `IO` */
export async function fileSize(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw fileError(error, path);
  }
}

/** What cannot be looked at counts as a directory: opening it will say what is wrong with it. */
async function pathKind(dir: string): Promise<"directory" | "absent" | "other"> {
  try {
    return (await stat(dir)).isDirectory() ? "directory" : "other";
  } catch (error) {
    if (codeOf(error) === "ENOENT") return "absent";
    return codeOf(error) === "ENOTDIR" ? "other" : "directory";
  }
}

function notADirectory(): CliError {
  return new CliError("NOT_A_LOG", "this is not a directory");
}

function fileError(error: unknown, path: string): CliError {
  const isDenied = codeOf(error) === "EACCES" || codeOf(error) === "EPERM";
  const detail = error instanceof Error ? error.message : String(error);
  return new CliError(isDenied ? "PERMISSION_DENIED" : "IO", `looking at ${path}: ${detail}`, { cause: error });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

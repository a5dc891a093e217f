import { stat } from "node:fs/promises";
import { openReadOnly, type ReadOnlyLog } from "@varve/aof";
import { CliError } from "./cli-error.ts";

/**
 * Opens a log to look at it, runs `use`, and closes it again.
 * @throws CliError `NOT_FOUND`, `NOT_A_LOG`; AofError as `openReadOnly`; whatever `use` throws
 */
export async function withReadOnlyLog<T>(dir: string, use: (log: ReadOnlyLog) => Promise<T>): Promise<T> {
  await assertDirectory(dir);
  const log = await openReadOnly({ dir });
  try {
    return await use(log);
  } finally {
    await log.close();
  }
}

/** @throws CliError `NOT_FOUND` when nothing is there, `NOT_A_LOG` for a file */
export async function assertDirectory(dir: string): Promise<void> {
  const kind = await pathKind(dir);
  if (kind === "absent") throw new CliError("NOT_FOUND", "there is no such directory");
  if (kind === "other") throw new CliError("NOT_A_LOG", "this is not a directory");
}

/** What is at `dir`. What cannot be looked at counts as a directory: opening it says what is wrong with it. */
export async function pathKind(dir: string): Promise<"directory" | "absent" | "other"> {
  try {
    return (await stat(dir)).isDirectory() ? "directory" : "other";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return "absent";
    return code === "ENOTDIR" ? "other" : "directory";
  }
}

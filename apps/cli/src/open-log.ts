import { openReadOnly, type ReadOnlyLog } from "@varve/aof";
import { assertDirectory } from "./directory.ts";

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

import type { Clock } from "../../clock.ts";
import { isStorageError } from "../../errors.ts";
import type { FileLock, FileSystem } from "../../file-system/file-system.ts";
import { StoreError } from "../store-error.ts";

/** Between two attempts while another process has the lock. */
const pollMs = 2;

/** The lock of a folder, when its turn has come. @throws StoreError `ABORTED`, StorageError */
export async function waitForLock(
  fileSystem: FileSystem,
  folder: string,
  clock: Clock,
  signal?: AbortSignal,
): Promise<FileLock> {
  for (;;) {
    if (signal?.aborted === true) throw new StoreError("ABORTED", "stopped while waiting for a lock");
    try {
      return await fileSystem.lock(folder);
    } catch (error) {
      if (!isStorageError(error) || error.code !== "LOCKED") throw error;
    }
    await clock.sleep(pollMs, signal === undefined ? {} : { signal }).catch(() => {});
  }
}

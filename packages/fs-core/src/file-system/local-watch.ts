import { watch as watchDirectory } from "node:fs";
import { StorageError } from "../errors.ts";
import type { FileWatch } from "./file-system.ts";
import { errnoOf, toStorageError } from "./map-node-error.ts";
import { quotePath } from "./path-rules.ts";

/** {@link FileSystem.watch} by the operating system's notifications. */
export function watchLocal(target: string, path: string, onChange: () => void): FileWatch {
  let open = true;
  const tell = (): void => {
    if (open) onChange();
  };
  try {
    const watcher = watchDirectory(target, { persistent: false }, tell);
    // The directory went away or the notifications broke: a caller who looks again finds out which.
    watcher.on("error", tell);
    return {
      close: () => {
        open = false;
        watcher.close();
      },
    };
  } catch (cause) {
    throw isWatchLimit(cause) ? watchLimitError(cause, path) : toStorageError(cause, "watch", path);
  }
}

// Linux reports the limit fs.inotify.max_user_watches as a full disk, which would send an operator the wrong way.
function isWatchLimit(cause: unknown): boolean {
  return errnoOf(cause) === "ENOSPC";
}

function watchLimitError(cause: unknown, path: string): StorageError {
  const message = `watch ${quotePath(path)}: the system's limit of watches is reached (fs.inotify.max_user_watches)`;
  return new StorageError("TOO_MANY_OPEN_FILES", message, { operation: "watch", path, cause });
}

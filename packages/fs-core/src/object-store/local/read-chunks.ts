import type { FileHandle } from "../../file-system/file-system.ts";
import { StoreError } from "../store-error.ts";
import { toStoreError } from "./map-storage-error.ts";

/** Pieces in which files are read and copied. */
const chunkBytes = 256 * 1024;

/** Chunks of an open file, which is closed at their end, or when the signal fires: nobody may ever ask for the first. */
export function readChunks(
  handle: FileHandle,
  offset: number,
  length: number,
  key: string,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const onAbort = (): void => void handle.close().catch(() => {});
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  return chunksOf(handle, offset, length, key, signal, () => signal.removeEventListener("abort", onAbort));
}

async function* chunksOf(
  handle: FileHandle,
  offset: number,
  length: number,
  key: string,
  signal: AbortSignal,
  onEnd: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for (let at = 0; at < length; ) {
      assertRunning(signal);
      const chunk = new Uint8Array(Math.min(chunkBytes, length - at));
      const got = await handle.readAt(offset + at, chunk);
      if (got === 0) throw new StoreError("CORRUPT", "the file became shorter while it was read", { key });
      yield chunk.subarray(0, got);
      at += got;
    }
  } catch (error) {
    throw toStoreError(error, key);
  } finally {
    onEnd();
    await handle.close();
  }
}

/** @throws StoreError `ABORTED` */
export function assertRunning(signal: AbortSignal): void {
  if (signal.aborted) throw new StoreError("ABORTED", "stopped");
}

/**
 * KEYS on disk: reading and replacing it. Replaced by rename only, after a look at MANIFEST: a writer that was fenced must
 * not take the newer one's keys away.
 */
import { type FileHandle, isStorageError, temporaryName } from "@varve/fs-core";
import { AofError, toAofError } from "../errors.ts";
import { decodeKeys, encodeKeys, type KeysContent, maxKeysBytes } from "../format/keys-codec.ts";
import type { LogDirectory } from "../log-directory.ts";
import type { ManifestFile } from "../manifest-file.ts";
import { keysName } from "../segment-name.ts";

/** undefined when there is none. @throws AofError `CORRUPTED_KEYS`, `FORMAT_TOO_NEW`, `IO` */
export async function readKeys(directory: LogDirectory): Promise<KeysContent | undefined> {
  let bytes: Uint8Array;
  try {
    const handle = await directory.open(keysName);
    try {
      bytes = await handle.readAll({ limitBytes: maxKeysBytes });
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (isStorageError(error) && error.code === "NOT_FOUND") return undefined;
    if (isStorageError(error) && (error.code === "INVALID_ARGUMENT" || error.code === "NOT_A_DIRECTORY")) {
      throw corruptedKeys("KEYS is not a file of a log", error);
    }
    throw toAofError(error, "reading KEYS", { path: keysName });
  }
  const decoded = decodeKeys(bytes);
  switch (decoded.kind) {
    case "ok":
      return decoded.value;
    case "newer":
      throw new AofError(
        "FORMAT_TOO_NEW",
        `KEYS has version ${decoded.version}, newer than this program; upgrade it. Nothing was touched.`,
        { path: keysName },
      );
    case "foreign":
      throw corruptedKeys(`KEYS does not begin as one of ours (${bytes.length} bytes); restore it from a copy`);
    case "damaged":
      throw corruptedKeys(`KEYS is damaged: ${decoded.reason}; restore it from a copy`);
  }
}

/** The KEYS of the log `logId`. @throws AofError `CORRUPTED_KEYS` when it is missing or another log's */
export async function readKeysOf(directory: LogDirectory, logId: string): Promise<KeysContent> {
  const keys = await readKeys(directory);
  if (keys === undefined) {
    throw corruptedKeys("KEYS is missing although the log has encrypted records; restore it from a copy");
  }
  if (keys.logId !== logId) throw corruptedKeys("KEYS belongs to another log; restore this log's from a copy");
  return keys;
}

/**
 * Replaces KEYS, durably on return. Synchronous: nothing comes between the look at MANIFEST and the rename.
 * @throws AofError `FENCED` when another writer took the log over; StorageError
 */
export function replaceKeysSync(directory: LogDirectory, manifest: ManifestFile, keys: KeysContent): void {
  const temporary = temporaryName("keys", directory.random.u64());
  let handle: FileHandle | undefined = directory.createSync(temporary);
  try {
    handle.writeAtSync(0, encodeKeys(keys));
    handle.syncSync();
    handle.closeSync();
    handle = undefined;
    if (!manifest.isStillOurs()) throw manifest.fenced();
    directory.renameSync(temporary, keysName);
  } catch (error) {
    removeQuietly(directory, handle, temporary);
    throw error;
  }
  directory.syncSync();
}

function removeQuietly(directory: LogDirectory, handle: FileHandle | undefined, name: string): void {
  try {
    handle?.closeSync();
    directory.fileSystem.deleteFileSync(directory.at(name));
  } catch {
    // The next open for writing sweeps temporary files; the first failure is the one to report.
  }
}

function corruptedKeys(message: string, cause?: unknown): AofError {
  return new AofError("CORRUPTED_KEYS", message, { path: keysName, ...(cause === undefined ? {} : { cause }) });
}

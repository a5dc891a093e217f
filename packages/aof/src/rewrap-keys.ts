import { AofError, toAofError } from "./errors.ts";
import { readKeysOf } from "./keys/keys-file.ts";
import { LogKeys } from "./keys/log-keys.ts";
import { type RewrapOptions, type RewrapReport, wrapAnew } from "./keys/rewrap.ts";
import { unwrapInto } from "./keys/wrapping.ts";
import { LogDirectory } from "./log-directory.ts";
import { ManifestFile, readManifest } from "./manifest-file.ts";
import { takeLock } from "./open-log.ts";
import { type AofParts, resolveParts } from "./parts.ts";
import { describe } from "./describe.ts";

/** Which log's keys to wrap anew, and how. */
export interface RewrapSettings {
  readonly dir: string;
  /** Also make a new key, for what is appended from now on. Default false. */
  readonly newDataKey?: boolean;
}

/**
 * Wraps the keys of a log that no writer has open with the provider's current key, so that the older one can be retired:
 * the provider needs both until this is done. No record is rewritten. `Aof.rewrapKeys` does it on an open log.
 * @throws AofError `NOT_FOUND`, `LOCKED`, `INVALID_ARGUMENT` when the log has no keys, `KEY_REQUIRED` without
 * `parts.keyProvider`, `KEY_NOT_FOUND`, `WRONG_KEY`, `CORRUPTED_KEYS`, `CORRUPTED_MANIFEST`, `UNSUPPORTED`, `ABORTED`,
 * `NO_SPACE`, `IO`; KEYS is then as it was or as it should have become
 */
export async function rewrapKeys(
  settings: RewrapSettings,
  parts: AofParts = {},
  options: Pick<RewrapOptions, "signal"> = {},
): Promise<RewrapReport> {
  const { dir, newDataKey } = settings;
  if (typeof dir !== "string" || (newDataKey !== undefined && typeof newDataKey !== "boolean")) {
    throw new AofError(
      "INVALID_ARGUMENT",
      `dir: got ${describe(dir)}, want a path; newDataKey: got ${describe(newDataKey)}, want true or false`,
    );
  }
  const directory = new LogDirectory(resolveParts(dir, parts));
  // Before a lock is taken, which would create files where no log is.
  await manifestOf(directory);
  const lock = await takeLock(directory, false);
  let keys: LogKeys | undefined;
  try {
    const manifest = await manifestOf(directory);
    if (!manifest.hasKeys) throw new AofError("INVALID_ARGUMENT", "the log has no keys to wrap: it is not encrypted");
    const { logId, entries } = await readKeysOf(directory, manifest.logId);
    const provider = parts.keyProvider;
    if (provider === undefined) {
      const keyId = entries.at(-1)?.keyId as string;
      throw new AofError(
        "KEY_REQUIRED",
        `the log's keys are wrapped with ${describe(keyId)}: pass the part keyProvider`,
        {
          keyId,
        },
      );
    }
    keys = new LogKeys(logId);
    await unwrapInto(keys, entries, provider, options.signal);
    const wrapped = await wrapAnew(keys, provider, { newDataKey: newDataKey === true, ...options });
    try {
      return wrapped.storeSync(directory, new ManifestFile(directory, manifest), keys);
    } finally {
      wrapped.wipe();
    }
  } catch (error) {
    throw toAofError(error, "wrapping the log's keys anew");
  } finally {
    keys?.close();
    await lock?.release();
  }
}

async function manifestOf(directory: LogDirectory): Promise<NonNullable<Awaited<ReturnType<typeof readManifest>>>> {
  const manifest = await readManifest(directory);
  if (manifest === undefined) throw new AofError("NOT_FOUND", "there is no log in this directory");
  return manifest;
}

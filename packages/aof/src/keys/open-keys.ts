/**
 * The keys of a log that is being opened. Loading changes nothing and comes before the recovery, so that a wrong key is
 * refused before a byte changes; making the first key comes after it.
 */
import { systemRandom } from "@varve/fs-core";
import { AofError } from "../errors.ts";
import type { LogDirectory } from "../log-directory.ts";
import type { ManifestFile } from "../manifest-file.ts";
import { describe } from "../describe.ts";
import { keyBytes } from "./key-derivation.ts";
import type { KeyProvider } from "./key-provider.ts";
import { readKeys, readKeysOf, replaceKeysSync } from "./keys-file.ts";
import { LogKeys } from "./log-keys.ts";
import { unwrapInto, wrapAll } from "./wrapping.ts";

/** What MANIFEST says that matters here. */
export interface KeyedLog {
  readonly logId: string;
  readonly hasKeys: boolean;
}

/**
 * @param encryption the setting: undefined means as the log is
 * @returns undefined when the log is opened without keys
 * @throws AofError `KEY_REQUIRED`, `CORRUPTED_KEYS`, `KEY_NOT_FOUND`, `WRONG_KEY`, `FORMAT_TOO_NEW`, `IO`
 */
export async function loadKeys(
  directory: LogDirectory,
  { logId, hasKeys }: KeyedLog,
  encryption: boolean | undefined,
  provider: KeyProvider | undefined,
): Promise<LogKeys | undefined> {
  const isEncrypting = encryption ?? hasKeys;
  if (provider === undefined) {
    if (!isEncrypting) return undefined;
    const keyId = hasKeys ? (await readKeysOf(directory, logId)).entries.at(-1)?.keyId : undefined;
    throw keyRequired(keyId);
  }
  if (!hasKeys && !isEncrypting) return undefined;
  const keys = new LogKeys(logId);
  // A crash may have come between KEYS and the MANIFEST that names it: the file is taken as it is, or refused.
  const isThere = hasKeys || (await readKeys(directory)) !== undefined;
  if (isThere) await unwrapInto(keys, (await readKeysOf(directory, logId)).entries, provider, undefined);
  return keys;
}

/**
 * Adds what a writer did to KEYS while its keys were being unwrapped; call it once that writer is fenced. Without it the
 * next key made here would take the number of one that the other made, and the place of it in KEYS.
 * @throws AofError as {@link loadKeys}
 */
export async function reloadKeys(
  directory: LogDirectory,
  { logId, hasKeys }: KeyedLog,
  keys: LogKeys,
  provider: KeyProvider | undefined,
): Promise<void> {
  if (provider === undefined || !hasKeys) return;
  await unwrapInto(keys, (await readKeysOf(directory, logId)).entries, provider, undefined);
}

/**
 * Gives the log its first key if it has none, and has MANIFEST say so. KEYS is durable before MANIFEST names it, and
 * MANIFEST names it before a record is encrypted.
 */
export async function ensureKeys(
  directory: LogDirectory,
  manifest: ManifestFile,
  keys: LogKeys,
  provider: KeyProvider,
): Promise<void> {
  if (keys.currentGeneration === 0) {
    const key = newGenerationKey();
    try {
      const entries = await wrapAll(keys.logId, new Map([[1, key]]), provider, undefined);
      replaceKeysSync(directory, manifest, { logId: keys.logId, updatedAtUs: directory.clock.wallUs(), entries });
      keys.adopt(entries, new Map([[1, key]]));
    } catch (error) {
      key.fill(0);
      throw error;
    }
  } else if (!manifest.current.hasKeys) {
    // Left by a crash: its name may not be durable.
    await directory.sync();
  }
  if (!manifest.current.hasKeys) manifest.replaceSync({ hasKeys: true });
}

/**
 * Always from the system: the log's `random` part is also for salts, and tests and tools replace it by a seed. A key must
 * not become guessable that way.
 */
export function newGenerationKey(): Uint8Array {
  return systemRandom.fill(new Uint8Array(keyBytes));
}

function keyRequired(keyId: string | undefined): AofError {
  const named = keyId === undefined ? "" : ` (it is wrapped with ${describe(keyId)})`;
  return new AofError(
    "KEY_REQUIRED",
    `the log is encrypted${named}: pass the part keyProvider`,
    keyId === undefined ? {} : { keyId },
  );
}

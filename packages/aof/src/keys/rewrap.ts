/**
 * Wrapping a log's keys anew: with the provider's current key, and perhaps with one more data key behind them. In two
 * steps, so that whoever waits for the provider can look around before a file changes.
 */
import { AofError } from "../errors.ts";
import type { KeyEntry } from "../format/keys-codec.ts";
import type { LogDirectory } from "../log-directory.ts";
import type { ManifestFile } from "../manifest-file.ts";
import { keysName } from "../segment-name.ts";
import type { KeyProvider } from "./key-provider.ts";
import { replaceKeysSync } from "./keys-file.ts";
import type { LogKeys } from "./log-keys.ts";
import { newGenerationKey } from "./open-keys.ts";
import { wrapAll } from "./wrapping.ts";

/** What to do besides wrapping the keys anew. */
export interface RewrapOptions {
  /** Also make a new key, for what is appended from now on. Default false. */
  readonly newDataKey?: boolean;
  /** Ends it with `ABORTED`; the keys stay as they were. */
  readonly signal?: AbortSignal;
}

/** How the log's keys are wrapped now. Plain JSON, nothing secret. */
export interface RewrapReport {
  /** Every key of the log, oldest first. The last one encrypts. */
  readonly keys: readonly { readonly generation: number; readonly keyId: string }[];
}

/** Wrapped keys that are not stored yet. */
export class RewrappedKeys {
  readonly entries: readonly KeyEntry[];
  readonly #added: Uint8Array | undefined;

  constructor(entries: readonly KeyEntry[], added: Uint8Array | undefined) {
    this.entries = entries;
    this.#added = added;
  }

  /**
   * Replaces KEYS, durably, and has `keys` go on with what it says. When it throws `keys` is unchanged, and the file is as
   * it was or as it should have become.
   * @throws AofError `FENCED`; StorageError
   */
  storeSync(directory: LogDirectory, manifest: ManifestFile, keys: LogKeys): RewrapReport {
    const { entries } = this;
    replaceKeysSync(directory, manifest, { logId: keys.logId, updatedAtUs: directory.clock.wallUs(), entries });
    const newest = entries.at(-1)?.generation ?? 0;
    keys.adopt(entries, new Map(this.#added === undefined ? [] : [[newest, this.#added.slice()]]));
    return { keys: entries.map(({ generation, keyId }) => ({ generation, keyId })) };
  }

  /** Call it in the end, stored or not. */
  wipe(): void {
    this.#added?.fill(0);
  }
}

const maxGeneration = 255;

/** @throws AofError `UNSUPPORTED` when all 255 keys are used, `ABORTED`, and what the provider throws */
export async function wrapAnew(
  keys: LogKeys,
  provider: KeyProvider,
  { newDataKey = false, signal }: RewrapOptions,
): Promise<RewrappedKeys> {
  const copies = new Map(keys.entries.map(({ generation }) => [generation, keys.copyOf(generation)]));
  const nextGeneration = keys.currentGeneration + 1;
  if (newDataKey && nextGeneration > maxGeneration) {
    throw new AofError("UNSUPPORTED", `the log has used all ${maxGeneration} keys; copy it to a new log`, {
      path: keysName,
    });
  }
  const added = newDataKey ? newGenerationKey() : undefined;
  if (added !== undefined) copies.set(nextGeneration, added.slice());
  try {
    return new RewrappedKeys(await wrapAll(keys.logId, copies, provider, signal), added);
  } catch (error) {
    added?.fill(0);
    throw error;
  } finally {
    for (const copy of copies.values()) copy.fill(0);
  }
}

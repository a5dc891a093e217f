/**
 * Wraps the keys of a log anew while it is written.
 *
 * Always true:
 *  I1  one rewrap at a time; after `end` no new one begins, and the provider's calls under way are told to stop
 *  I2  KEYS is replaced only while the log is writable, in one synchronous step; a failure there poisons it
 */
import { AofError, toAofError } from "./errors.ts";
import type { KeyProvider } from "./keys/key-provider.ts";
import type { LogKeys } from "./keys/log-keys.ts";
import { type RewrapOptions, type RewrappedKeys, type RewrapReport, wrapAnew } from "./keys/rewrap.ts";
import type { LogDirectory } from "./log-directory.ts";
import type { ManifestFile } from "./manifest-file.ts";

export interface OnlineRewrapParts {
  readonly directory: LogDirectory;
  readonly manifest: ManifestFile;
  readonly keys: LogKeys | undefined;
  readonly keyProvider: KeyProvider | undefined;
  /** @throws AofError `CLOSED`, `POISONED`, `FENCED` */
  readonly assertWritable: () => void;
  readonly poison: (error: AofError) => void;
  /** Begins a segment, which takes the newest data key. */
  readonly rotate: () => void;
}

export class OnlineRewrap {
  readonly #parts: OnlineRewrapParts;
  readonly #stop = new AbortController();
  /** Ends when the last one asked for has; never rejects. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: OnlineRewrapParts) {
    this.#parts = parts;
  }

  rewrap(options: RewrapOptions): Promise<RewrapReport> {
    const result = this.#last.then(() => this.#rewrap(options));
    this.#last = result.catch(() => {});
    return result;
  }

  /** Resolves when none is under way. */
  async end(): Promise<void> {
    this.#stop.abort();
    await this.#last;
  }

  async #rewrap(options: RewrapOptions): Promise<RewrapReport> {
    const { keys, keyProvider, assertWritable } = this.#parts;
    assertWritable();
    if (keys === undefined || keyProvider === undefined || keys.currentGeneration === 0) {
      throw new AofError("INVALID_ARGUMENT", "the log has no keys to wrap: it is not encrypted, or was opened without");
    }
    const { signal } = options;
    const both = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]);
    let wrapped: RewrappedKeys;
    try {
      wrapped = await wrapAnew(keys, keyProvider, { ...options, signal: both });
    } catch (error) {
      // Closing is why it failed, then.
      if (this.#stop.signal.aborted) assertWritable();
      throw error;
    }
    try {
      assertWritable();
      return this.#store(wrapped, keys, options.newDataKey === true);
    } finally {
      wrapped.wipe();
    }
  }

  #store(wrapped: RewrappedKeys, keys: LogKeys, isNewKey: boolean): RewrapReport {
    const { directory, manifest, poison, rotate } = this.#parts;
    try {
      const report = wrapped.storeSync(directory, manifest, keys);
      if (isNewKey) rotate();
      return report;
    } catch (error) {
      const failure = toAofError(error, "replacing KEYS", { path: "KEYS" });
      poison(failure);
      throw failure;
    }
  }
}

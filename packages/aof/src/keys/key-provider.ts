/** What a wrapped key is bound to. A provider passes it to its cipher or KMS as additional authenticated data. */
export interface KeyContext {
  /** The log's id, 32 hexadecimal digits. */
  readonly logId: string;
  /** Which of the log's keys, 1..255. */
  readonly generation: number;
}

/** A key of a log as `KEYS` stores it. */
export interface WrappedKey {
  /** The provider's name of the key that wrapped it: 1..1024 bytes of UTF-8. Not a secret; named in errors. */
  readonly keyId: string;
  /** 1..8192 bytes that only the provider can open. */
  readonly wrapped: Uint8Array;
}

/** How long a call may take is the provider's matter; it should stop when the signal fires. */
export interface KeyCallOptions {
  readonly signal: AbortSignal;
}

/**
 * Keeps the keys that wrap a log's own keys: a KMS, a secret store, or `localKeyRing`. Called when a log is opened and
 * when its keys are wrapped anew, never by an append or a read. Promises:
 *  1. `unwrap` of what `wrap` gave, with the same context, resolves to the same 32 bytes
 *  2. a key id that it does not have rejects with an `AofError` `KEY_NOT_FOUND`
 *  3. a wrapped key that its key of that id does not open rejects with `WRONG_KEY`; so does another context
 *  4. it keeps no reference to the keys that pass through, and names none of their bytes in an error
 */
export interface KeyProvider {
  /** @param key borrowed until the promise settles: wiped afterwards */
  wrap(key: Uint8Array, context: KeyContext, options: KeyCallOptions): Promise<WrappedKey>;
  /** The caller owns the result and wipes it. */
  unwrap(key: WrappedKey, context: KeyContext, options: KeyCallOptions): Promise<Uint8Array>;
}

/** Calls to a key provider: what it answers is checked, and its failures get the codes that a caller can act on. */
import { AofError, isAofError } from "../errors.ts";
import { type KeyEntry, maxKeyIdBytes, maxWrappedBytes } from "../format/keys-codec.ts";
import { keysName } from "../segment-name.ts";
import { describe } from "../describe.ts";
import { keyBytes, keyCheckValue } from "./key-derivation.ts";
import type { KeyProvider } from "./key-provider.ts";
import type { LogKeys } from "./log-keys.ts";

/** Calls to a provider at once. */
const concurrentCalls = 8;

/**
 * Unwraps those of `entries` that `keys` does not have, and takes them over. All or none: a failure stops the other
 * calls and wipes what came.
 * @throws AofError `KEY_NOT_FOUND`, `WRONG_KEY`, `ABORTED`, `IO`
 */
export async function unwrapInto(
  keys: LogKeys,
  entries: readonly KeyEntry[],
  provider: KeyProvider,
  signal: AbortSignal | undefined,
): Promise<void> {
  const missing = entries.filter(({ generation }) => !keys.has(generation));
  const unwrapped = new Map<number, Uint8Array>();
  try {
    await callAll(missing, signal, async (entry, callSignal) => {
      unwrapped.set(entry.generation, await unwrap(keys.logId, entry, provider, callSignal));
    });
  } catch (error) {
    for (const key of unwrapped.values()) key.fill(0);
    throw error;
  }
  keys.adopt(entries, unwrapped);
}

/** Wraps every key of `generations` with the provider's current one. @throws AofError `ABORTED`, `IO`, … */
export async function wrapAll(
  logId: string,
  generations: ReadonlyMap<number, Uint8Array>,
  provider: KeyProvider,
  signal: AbortSignal | undefined,
): Promise<KeyEntry[]> {
  const entries: KeyEntry[] = [];
  await callAll([...generations], signal, async ([generation, key], callSignal) => {
    entries.push(await wrap(logId, generation, key, provider, callSignal));
  });
  return entries.sort((a, b) => a.generation - b.generation);
}

async function unwrap(logId: string, entry: KeyEntry, provider: KeyProvider, signal: AbortSignal): Promise<Uint8Array> {
  const { generation, keyId, wrapped } = entry;
  const context = { logId, generation };
  let key: Uint8Array;
  try {
    key = await provider.unwrap({ keyId, wrapped: new Uint8Array(wrapped) }, context, { signal });
    if (signal.aborted) {
      // Nobody waits for it any more.
      if (key instanceof Uint8Array) key.fill(0);
      throw signal.reason;
    }
  } catch (error) {
    throw providerFailure(error, `unwrapping the log's key ${generation}`, keyId, signal);
  }
  const isRight =
    key instanceof Uint8Array &&
    key.length === keyBytes &&
    Buffer.compare(keyCheckValue(key, context), entry.checkValue) === 0;
  if (isRight) {
    // Never the provider's own array: a Buffer's `slice` is no copy, and wiping such a "copy" would wipe the log's key.
    const own = new Uint8Array(key);
    key.fill(0);
    return own;
  }
  if (key instanceof Uint8Array) key.fill(0);
  throw new AofError(
    "WRONG_KEY",
    `the provider's key ${describe(keyId)} opens something else than the log's key ${generation}`,
    { keyId, path: keysName },
  );
}

async function wrap(
  logId: string,
  generation: number,
  key: Uint8Array,
  provider: KeyProvider,
  signal: AbortSignal,
): Promise<KeyEntry> {
  const context = { logId, generation };
  // Its own copy: a provider that keeps or changes what it was lent does no harm.
  const lent = new Uint8Array(key);
  try {
    const { keyId, wrapped } = await provider.wrap(lent, context, { signal });
    const idBytes = typeof keyId === "string" && keyId.isWellFormed() ? Buffer.byteLength(keyId) : 0;
    const wrappedBytes = wrapped instanceof Uint8Array ? wrapped.length : 0;
    if (idBytes < 1 || idBytes > maxKeyIdBytes || wrappedBytes < 1 || wrappedBytes > maxWrappedBytes) {
      throw new AofError(
        "INVALID_ARGUMENT",
        `the key provider wraps to an id of ${idBytes} and a key of ${wrappedBytes} bytes, want 1..${maxKeyIdBytes} and 1..${maxWrappedBytes}`,
      );
    }
    return { generation, keyId, wrapped: new Uint8Array(wrapped), checkValue: keyCheckValue(key, context) };
  } catch (error) {
    throw providerFailure(error, `wrapping the log's key ${generation}`, undefined, signal);
  } finally {
    lent.fill(0);
  }
}

/** The provider's own words stay in `cause`: nobody knows what they hold. */
function providerFailure(error: unknown, doing: string, keyId: string | undefined, signal: AbortSignal): AofError {
  if (isAofError(error)) return error;
  const named = keyId === undefined ? {} : { keyId };
  if (signal.aborted) return new AofError("ABORTED", `${doing} was aborted`, { ...named, cause: error });
  return new AofError("IO", `${doing} failed: the key provider rejected`, { ...named, cause: error });
}

/** Runs `call` over `items`, a few at once; the first failure aborts the others, and is thrown when all have ended. */
async function callAll<T>(
  items: readonly T[],
  signal: AbortSignal | undefined,
  call: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const queue = items.values();
  let failure: { readonly error: unknown } | undefined;
  const work = async (): Promise<void> => {
    for (const item of queue) {
      if (failure !== undefined) return;
      try {
        if (both.aborted) throw abortedWork(both);
        await unlessAborted(call(item, both), both);
      } catch (error) {
        failure ??= { error };
        stop.abort();
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrentCalls, items.length) }, work));
  if (failure !== undefined) throw failure.error;
}

/** A provider that does not listen to its signal must not hold up a close. */
async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  let stop: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(abortedWork(signal));
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
    work.catch(() => {});
  }
}

function abortedWork(signal: AbortSignal): AofError {
  return new AofError("ABORTED", "the work on the log's keys was aborted", { cause: signal.reason });
}

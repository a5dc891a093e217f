import assert from "node:assert/strict";
import type { ListEntry, ObjectStore } from "../../object-store/object-store.ts";
import { isStoreError, type StoreErrorCode } from "../../object-store/store-error.ts";

/** One check of the suite. It gets a store without objects. */
export interface StoreCheck {
  readonly name: string;
  /** Thousands of requests. */
  readonly isLong?: true;
  readonly run: (store: ObjectStore) => Promise<void>;
  /** Left out where this says so, because it cannot be true there. */
  readonly unless?: (store: ObjectStore) => boolean;
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Bytes that differ at every place, and for every seed. */
export function pattern(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = (seed * 2654435761) >>> 0;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

export async function textAt(store: ObjectStore, key: string): Promise<string> {
  return new TextDecoder().decode(await (await store.get(key)).bytes());
}

/** `assert.deepEqual` of megabytes takes seconds. */
export function assertBytes(actual: Uint8Array, expected: Uint8Array): void {
  assert.equal(actual.byteLength, expected.byteLength, "as many bytes");
  if (Buffer.compare(actual, expected) === 0) return;
  const at = actual.findIndex((byte, index) => byte !== expected[index]);
  assert.fail(`byte ${at} differs: ${actual[at]}, want ${expected[at]}`);
}

/** Requires a refusal with one of `codes`, that names the key, the operation and the store. */
export async function refuses(
  codes: StoreErrorCode | readonly StoreErrorCode[],
  key: string | undefined,
  run: () => Promise<unknown>,
): Promise<void> {
  const wanted = Array.isArray(codes) ? codes : [codes];
  let result: unknown;
  try {
    result = await run();
  } catch (error) {
    if (!isStoreError(error)) throw error;
    assert.ok(wanted.includes(error.code), `got ${error.code} (${error.message}), want ${wanted.join(" or ")}`);
    if (key !== undefined) assert.equal(error.key, key, `names the key: ${error.message}`);
    assert.ok(error.operation !== undefined, `names the operation: ${error.message}`);
    return;
  }
  assert.fail(`resolved with ${String(result)}, want ${wanted.join(" or ")}`);
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Names of a listing: keys, and folders with their slash. Sorted where the store does not. */
export async function namesOf(store: ObjectStore, items: AsyncIterable<ListEntry>): Promise<string[]> {
  const names = (await collect(items)).map((entry) => (entry.kind === "object" ? entry.key : entry.prefix));
  return store.capabilities.orderedList ? names : names.toSorted();
}

/** What a race of conditional writes came to. */
export function raceOf<T>(results: readonly PromiseSettledResult<T>[]): {
  readonly won: T[];
  readonly lost: unknown[];
} {
  return {
    won: results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : [])),
    lost: results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : [])),
  };
}

/** Smallest size that is sent in parts, and a part's. */
export function partSizes(store: ObjectStore): { readonly partBytes: number; readonly aboveOnePart: number } {
  const { partBytesMin, partBytesMultiple } = store.capabilities.limits;
  const partBytes = Math.max(partBytesMin, partBytesMultiple, 4096);
  return { partBytes, aboveOnePart: partBytes + 1000 };
}

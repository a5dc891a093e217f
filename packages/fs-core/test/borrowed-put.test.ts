// Goal: `put` sends the caller's bytes from where they lie, whole or in parts, and a stream's pieces are copied, because
// their source may use them again.
// Method: a driver in memory that notes which memory it is handed; what is stored is compared with what was put.
import { createObjectStore, MemoryDriver, type ObjectStore } from "@varve/fs-core";
import { expect, test } from "vitest";

class NotingDriver extends MemoryDriver {
  readonly handed: Uint8Array[] = [];

  override put(...args: Parameters<MemoryDriver["put"]>): ReturnType<MemoryDriver["put"]> {
    this.handed.push(args[1]);
    return super.put(...args);
  }

  override uploadPart(...args: Parameters<MemoryDriver["uploadPart"]>): ReturnType<MemoryDriver["uploadPart"]> {
    this.handed.push(args[2].bytes);
    return super.uploadPart(...args);
  }
}

function opened(settings: { readonly partBytes?: number } = {}): { store: ObjectStore; driver: NotingDriver } {
  const driver = new NotingDriver();
  return { driver, store: createObjectStore(driver, settings) };
}

const noise = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8)) & 0xff);

test.for([1, 4096, 100_000])("%d bytes in one request: no copy", async (length) => {
  const { store, driver } = opened();
  const bytes = noise(length);
  await store.put("k", bytes);
  expect(driver.handed.map(({ buffer }) => buffer === bytes.buffer)).toEqual([true]);
  expect(await (await store.get("k")).bytes()).toEqual(bytes);
  await store.close();
});

test("no bytes at all are an object too", async () => {
  const { store } = opened();
  await store.put("k", new Uint8Array(0));
  expect((await store.head("k"))?.size).toBe(0);
  await store.close();
});

test.for([0, 1, 77])("in parts, the last one %d bytes long: no copy, in order", async (rest) => {
  const { store, driver } = opened({ partBytes: 5 << 20 });
  const { partBytesMin } = driver.capabilities.limits;
  const part = Math.max(5 << 20, partBytesMin);
  // Out of a larger buffer: only the caller's part of it is sent.
  const bytes = noise(3 * part + rest + 10).subarray(10);
  const { size } = await store.put("k", bytes);
  expect(size).toBe(bytes.byteLength);
  const sizes = driver.handed.map(({ byteLength }) => byteLength);
  expect(sizes).toEqual([part, part, part, ...(rest === 0 ? [] : [rest])]);
  expect(driver.handed.every(({ buffer }) => buffer === bytes.buffer)).toBe(true);
  const stored = await (await store.get("k")).bytes();
  expect(Buffer.compare(stored, bytes)).toBe(0);
  await store.close();
});

test("the bytes are as they were, and may be used again when the put resolved", async () => {
  const { store } = opened();
  const bytes = noise(70_000);
  await store.put("k", bytes);
  expect(bytes).toEqual(noise(70_000));
  bytes.fill(0);
  await store.put("other", bytes);
  expect(await (await store.get("k")).bytes()).toEqual(noise(70_000));
  await store.close();
});

test("a stream's pieces are copied", async () => {
  const { store, driver } = opened();
  const piece = noise(1000);
  async function* reusing(): AsyncGenerator<Uint8Array, void, undefined> {
    yield piece;
    piece.fill(9);
    yield piece;
  }
  await store.putStream("k", reusing());
  expect(driver.handed.some(({ buffer }) => buffer === piece.buffer)).toBe(false);
  const stored = await (await store.get("k")).bytes();
  expect(stored.subarray(0, 1000)).toEqual(noise(1000));
  expect(stored.subarray(1000)).toEqual(new Uint8Array(1000).fill(9));
  await store.close();
});

// The adapter must do the job that the harness measures: durable when it says so, in order, nothing lost, also when the
// append buffer is full all the time.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openReadOnly } from "@varve/aof";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { meta, open, type PeerOptions } from "./peer-adapter.ts";
import { parseVariant } from "./peer-variant.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "varve-adapter-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const payload = (k: number, bytes: number): Uint8Array => new Uint8Array(bytes).fill(k % 251);

/** The number that fills each record, in order. */
async function filled(options: PeerOptions): Promise<number[]> {
  const store = await open(dir, options);
  const values: number[] = [];
  expect(await store.scan((each) => values.push(each[0] as number))).toBe(store.count());
  for (let k = 0; k < store.count(); k += 7) expect(store.get(k)?.[0]).toBe(values[k]);
  await store.close();
  return values;
}

const expected = (count: number): number[] => Array.from({ length: count }, (_, k) => k % 251);

describe("the adapter", () => {
  it("has a name and says what its numbers mean", () => {
    expect(meta).toMatchObject({ name: "varve", durable: true });
    expect(meta.notes).not.toBe("");
  });

  it("is durable on return with one caller", async () => {
    const store = await open(dir, { size: 64, mode: "sync", conc: 1 });
    for (let k = 0; k < 30; k++) expect(store.append(k, payload(k, 64))).toBeUndefined();
    const reader = await openReadOnly({ dir });
    expect(reader.lastId).toBe(30);
    await reader.close();
    await store.close();
    expect(await filled({ size: 64, mode: "async" })).toEqual(expected(30));
  });

  it("groups many callers, more than the buffer holds", async () => {
    const options = { size: 8192, mode: "sync", conc: 64, variant: "bufferBytes=65536" } as const;
    const store = await open(dir, options);
    await Promise.all(Array.from({ length: 64 }, async (_, k) => store.append(k, payload(k, 8192))));
    expect(store.count()).toBe(64);
    await store.close();
    expect((await filled(options)).toSorted((a, b) => a - b)).toEqual(expected(64));
  });

  it.each([
    ["small", 64, "bufferBytes=65536"],
    ["larger than the buffer together", 9000, "bufferBytes=65536"],
    ["each larger than half of the buffer", 40_000, "bufferBytes=65536,segmentSizeBytes=1048576"],
  ])("appends batches that are %s", async (_, bytes, variant) => {
    for (const mode of ["batch", "async"] as const) {
      const store = await open(join(dir, mode), { size: bytes, mode, variant });
      for (let first = 0; first < 60; first += 20) {
        await store.appendBatch(
          first,
          Array.from({ length: 20 }, (__, k) => payload(first + k, bytes)),
        );
      }
      await store.drain();
      await store.close();
    }
    const parent = dir;
    for (const mode of ["batch", "async"] as const) {
      dir = join(parent, mode);
      expect(await filled({ size: bytes, mode, variant }), mode).toEqual(expected(60));
    }
    dir = parent;
  });

  it("keeps the order of a burst that does not fit the buffer", async () => {
    // A bound on unsynced bytes: without one the log makes room by writing, and hardly ever says no.
    const options = { size: 5000, mode: "async", variant: "bufferBytes=65536,strategy=async@65536" } as const;
    const store = await open(dir, options);
    let waited = 0;
    for (let burst = 0; burst < 4; burst++) {
      const pending: unknown[] = [];
      for (let k = burst * 100; k < burst * 100 + 100; k++) {
        const promise = store.append(k, payload(k, 5000));
        if (promise !== undefined) pending.push(promise);
      }
      waited += pending.length;
      await Promise.all(pending);
    }
    await store.drain();
    await store.close();
    expect(waited).toBeGreaterThan(0);
    expect(await filled(options)).toEqual(expected(400));
  });
});

describe("a variant", () => {
  it("becomes settings", () => {
    expect(parseVariant(undefined)).toEqual({});
    expect(parseVariant("flushOn=pool,bufferBytes=65536,strategy=batched:7,indexKind=file")).toEqual({
      flushOn: "pool",
      bufferBytes: 65536,
      flushStrategy: expect.objectContaining({ kind: "batched", batchSize: 7 }),
      indexKind: "file",
    });
  });

  it.each(["speed=1", "bufferBytes=many", "flushOn=moon", "toString=1"])("%s is refused", (variant) => {
    expect(() => parseVariant(variant)).toThrow();
  });
});

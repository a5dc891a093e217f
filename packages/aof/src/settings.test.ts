// Goal: bad settings are refused before a byte changes, all of them at once, each by name.
import { describe, expect, test } from "vitest";
import { isAofError } from "./errors.ts";
import { type AofSettings, defaultAofSettings, maxPayloadBytes, resolveAofSettings } from "./settings.ts";

function refusal(settings: unknown): { code: string; message: string } {
  try {
    resolveAofSettings(settings as AofSettings);
  } catch (error) {
    if (isAofError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("nothing was refused");
}

test("defaults are the documented ones, frozen", () => {
  const settings = resolveAofSettings({ dir: "x" });
  expect(settings).toMatchObject({
    segmentSizeBytes: 64 * 1024 * 1024,
    segmentCacheSize: 100,
    preAllocateThreshold: 0.8,
    preAllocateEnabled: true,
    bufferBytes: 8 * 1024 * 1024,
    flushOn: "pool",
    recovery: "truncate-torn-tail",
    flushStrategy: { kind: "batched-or-periodic", batchSize: 100, intervalMs: 1000 },
  });
  expect(Object.isFrozen(settings)).toBe(true);
  expect(Object.isFrozen(defaultAofSettings)).toBe(true);
});

test("undefined means the default", () => {
  expect(resolveAofSettings({ dir: "x", bufferBytes: undefined } as unknown as AofSettings).bufferBytes).toBe(
    8 * 1024 * 1024,
  );
});

test("the sync strategy commits on the main thread, the others in the pool", () => {
  expect(resolveAofSettings({ dir: "x", flushStrategy: { kind: "sync" } }).flushOn).toBe("main");
  expect(resolveAofSettings({ dir: "x", flushStrategy: { kind: "async" } }).flushOn).toBe("pool");
  expect(refusal({ dir: "x", flushStrategy: { kind: "sync" }, flushOn: "pool" })).toMatchObject({
    code: "INVALID_SETTINGS",
  });
});

test("every broken setting is named, in one error", () => {
  const { code, message } = refusal({
    dir: 7,
    segmentSizeBytes: 100,
    bufferBytes: "8MiB",
    segmentCacheSize: 0,
    maxReaders: 1.5,
    preAllocateEnabled: "yes",
    preAllocateThreshold: 2,
    indexPath: "../index",
    indexKind: "sqlite",
    recovery: "hope",
    takeOver: 1,
    segmentMaxAgeMs: 5,
    segmentMaxRecords: 0,
    flushOn: "gpu",
    flushStrategy: { kind: "batched", batchSize: -1 },
    colour: "red",
  });
  expect(code).toBe("INVALID_SETTINGS");
  for (const name of [
    "dir",
    "segmentSizeBytes",
    "bufferBytes",
    "segmentCacheSize",
    "maxReaders",
    "preAllocateEnabled",
    "preAllocateThreshold",
    "indexPath",
    "indexKind",
    "recovery",
    "takeOver",
    "segmentMaxAgeMs",
    "segmentMaxRecords",
    "flushOn",
    "flushStrategy",
    "colour",
  ]) {
    expect(message).toMatch(new RegExp(`^${name}`, "m"));
  }
});

describe("a segment size that alone is wrong has a code of its own", () => {
  test.each([0, 4095, 4097, 2 ** 32 + 8, Number.NaN, "64MiB"])("%s", (segmentSizeBytes) => {
    expect(refusal({ dir: "x", segmentSizeBytes }).code).toBe("INVALID_SEGMENT_SIZE");
  });
});

test.each([undefined, null, 5, "dir"])("settings that are no object: %s", (settings) => {
  expect(refusal(settings).code).toBe("INVALID_SETTINGS");
});

test("a segment holds its largest record", () => {
  expect(maxPayloadBytes(4096)).toBe(4096 - 64 - 32);
});

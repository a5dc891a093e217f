// Goal: presets are the documented numbers and open a log as they are; the builder knows exactly the settings that a log
// accepts and reports everything that is wrong with them at once.
import { MemoryFileSystem } from "@varve/fs-core";
import { describe, expect, test } from "vitest";
import {
  Aof,
  aofOptions,
  type AofSettings,
  archivePresets,
  defaultAofOptions,
  defaultAofSettings,
  isAofError,
  presets,
  resolveAofSettings,
} from "../src/index.ts";

const MiB = 1024 * 1024;

function refusal(build: () => unknown): { code: string; lines: string[] } {
  try {
    build();
  } catch (error) {
    if (isAofError(error)) return { code: error.code, lines: error.message.split("\n") };
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("presets", () => {
  test("are the documented numbers", () => {
    expect(resolveAofSettings({ ...presets.highThroughput, dir: "x" })).toMatchObject({
      segmentSizeBytes: 256 * MiB,
      flushStrategy: { kind: "batched", batchSize: 5000 },
      segmentCacheSize: 200,
      preAllocateEnabled: true,
    });
    expect(resolveAofSettings({ ...presets.costOptimized, dir: "x" })).toMatchObject({
      segmentSizeBytes: 128 * MiB,
      flushStrategy: { kind: "periodic", intervalMs: 1000 },
      segmentCacheSize: 50,
    });
    expect(archivePresets).toEqual({
      highThroughput: { archiveThreshold: 20, archiveCompressionLevel: 1 },
      costOptimized: { archiveThreshold: 5, archiveCompressionLevel: 6 },
    });
  });

  test("cannot be changed by one user for another", () => {
    for (const preset of Object.values(presets)) {
      expect([Object.isFrozen(preset), Object.isFrozen(preset.flushStrategy)]).toEqual([true, true]);
    }
    expect(Object.isFrozen(archivePresets.costOptimized)).toBe(true);
  });

  test.each(Object.entries(presets))("%s opens a log that keeps what it is given", async (_, preset) => {
    const fileSystem = new MemoryFileSystem();
    const settings = { ...preset, dir: "log", indexKind: "memory" } as const;
    const log = await Aof.open(settings, { fileSystem });
    for (let id = 1; id <= 100; id++) log.append(Buffer.from(`r${id}`));
    await log.close();
    const again = await Aof.open(settings, { fileSystem });
    expect(Buffer.from(again.getSync(100)?.payload ?? []).toString()).toBe("r100");
    await again.close();
  });

  test("a log refuses the archive's numbers instead of ignoring them", () => {
    const { lines } = refusal(() => resolveAofSettings({ ...archivePresets.costOptimized, dir: "x" }));
    expect(lines.map((line) => line.split(":")[0] ?? "").sort()).toEqual([
      "archiveCompressionLevel",
      "archiveThreshold",
    ]);
  });

  test("defaultAofOptions is the same object as defaultAofSettings", () => {
    expect(defaultAofOptions).toBe(defaultAofSettings);
  });
});

describe("aofOptions", () => {
  test("has a step for every resolved setting, and each sets the one it is named after", () => {
    const builder = aofOptions("x");
    const names = Object.keys(resolveAofSettings({ dir: "x" })) as (keyof AofSettings)[];
    const missing = names.filter((name) => typeof builder[name] !== "function");
    expect(missing).toEqual([]);
    // A value that every setting refuses: the first problem bears the name of the step.
    for (const name of names) {
      const step = builder[name] as (value: unknown) => typeof builder;
      const { lines } = refusal(() => step(Symbol.iterator).build());
      expect(lines[0]).toMatch(new RegExp(`^${name}\\b`));
    }
  });

  test("knows every setting of the type, and no other", () => {
    // Complete by its type: a setting that is added and not named here does not compile.
    const all: Readonly<Record<keyof AofSettings, true>> = {
      dir: true,
      segmentSizeBytes: true,
      segmentMaxAgeMs: true,
      segmentMaxRecords: true,
      flushStrategy: true,
      autoTune: true,
      flushOn: true,
      bufferBytes: true,
      segmentCacheSize: true,
      maxReaders: true,
      preAllocateEnabled: true,
      preAllocateThreshold: true,
      indexPath: true,
      indexKind: true,
      recovery: true,
      takeOver: true,
      ttlMs: true,
      ttlSeconds: true,
      retention: true,
      compression: true,
      encryption: true,
      blockCacheBytes: true,
      readAheadBytes: true,
      dedupeWindow: true,
    };
    const steps = Object.keys(aofOptions("x")).filter((name) => !["set", "preset", "build"].includes(name));
    expect(steps.sort()).toEqual(Object.keys(all).sort());
  });

  test("builds what was set and nothing else", () => {
    const settings = aofOptions("data")
      .preset("highThroughput")
      .flushStrategy({ kind: "batched-or-periodic", batchSize: 2000, intervalMs: 50 })
      .set("maxReaders", 7)
      .segmentCacheSize(undefined)
      .build();
    expect(settings).toEqual({
      dir: "data",
      segmentSizeBytes: 256 * MiB,
      flushStrategy: { kind: "batched-or-periodic", batchSize: 2000, intervalMs: 50 },
      preAllocateEnabled: true,
      maxReaders: 7,
    });
    expect(Object.isFrozen(settings)).toBe(true);
    expect(resolveAofSettings(settings).segmentCacheSize).toBe(defaultAofSettings.segmentCacheSize);
  });

  test("a step leaves the builder it was called on as it was", () => {
    const common = aofOptions("data").bufferBytes(MiB);
    const one = common.maxReaders(1).build();
    const two = common.preset({ maxReaders: 2 }).build();
    expect([one.maxReaders, two.maxReaders, common.build().maxReaders]).toEqual([1, 2, undefined]);
  });

  test("reports every problem of every step in one error", () => {
    const { code, lines } = refusal(() =>
      aofOptions()
        .preset("fastest" as "costOptimized")
        .bufferBytes(1)
        .set("colour" as "maxReaders", 1)
        .segmentSizeBytes(5)
        .build(),
    );
    expect(code).toBe("INVALID_SETTINGS");
    expect(lines.map((line) => line.split(":")[0] ?? "").sort()).toEqual([
      "bufferBytes",
      "colour",
      "dir",
      "preset",
      "segmentSizeBytes",
    ]);
  });

  test("a segment size that alone is wrong keeps its code", () => {
    expect(refusal(() => aofOptions("x").segmentSizeBytes(5).build()).code).toBe("INVALID_SEGMENT_SIZE");
  });
});

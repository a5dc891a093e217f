import type { AofSettings } from "./settings.ts";

/** Settings of a log without its place: spread them, `{ ...presets.highThroughput, dir }`. */
export type AofPreset = Omit<AofSettings, "dir">;

/** The names of {@link presets}. */
export type AofPresetName = "highThroughput" | "costOptimized";

const MiB = 1024 * 1024;

/**
 * Two places to begin from, deeply frozen. Whatever a preset does not name keeps its default.
 *
 * - `highThroughput`: large segments, a flush every 5000 records, many files kept open. It has no time bound: the last
 *   4999 records of a burst stay unflushed until more come or someone calls `flush()`.
 * - `costOptimized`: one flush a second at most, whatever the load, and few open files. What came in the last second
 *   is what a power loss can take.
 *
 * Callers of `appendDurable` wait for their own flush under either of them.
 */
export const presets: Readonly<Record<AofPresetName, AofPreset>> = Object.freeze({
  highThroughput: Object.freeze({
    segmentSizeBytes: 256 * MiB,
    flushStrategy: Object.freeze({ kind: "batched", batchSize: 5000 }),
    segmentCacheSize: 200,
    preAllocateEnabled: true,
  }),
  costOptimized: Object.freeze({
    segmentSizeBytes: 128 * MiB,
    flushStrategy: Object.freeze({ kind: "periodic", intervalMs: 1000 }),
    segmentCacheSize: 50,
  }),
});

/** What goes with a preset on the side of an archive. */
export interface ArchivePreset {
  /** Sealed segments kept on local disk before the oldest is archived. */
  readonly archiveThreshold: number;
  /** Level of the archive's compression: 1 is fast, higher is smaller. */
  readonly archiveCompressionLevel: number;
}

/**
 * The archive's half of {@link presets}, for whoever moves sealed segments away. They are not settings of the log, which
 * refuses them by name: nothing is accepted that would have no effect.
 */
export const archivePresets: Readonly<Record<AofPresetName, ArchivePreset>> = Object.freeze({
  highThroughput: Object.freeze({ archiveThreshold: 20, archiveCompressionLevel: 1 }),
  costOptimized: Object.freeze({ archiveThreshold: 5, archiveCompressionLevel: 6 }),
});

import { type FlushStrategy, type ResolvedFlushStrategy, resolveFlushStrategy } from "@varve/flush-metrics";
import { type AutoTuneSettings, resolveAutoTune, type ResolvedAutoTuneSettings } from "./auto-tune-settings.ts";
import { type DedupeWindowSettings, resolveDedupeWindow, type ResolvedDedupeWindow } from "./dedupe-window.ts";
import { describe } from "./describe.ts";
import { AofError } from "./errors.ts";
import { segmentHeaderBytes } from "./format/segment-header.ts";
import { type ResolvedRetention, resolveRetention, resolveTtl, type RetentionSettings } from "./retention-settings.ts";

/** What a log does when its tail is not as it should be; see README "Recovery". */
export type RecoveryMode =
  /** Refuse with `CORRUPTED_RECORD` when anything but a clean end of log is found, a torn tail included. */
  | "strict"
  /** Cut a torn tail (kept aside, reported); refuse damage to durable records. The default. */
  | "truncate-torn-tail"
  /** Also keep going past damage: what cannot be read becomes lost records, the damaged files are kept aside. */
  | "salvage";

/** Where a durability point runs. */
export type FlushOn =
  /** On the main thread: fewest microseconds for one waiting caller, but the loop stands still for one disk flush. */
  | "main"
  /** In the thread pool: the loop stays free; 40–80 µs more for a single waiting caller. */
  | "pool";

/** Serialisable options of a log. Live collaborators go into `AofParts`. Unknown names are refused. */
export interface AofSettings {
  /** The log's directory. Created (0700) when missing. With `parts.fileSystem` a path inside that file system. */
  readonly dir: string;
  /** Bytes of header and records in a segment; its offset table comes on top. 4 KiB to 4 GiB. Default 64 MiB. */
  readonly segmentSizeBytes?: number;
  /** Begin a new segment when the active one is older; checked at each flush. 1 s or more. Default: never. */
  readonly segmentMaxAgeMs?: number;
  /** Begin a new segment after so many records, 1 or more. Default: never. */
  readonly segmentMaxRecords?: number;
  /** When the log flushes by itself. Default `{ kind: "batched-or-periodic", batchSize: 100, intervalMs: 1000 }`. */
  readonly flushStrategy?: FlushStrategy;
  /** Lets the log move the bounds of its flush strategy within limits. Default: they stay as configured. */
  readonly autoTune?: AutoTuneSettings;
  /** Default `main` for the `sync` strategy (whose `append` blocks by definition), `pool` for the others. */
  readonly flushOn?: FlushOn;
  /** Bytes of appended, unwritten records held in memory before `BACKPRESSURE`. 64 KiB to 1 GiB. Default 8 MiB. */
  readonly bufferBytes?: number;
  /** Sealed segments kept open for reading. Pinned ones are never closed, so readers may exceed it. Default 100. */
  readonly segmentCacheSize?: number;
  /**
   * Bytes of segments kept in memory for reads by id. Memory is taken as it is used. 0 for none, or 64 KiB to 2 GiB.
   * Default 64 MiB.
   */
  readonly blockCacheBytes?: number;
  /**
   * Bytes for reading ahead, shared by all readers: each that scans much takes 2 MiB while there are any. 0 for none, or
   * 2 MiB to 1 GiB. Default 16 MiB.
   */
  readonly readAheadBytes?: number;
  /** Iterators open at once before `READER_LIMIT_EXCEEDED`. Default 1000. */
  readonly maxReaders?: number;
  /** Whether the next segment is created and zero-filled in the background. Default true. */
  readonly preAllocateEnabled?: boolean;
  /** Fill of the active segment, 0 to 1, at which the next one is prepared. Default 0.8. */
  readonly preAllocateThreshold?: number;
  /** The index's directory inside the log's. Default `index`. */
  readonly indexPath?: string;
  /** `auto` is lmdb where its native module loads, else file. Default `auto`. */
  readonly indexKind?: "auto" | "lmdb" | "file" | "memory";
  /** Default `truncate-torn-tail`. */
  readonly recovery?: RecoveryMode;
  /**
   * Take the log over from a writer that still holds the lock but is stuck (stopped, or in another network namespace).
   * That writer's next flush fails with `FENCED`. Default false.
   */
  readonly takeOver?: boolean;
  /**
   * How long a record without an expiry of its own lives after its time, in ms, 1 or more. Once it has expired no way of
   * reading yields it; its bytes go with its segment. Not stored: readers of other processes give it too. Default: for ever.
   */
  readonly ttlMs?: number;
  /** The same in seconds. */
  readonly ttlSeconds?: number;
  /** What the log drops by itself. Default: nothing but segments whose records have all expired. */
  readonly retention?: RetentionSettings;
  /** Recognise appends that are tried again, by their `dedupeKey`. Read back from the newest records at open. Default: off. */
  readonly dedupeWindow?: DedupeWindowSettings;
  /** zstd on records where it makes them smaller. `true` is `{}`. Default false. */
  readonly compression?: boolean | CompressionSettings;
  /**
   * `true`: records are encrypted with AES-256-GCM; needs the part `keyProvider`. Default: as the log is, so that nothing
   * is ever silently written in the clear to a log that was encrypted. `false`: in the clear, even there.
   */
  readonly encryption?: boolean;
}

/** How records are compressed. */
export interface CompressionSettings {
  /** zstd level, 1..19. Default 3. */
  readonly level?: number;
  /** Shorter records stay as they are: 0..2^30 bytes, headers included. Default 256, below which little is gained. */
  readonly minBytes?: number;
}

/** Every setting decided. Frozen. */
export interface ResolvedAofSettings {
  readonly dir: string;
  readonly segmentSizeBytes: number;
  readonly segmentMaxAgeMs: number | undefined;
  readonly segmentMaxRecords: number | undefined;
  readonly flushStrategy: ResolvedFlushStrategy;
  readonly autoTune: ResolvedAutoTuneSettings | undefined;
  readonly flushOn: FlushOn;
  readonly bufferBytes: number;
  readonly segmentCacheSize: number;
  readonly blockCacheBytes: number;
  readonly readAheadBytes: number;
  readonly maxReaders: number;
  readonly preAllocateEnabled: boolean;
  readonly preAllocateThreshold: number;
  readonly indexPath: string;
  readonly indexKind: "auto" | "lmdb" | "file" | "memory";
  readonly recovery: RecoveryMode;
  readonly takeOver: boolean;
  /** undefined: off. */
  readonly dedupeWindow: ResolvedDedupeWindow | undefined;
  readonly compression: Required<CompressionSettings> | false;
  /** undefined: as the log is. */
  readonly encryption: boolean | undefined;
  readonly ttlMs: number | undefined;
  readonly retention: ResolvedRetention;
}

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

/** The defaults, for spreading: `{ ...defaultAofSettings, dir }`. */
export const defaultAofSettings: Omit<
  Required<AofSettings>,
  | "dir"
  | "segmentMaxAgeMs"
  | "segmentMaxRecords"
  | "flushOn"
  | "autoTune"
  | "encryption"
  | "ttlMs"
  | "ttlSeconds"
  | "retention"
  | "dedupeWindow"
> = Object.freeze({
  segmentSizeBytes: 64 * MiB,
  flushStrategy: { kind: "batched-or-periodic", batchSize: 100, intervalMs: 1000 },
  bufferBytes: 8 * MiB,
  segmentCacheSize: 100,
  blockCacheBytes: 64 * MiB,
  readAheadBytes: 16 * MiB,
  maxReaders: 1000,
  preAllocateEnabled: true,
  preAllocateThreshold: 0.8,
  indexPath: "index",
  indexKind: "auto",
  recovery: "truncate-torn-tail",
  takeOver: false,
  compression: false,
} as const);

/** Every name that a log accepts. */
export const aofSettingNames: ReadonlySet<string> = new Set([
  ...Object.keys(defaultAofSettings),
  "dir",
  "segmentMaxAgeMs",
  "segmentMaxRecords",
  "flushOn",
  "autoTune",
  "encryption",
  "ttlMs",
  "ttlSeconds",
  "retention",
  "dedupeWindow",
]);

/**
 * Fills defaults and checks everything before a byte changes.
 * @throws AofError `INVALID_SETTINGS` naming every broken setting, or `INVALID_SEGMENT_SIZE` when that alone is wrong
 */
export function resolveAofSettings(input: AofSettings): ResolvedAofSettings {
  if (typeof input !== "object" || input === null) {
    throw new AofError("INVALID_SETTINGS", `settings: got ${describe(input)}, want an object with at least "dir"`);
  }
  const problems: string[] = [];
  for (const name of Object.keys(input)) {
    if (!aofSettingNames.has(name)) problems.push(`${name}: no such setting`);
  }
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  const settings = { ...defaultAofSettings, ...given } as typeof defaultAofSettings & AofSettings;

  const check = (name: keyof AofSettings, sound: boolean, want: string): void => {
    if (!sound) problems.push(`${name}: got ${describe(settings[name])}, want ${want}`);
  };
  check("dir", typeof settings.dir === "string" && !settings.dir.includes("\0"), "a path");
  check("bufferBytes", isIntegerIn(settings.bufferBytes, 64 * KiB, GiB), "an integer in 65536..2^30");
  check("segmentCacheSize", isIntegerIn(settings.segmentCacheSize, 1, 1_000_000), "an integer in 1..1000000");
  check("blockCacheBytes", isCacheBytes(settings.blockCacheBytes), "0 or an integer in 65536..2^31");
  check(
    "readAheadBytes",
    settings.readAheadBytes === 0 || isIntegerIn(settings.readAheadBytes, 2 * MiB, GiB),
    "0 or an integer in 2097152..2^30",
  );
  check("maxReaders", isIntegerIn(settings.maxReaders, 1, 1_000_000), "an integer in 1..1000000");
  check("preAllocateEnabled", typeof settings.preAllocateEnabled === "boolean", "true or false");
  check(
    "preAllocateThreshold",
    typeof settings.preAllocateThreshold === "number" &&
      settings.preAllocateThreshold >= 0 &&
      settings.preAllocateThreshold <= 1,
    "a number in 0..1",
  );
  check(
    "indexPath",
    typeof settings.indexPath === "string" && /^[A-Za-z0-9][A-Za-z0-9_.-]{0,100}$/.test(settings.indexPath),
    "a plain directory name",
  );
  check("indexKind", ["auto", "lmdb", "file", "memory"].includes(settings.indexKind), "auto, lmdb, file or memory");
  check(
    "recovery",
    ["strict", "truncate-torn-tail", "salvage"].includes(settings.recovery),
    "strict, truncate-torn-tail or salvage",
  );
  check("takeOver", typeof settings.takeOver === "boolean", "true or false");
  check(
    "segmentMaxAgeMs",
    settings.segmentMaxAgeMs === undefined || isIntegerIn(settings.segmentMaxAgeMs, 1000, 2 ** 40),
    "an integer in 1000..2^40",
  );
  check(
    "segmentMaxRecords",
    settings.segmentMaxRecords === undefined || isIntegerIn(settings.segmentMaxRecords, 1, 2 ** 32 - 1),
    "an integer in 1..2^32-1",
  );
  check("flushOn", settings.flushOn === undefined || ["main", "pool"].includes(settings.flushOn), "main or pool");
  if (settings.encryption !== undefined && typeof settings.encryption !== "boolean") {
    // Never the value: it may be a key that was put in the wrong place.
    problems.push(`encryption: got ${typeof settings.encryption}, want true or false`);
  }
  const compression = resolveCompression(settings.compression, problems);

  const ttlMs = resolveTtl(settings, problems);
  const dedupeWindow = resolveDedupeWindow(settings.dedupeWindow, problems);
  const retention = resolveRetention(settings.retention, problems);
  const flushStrategy = resolveFlushStrategy(settings.flushStrategy, problems);
  const autoTune = resolveAutoTune(settings.autoTune, flushStrategy, problems);
  if (flushStrategy.kind === "sync" && settings.flushOn === "pool") {
    problems.push('flushOn: got "pool", want "main" with the sync strategy, whose append returns only when durable');
  }
  const segmentSizeIsSound =
    isIntegerIn(settings.segmentSizeBytes, 4 * KiB, 4 * GiB) && settings.segmentSizeBytes % 8 === 0;
  if (!segmentSizeIsSound) {
    const problem = `segmentSizeBytes: got ${describe(settings.segmentSizeBytes)}, want a multiple of 8 in 4096..2^32`;
    if (problems.length === 0) throw new AofError("INVALID_SEGMENT_SIZE", problem);
    problems.push(problem);
  }
  if (problems.length > 0) throw new AofError("INVALID_SETTINGS", problems.join("\n"));

  return Object.freeze({
    dir: settings.dir,
    segmentSizeBytes: settings.segmentSizeBytes,
    segmentMaxAgeMs: settings.segmentMaxAgeMs,
    segmentMaxRecords: settings.segmentMaxRecords,
    flushStrategy,
    autoTune,
    flushOn: settings.flushOn ?? (flushStrategy.kind === "sync" ? "main" : "pool"),
    bufferBytes: Math.ceil(settings.bufferBytes / 8) * 8,
    segmentCacheSize: settings.segmentCacheSize,
    blockCacheBytes: settings.blockCacheBytes,
    readAheadBytes: settings.readAheadBytes,
    maxReaders: settings.maxReaders,
    preAllocateEnabled: settings.preAllocateEnabled,
    preAllocateThreshold: settings.preAllocateThreshold,
    indexPath: settings.indexPath,
    indexKind: settings.indexKind,
    recovery: settings.recovery,
    takeOver: settings.takeOver,
    compression,
    encryption: settings.encryption,
    ttlMs,
    retention,
    dedupeWindow,
  });
}

function resolveCompression(given: unknown, problems: string[]): Required<CompressionSettings> | false {
  if (given === false) return false;
  if (given !== true && (typeof given !== "object" || given === null)) {
    problems.push(`compression: got ${describe(given)}, want true, false or { level, minBytes }`);
    return false;
  }
  const { level = 3, minBytes = 256, ...unknown }: CompressionSettings = given === true ? {} : given;
  for (const name of Object.keys(unknown)) problems.push(`compression.${name}: no such setting`);
  if (!isIntegerIn(level, 1, 19)) problems.push(`compression.level: got ${describe(level)}, want an integer in 1..19`);
  if (!isIntegerIn(minBytes, 0, GiB)) {
    problems.push(`compression.minBytes: got ${describe(minBytes)}, want an integer in 0..2^30`);
  }
  return Object.freeze({ level, minBytes });
}

/** Largest stored payload that fits a segment of `segmentSizeBytes`. */
export function maxPayloadBytes(segmentSizeBytes: number): number {
  return segmentSizeBytes - segmentHeaderBytes - 32;
}

/** Off, or enough for a few blocks. */
export function isCacheBytes(value: unknown): boolean {
  return value === 0 || isIntegerIn(value, 64 * KiB, 2 * GiB);
}

function isIntegerIn(value: unknown, low: number, high: number): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= low && value <= high;
}

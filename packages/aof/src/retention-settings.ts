import { describe } from "./describe.ts";

/** What the log drops by itself, in whole sealed segments from the oldest on. Every limit is optional. */
export interface RetentionSettings {
  /** Drop a segment when its newest record is older. 1 ms or more. Judged by `RetentionClock`: late, never early. */
  readonly maxAgeMs?: number;
  /** Drop the oldest while all segments' files together are larger. The active one counts and never goes. */
  readonly maxBytes?: number;
  /** Drop the oldest while the log holds more records. As many as a segment holds may be missing from the number. */
  readonly maxRecords?: number;
  /** How often the log looks by itself. 100 ms to 1 day. Default 60 s. */
  readonly intervalMs?: number;
  /** A cursor with more bytes than this in the segments behind its own no longer holds anything back. Default: none. */
  readonly cursorMaxLagBytes?: number;
  /** A cursor more durable records behind no longer holds anything back. Default: none. */
  readonly cursorMaxLagRecords?: number;
}

/** Every retention setting decided. Frozen. */
export interface ResolvedRetention {
  readonly maxAgeMs: number | undefined;
  readonly maxBytes: number | undefined;
  readonly maxRecords: number | undefined;
  readonly intervalMs: number;
  readonly cursorMaxLagBytes: number | undefined;
  readonly cursorMaxLagRecords: number | undefined;
}

const millisecondsMax = 2 ** 43;
const countMax = Number.MAX_SAFE_INTEGER;
const dayMs = 86_400_000;

const ranges: Readonly<Record<keyof RetentionSettings, readonly [low: number, high: number, text: string]>> = {
  maxAgeMs: [1, millisecondsMax, "1..2^43"],
  maxBytes: [1, countMax, "1..2^53-1"],
  maxRecords: [1, countMax, "1..2^53-1"],
  intervalMs: [100, dayMs, "100..86400000"],
  cursorMaxLagBytes: [0, countMax, "0..2^53-1"],
  cursorMaxLagRecords: [0, countMax, "0..2^53-1"],
};

/** Adds every broken one to `problems`. @param input what was given as `retention` */
export function resolveRetention(input: unknown, problems: string[]): ResolvedRetention {
  const given = (input ?? {}) as Record<string, unknown>;
  if (typeof given !== "object" || Array.isArray(given)) {
    problems.push(`retention: got ${describe(input)}, want an object`);
    return resolveRetention(undefined, problems);
  }
  for (const [name, value] of Object.entries(given)) {
    const range = Object.hasOwn(ranges, name) ? ranges[name as keyof RetentionSettings] : undefined;
    if (range === undefined) problems.push(`retention.${name}: no such setting`);
    else if (value !== undefined && !isIntegerIn(value, range[0], range[1]))
      problems.push(`retention.${name}: got ${describe(value)}, want an integer in ${range[2]}`);
  }
  const { maxAgeMs, maxBytes, maxRecords, intervalMs, cursorMaxLagBytes, cursorMaxLagRecords } =
    given as RetentionSettings;
  return Object.freeze({
    maxAgeMs,
    maxBytes,
    maxRecords,
    intervalMs: intervalMs ?? 60_000,
    cursorMaxLagBytes,
    cursorMaxLagRecords,
  });
}

/** The log's time to live from its two spellings; undefined when there is none. */
export function resolveTtl(
  { ttlMs, ttlSeconds }: { readonly ttlMs?: number | undefined; readonly ttlSeconds?: number | undefined },
  problems: string[],
): number | undefined {
  if (ttlMs !== undefined && !isIntegerIn(ttlMs, 1, millisecondsMax))
    problems.push(`ttlMs: got ${String(ttlMs)}, want an integer in 1..2^43`);
  if (ttlSeconds !== undefined && !(Number.isFinite(ttlSeconds) && isIntegerIn(ttlSeconds * 1000, 1, millisecondsMax)))
    problems.push(`ttlSeconds: got ${String(ttlSeconds)}, want whole milliseconds, 0.001 or more`);
  if (ttlMs !== undefined && ttlSeconds !== undefined && ttlMs !== ttlSeconds * 1000)
    problems.push(`ttlSeconds: got ${String(ttlSeconds)}, which is not ttlMs (${String(ttlMs)}); give one of them`);
  return ttlMs ?? (ttlSeconds === undefined ? undefined : ttlSeconds * 1000);
}

function isIntegerIn(value: unknown, low: number, high: number): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= low && value <= high;
}

/**
 * Is this log well, and if not, what is to be done: a judgement over a snapshot, pure and the same for the same input.
 */
import type { AofErrorCode } from "./errors.ts";
import type { AofMetricsSnapshot } from "./metrics.ts";

/**
 * Everything that a health report can complain of, with what to do. Codes are API; messages may change in any release.
 */
export const healthReasonCodes = [
  // Nothing can be appended.
  "POISONED", // a write, sync or rename failed: look at `failure`, then close the log and open it again
  "FENCED", // a newer writer took the log over: stop this one
  "CLOSED", // the log was closed: open it again
  // It works, and an operator should look.
  "DISK_FULL", // something in the background found no space: free some before the next segment needs it
  "DISK_ERROR", // something in the background met a failing device or refused permission: look at the device
  "BACKGROUND_ERROR", // something else failed in the background: see `backgroundErrors`
  "FLUSH_FAILURES", // flushes failed lately: the device or the file system is failing
  "FLUSH_STALLED", // a flush has been under way for seconds: the device hangs
  // It works, and a setting or the load should change.
  "BACKPRESSURE", // appends were refused lately: raise `bufferBytes`, append less at once, or get a faster device
  "BUFFER_NEARLY_FULL", // appended bytes wait in memory: appends are about to be refused
  "READERS_NEAR_LIMIT", // close readers that nobody uses, or raise `maxReaders`
  "PREPARATION_LATE", // a segment was full before its successor was ready: lower `preAllocateThreshold` or raise `segmentSizeBytes`
] as const;

/** One of {@link healthReasonCodes}. */
export type HealthReasonCode = (typeof healthReasonCodes)[number];

/** `failed`: nothing can be appended. `degraded`: it works, and somebody should look. */
export type HealthStatus = "ok" | "degraded" | "failed";

/** One thing that is wrong. */
export interface HealthReason {
  readonly code: HealthReasonCode;
  readonly status: "degraded" | "failed";
  /** What was found. */
  readonly message: string;
  /** What to do about it. */
  readonly action: string;
  /** What was measured and where it begins to be wrong, when that is a number. */
  readonly value?: number;
  readonly limit?: number;
}

/** An error without its object: safe to log and to send. */
export interface HealthError {
  readonly code: AofErrorCode;
  readonly message: string;
}

/** What {@link assessHealth} judges. Plain data, so that it can be made by hand. */
export interface HealthSnapshot {
  readonly state: "open" | "poisoned" | "closing" | "closed";
  /** Why it is poisoned. */
  readonly failure: HealthError | undefined;
  readonly lastId: number;
  readonly writtenId: number;
  readonly durableId: number;
  /** The last failure of each kind of background task that has not succeeded since. */
  readonly backgroundErrors: Readonly<Record<string, HealthError>>;
  /** How long a flush has been under way without a break; undefined when none is. */
  readonly flushingForMs: number | undefined;
  readonly bufferBytes: number;
  readonly maxReaders: number;
  readonly metrics: AofMetricsSnapshot;
}

/** The answer of `log.health()`: plain JSON. */
export interface HealthReport {
  readonly status: HealthStatus;
  /** Worst first; empty when all is well. */
  readonly reasons: readonly HealthReason[];
  readonly state: HealthSnapshot["state"];
  readonly failure: HealthError | undefined;
  readonly backgroundErrors: Readonly<Record<string, HealthError>>;
  readonly lastId: number;
  readonly durableId: number;
  /** Records appended that a power loss would take now. */
  readonly durableLagRecords: number;
  /** Bytes appended that are not durable. */
  readonly pendingBytes: number;
  /** Bytes appended that are not written, which is what a kill of the process would take. */
  readonly bufferedBytes: number;
  /** Since the last successful flush ended; undefined before the first. */
  readonly lastFlushAgeMs: number | undefined;
  readonly flushingForMs: number | undefined;
  readonly openReaders: number;
}

/** What counts as "lately": an event stays in the report for so long. */
const recentUs = 60e6;
/** A rotation is rarer than a refused append. */
const recentRotationUs = 10 * 60e6;
/** Consumer disks take up to two seconds when they collect garbage; above this a device hangs rather than works. */
const stalledMs = 5000;
const nearlyFull = 0.8;
const nearLimit = 0.9;

/** Judges a snapshot; `log.health()` makes one and calls this. */
export function assessHealth(snapshot: HealthSnapshot): HealthReport {
  const reasons = checks.flatMap((check) => check(snapshot) ?? []);
  const isFailed = reasons.some(({ status }) => status === "failed");
  return {
    status: isFailed ? "failed" : reasons.length > 0 ? "degraded" : "ok",
    reasons: [...reasons.filter(({ status }) => status === "failed"), ...reasons.filter(isDegraded)],
    state: snapshot.state,
    failure: snapshot.failure,
    backgroundErrors: snapshot.backgroundErrors,
    lastId: snapshot.lastId,
    durableId: snapshot.durableId,
    durableLagRecords: snapshot.lastId - snapshot.durableId,
    pendingBytes: snapshot.metrics.flush.pendingBytes,
    bufferedBytes: snapshot.metrics.bufferedBytes,
    lastFlushAgeMs: inMs(snapshot.metrics.flush.lastFlushAgeUs),
    flushingForMs: snapshot.flushingForMs,
    openReaders: snapshot.metrics.openReaders,
  };
}

type Check = (snapshot: HealthSnapshot) => HealthReason | readonly HealthReason[] | undefined;

const checks: readonly Check[] = [
  checkState,
  checkBackground,
  checkFailures,
  checkStall,
  checkBackpressure,
  checkBuffer,
  checkReaders,
  checkPreparation,
];

function checkState({ state, failure }: HealthSnapshot): HealthReason | undefined {
  if (state === "closed") {
    return { code: "CLOSED", status: "failed", message: "the log is closed", action: "open it again" };
  }
  if (state !== "poisoned") return undefined;
  const message = `an earlier write failed (${failure?.code ?? "unknown"}: ${failure?.message ?? "no detail"})`;
  return failure?.code === "FENCED"
    ? { code: "FENCED", status: "failed", message, action: "stop this writer: a newer one has the log" }
    : {
        code: "POISONED",
        status: "failed",
        message,
        action: "mend the cause, then close the log and open it again, which recovers what is durable",
      };
}

const diskErrors: ReadonlySet<AofErrorCode> = new Set(["IO", "PERMISSION_DENIED", "FILESYSTEM"]);

function checkBackground({ backgroundErrors }: HealthSnapshot): HealthReason[] {
  return Object.entries(backgroundErrors)
    .filter(([task]) => task !== "flush") // which is the failure that the state is about
    .map(([task, { code, message }]): HealthReason => {
      const found = { status: "degraded", message: `${task}: ${code}: ${message}` } as const;
      if (code === "NO_SPACE") {
        return { code: "DISK_FULL", ...found, action: "free space: the next segment needs it" };
      }
      return diskErrors.has(code)
        ? { code: "DISK_ERROR", ...found, action: "look at the device and the directory's permissions" }
        : { code: "BACKGROUND_ERROR", ...found, action: "see the message; appending goes on" };
    });
}

function checkFailures({ metrics: { flush } }: HealthSnapshot): HealthReason | undefined {
  const failed = flush.failureLatency.lastMinute.count;
  if (failed === 0 && flush.consecutiveFailures === 0) return undefined;
  return {
    code: "FLUSH_FAILURES",
    status: "degraded",
    message: `${Math.max(failed, flush.consecutiveFailures)} flushes failed lately`,
    action: "look at the device; failures by code are in the flush metrics",
    value: Math.max(failed, flush.consecutiveFailures),
    limit: 0,
  };
}

function checkStall({ flushingForMs }: HealthSnapshot): HealthReason | undefined {
  if (flushingForMs === undefined || flushingForMs < stalledMs) return undefined;
  return {
    code: "FLUSH_STALLED",
    status: "degraded",
    message: `a flush has been under way for ${Math.round(flushingForMs)} ms`,
    action: "look at the device: it hangs, or something else keeps it busy",
    value: flushingForMs,
    limit: stalledMs,
  };
}

function checkBackpressure({ metrics }: HealthSnapshot): HealthReason | undefined {
  if (metrics.sinceBackpressureUs === undefined || metrics.sinceBackpressureUs > recentUs) return undefined;
  return {
    code: "BACKPRESSURE",
    status: "degraded",
    message: `appends were refused ${Math.round(metrics.sinceBackpressureUs / 1e6)} s ago, ${metrics.backpressureEvents} times since the start`,
    action: "raise bufferBytes, append less at once, or get a faster device; analyzeFlushes says which",
    value: metrics.backpressureEvents,
  };
}

function checkBuffer({ metrics, bufferBytes }: HealthSnapshot): HealthReason | undefined {
  const limit = bufferBytes * nearlyFull;
  if (metrics.bufferedBytes < limit) return undefined;
  return {
    code: "BUFFER_NEARLY_FULL",
    status: "degraded",
    message: `${metrics.bufferedBytes} of ${bufferBytes} bytes wait to be written`,
    action: "raise bufferBytes, or append less at once",
    value: metrics.bufferedBytes,
    limit,
  };
}

function checkReaders({ metrics, maxReaders }: HealthSnapshot): HealthReason | undefined {
  const limit = Math.ceil(maxReaders * nearLimit);
  if (metrics.openReaders < limit) return undefined;
  return {
    code: "READERS_NEAR_LIMIT",
    status: "degraded",
    message: `${metrics.openReaders} of ${maxReaders} readers are open`,
    action: "close readers that nobody uses, or raise maxReaders",
    value: metrics.openReaders,
    limit,
  };
}

function checkPreparation({ metrics }: HealthSnapshot): HealthReason | undefined {
  if (metrics.sinceLatePreparationUs === undefined || metrics.sinceLatePreparationUs > recentRotationUs)
    return undefined;
  return {
    code: "PREPARATION_LATE",
    status: "degraded",
    message: `a segment was full before its successor was ready, ${metrics.latePreparations} times since the start`,
    action: "lower preAllocateThreshold or raise segmentSizeBytes",
    value: metrics.latePreparations,
  };
}

function isDegraded({ status }: HealthReason): boolean {
  return status === "degraded";
}

function inMs(us: number | undefined): number | undefined {
  return us === undefined ? undefined : us / 1000;
}

/** Which segments the settings would drop now, and why. Pure. */
import { allExpireAtUs, type ExpiringRecords } from "./expiry.ts";
import type { ResolvedRetention } from "./retention-settings.ts";

/** Why a segment goes. `expired`: every record in it has. The others are the setting's name without `max`. */
export type RetentionReason = "expired" | "age" | "bytes" | "records";

/** A segment as the plan sees it. */
export interface PlannedSegment {
  readonly baseId: number;
  readonly lastId: number;
  /** The file's, or of header and records while it is not sealed. */
  readonly bytes: number;
  readonly isSealed: boolean;
  readonly lastTimestampUs: number;
  /** undefined: not known, so nothing goes for having expired. */
  readonly expiry: ExpiringRecords | undefined;
}

/** What is asked and known at one moment. */
export interface PlanInput {
  /** Oldest first; the active one last. */
  readonly segments: readonly PlannedSegment[];
  readonly firstId: number;
  readonly nowUs: number;
  readonly ttlUs: number;
  readonly limits: ResolvedRetention;
  /** Whether age and expiry count yet: not in the background before the clock has settled. */
  readonly byTime: boolean;
}

/** One segment that would go. */
export interface PlannedRemoval {
  readonly baseId: number;
  readonly lastId: number;
  readonly bytes: number;
  readonly reason: RetentionReason;
}

/** What would go, oldest first, without a gap. */
export interface RetentionPlan {
  readonly removals: readonly PlannedRemoval[];
  /** The active segment has nothing left that is worth keeping: the next append begins another. */
  readonly isActiveDone: boolean;
  readonly activeId: number;
}

export function planRetention(input: PlanInput): RetentionPlan {
  const { segments, firstId, limits } = input;
  const removals: PlannedRemoval[] = [];
  let bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const lastId = segments.at(-1)?.lastId ?? firstId - 1;
  for (const segment of segments.slice(0, -1)) {
    if (!segment.isSealed) break;
    const records = lastId - Math.max(firstId, segment.baseId) + 1;
    const reason =
      reasonOfTime(segment, input) ??
      (bytes > (limits.maxBytes ?? Number.POSITIVE_INFINITY) ? "bytes" : undefined) ??
      (records > (limits.maxRecords ?? Number.POSITIVE_INFINITY) ? "records" : undefined);
    if (reason === undefined) break;
    removals.push({ baseId: segment.baseId, lastId: segment.lastId, bytes: segment.bytes, reason });
    bytes -= segment.bytes;
  }
  const active = segments.at(-1);
  const isActiveDone =
    active !== undefined && active.lastId >= active.baseId && reasonOfTime(active, input) !== undefined;
  return { removals, isActiveDone, activeId: active?.baseId ?? 0 };
}

function reasonOfTime(segment: PlannedSegment, input: PlanInput): RetentionReason | undefined {
  const { nowUs, ttlUs, limits, byTime } = input;
  if (!byTime) return undefined;
  if (segment.expiry !== undefined && allExpireAtUs(segment.expiry, ttlUs) <= nowUs) return "expired";
  const { maxAgeMs } = limits;
  return maxAgeMs !== undefined && segment.lastTimestampUs + maxAgeMs * 1000 <= nowUs ? "age" : undefined;
}

/**
 * The rules of an analysis: each looks at the facts for one thing that costs time, and says which setting would help.
 * Pure, and independent of each other; a rule whose settings are unknown finds nothing.
 */
import type { FlushFacts } from "./flush-facts.ts";
import type { FlushAdvice, FlushFinding } from "./flush-finding.ts";

/** Looks for one thing. */
export type FlushRule = (facts: FlushFacts) => FlushFinding | undefined;

/** Flushes take so much of the time that they limit what can be appended. */
const busy = 0.5;
/** Appends refused in a thousand. */
const refusedShare = 0.001;

/** In no order: findings are ordered by weight. */
export const flushRules: readonly FlushRule[] = [
  findFailures,
  findBackpressure,
  findSmallBatches,
  findWaitingCallers,
  findBusyDevice,
  findSlowTail,
  findSlowdown,
  findBlockedLoop,
  findInterval,
  findRotation,
  findLatePreparation,
];

function findFailures({ failures, flushes }: FlushFacts): FlushFinding | undefined {
  if (failures === 0) return undefined;
  return {
    code: "FAILURES",
    weight: 1,
    message: `${failures} of ${failures + flushes} flushes failed. No setting helps: look at the device, then open the log again.`,
    numbers: { failures, flushes: failures + flushes },
    advice: [],
  };
}

function findBackpressure(facts: FlushFacts): FlushFinding | undefined {
  const { backpressureEvents, appends, triggers, bufferBytes, busyShare, strategy } = facts;
  const refused = backpressureEvents / Math.max(1, appends + backpressureEvents);
  // Under `async`, flushes for want of room are how it works; under the others one in a hundred is noticed.
  const forRoom = strategy?.kind === "async" ? 0 : triggers.backpressure / 10;
  const share = Math.max(refused, forRoom);
  if (share < refusedShare) return undefined;
  return {
    code: "BACKPRESSURE",
    weight: Math.min(0.95, 0.5 + share),
    message:
      `${backpressureEvents} appends were refused and ${percent(triggers.backpressure)} of the flushes begun for want of room: a larger bufferBytes rides out bursts` +
      (busyShare >= busy ? "; the device is busy as well, so a lasting load needs a faster one." : "."),
    numbers: { backpressureEvents, appends, backpressureShare: triggers.backpressure, busyShare },
    advice: upTo("bufferBytes", bufferBytes, 4, 2 ** 30),
  };
}

function findSmallBatches(facts: FlushFacts): FlushFinding | undefined {
  const { strategy, recordsPerFlush, busyShare, triggers } = facts;
  const { p50 = 0 } = recordsPerFlush;
  if (strategy === undefined || busyShare < busy || p50 === 0) return undefined;
  const numbers = { busyShare, recordsPerFlushP50: p50 };
  if (strategy.kind === "sync") {
    // Batches that the caller made are large enough.
    if (p50 > 2) return undefined;
    return {
      code: "SMALL_BATCHES",
      weight: busyShare,
      message:
        "Each append waits for a flush of its own. Where callers can wait together, appendDurable under batched-or-periodic shares them and promises the same.",
      numbers,
      advice: [{ setting: "flushStrategy.kind", direction: "change", value: "batched-or-periodic" }],
    };
  }
  if ("batchSize" in strategy && p50 >= strategy.batchSize * 0.9 && triggers.batched >= 0.5) {
    const { batchSize } = strategy;
    return {
      code: "SMALL_BATCHES",
      weight: busyShare,
      message: `Half of the flushes are full at ${p50} records while flushing takes ${percent(busyShare)} of the time: a larger batchSize pays for fewer of them.`,
      numbers: { ...numbers, batchSize },
      // Twice what was reached halves the number of flushes; more is for the next look to say.
      advice: moveBound(facts, "batchSize", "up", batchSize, Math.ceil(Math.max(batchSize, p50) * 2)),
    };
  }
  if ("intervalMs" in strategy && triggers.periodic >= 0.5) {
    const { intervalMs } = strategy;
    return {
      code: "SMALL_BATCHES",
      weight: busyShare,
      message: `A flush every ${intervalMs} ms takes ${percent(busyShare)} of the time: a longer intervalMs pays for fewer of them.`,
      numbers: { ...numbers, intervalMs },
      advice: moveBound(facts, "intervalMs", "up", intervalMs, intervalMs * 2),
    };
  }
  return undefined;
}

function findWaitingCallers({
  recordsPerFlush,
  busyShare,
  triggers,
  latency,
  flushOn,
}: FlushFacts): FlushFinding | undefined {
  const { p50 = 0 } = recordsPerFlush;
  const { p50: latencyP50 = 0 } = latency;
  if (triggers.forced < 0.5 || p50 === 0 || p50 > 2 || busyShare < busy) return undefined;
  // Below this the way through the thread pool is a large part of the flush.
  const isFast = latencyP50 < 300 && flushOn === "pool";
  return {
    code: "WAITING_CALLERS",
    weight: busyShare,
    message:
      `Callers wait one after another, ${p50} records to a flush. Let more of them wait at once, or append them by appendBatchDurable` +
      (isFast ? "; with one caller, flushOn main saves the way through the thread pool." : "."),
    numbers: { forcedShare: triggers.forced, recordsPerFlushP50: p50, latencyP50Us: latencyP50, busyShare },
    advice: isFast ? [{ setting: "flushOn", direction: "change", value: "main" }] : [],
  };
}

function findBusyDevice(facts: FlushFacts): FlushFinding | undefined {
  const { busyShare, bytes, latency, recordsPerFlush } = facts;
  // Without the strategy nobody can say that its bounds are not the reason.
  if (busyShare < busy || facts.strategy === undefined) return undefined;
  if (findSmallBatches(facts) !== undefined || findWaitingCallers(facts) !== undefined) return undefined;
  const bytesPerSecond = latency.sum === 0 ? 0 : (bytes / latency.sum) * 1e6;
  return {
    code: "DEVICE",
    weight: busyShare * 0.9,
    message: `The device is busy ${percent(busyShare)} of the time, and no bound makes its flushes small. No setting helps: a faster device, less data, or several logs on several devices do.`,
    numbers: { busyShare, bytesPerFlushSecond: bytesPerSecond, recordsPerFlushP50: recordsPerFlush.p50 ?? 0 },
    advice: [],
  };
}

function findSlowTail({ latency }: FlushFacts): FlushFinding | undefined {
  const { p50 = 0, p99 = 0, count } = latency;
  if (count < 100 || p99 < p50 * 10 || p99 < 10_000) return undefined;
  return {
    code: "SLOW_TAIL",
    weight: 0.45,
    message: `One flush in a hundred takes ${Math.round(p99)} µs, half take ${Math.round(p50)} µs or less: something else uses the device, or it pauses to clean up. No setting helps.`,
    numbers: { latencyP50Us: p50, latencyP99Us: p99 },
    advice: [],
  };
}

function findSlowdown({ window, latency, lifetimeLatency }: FlushFacts): FlushFinding | undefined {
  const { p50 = 0, count } = latency;
  const { p50: before = 0, count: all } = lifetimeLatency;
  // The window must be a small part of the life, or it would be compared with itself.
  if (window === "lifetime" || count < 20 || all < count * 4 || p50 < before * 2) return undefined;
  return {
    code: "SLOWER_THAN_BEFORE",
    weight: 0.6,
    message: `Half of the flushes now take over ${Math.round(p50)} µs, ${Math.round(before)} µs over the log's life: the device or its neighbours changed.`,
    numbers: { latencyP50Us: p50, lifetimeLatencyP50Us: before },
    advice: [],
  };
}

function findBlockedLoop({ flushOn, strategy, busyShare, latency }: FlushFacts): FlushFinding | undefined {
  if (flushOn !== "main" || strategy === undefined || strategy.kind === "sync" || busyShare < 0.2) return undefined;
  return {
    code: "BLOCKED_LOOP",
    weight: Math.min(0.9, busyShare + 0.2),
    message: `The event loop stands still ${percent(busyShare)} of the time, up to ${Math.round(latency.max ?? 0)} µs at once: flushOn pool lets it go on.`,
    numbers: { busyShare, latencyMaxUs: latency.max ?? 0 },
    advice: [{ setting: "flushOn", direction: "change", value: "pool" }],
  };
}

function findInterval(facts: FlushFacts): FlushFinding | undefined {
  const { strategy, triggers, busyShare, latency } = facts;
  if (strategy === undefined || !("intervalMs" in strategy) || triggers.periodic < 0.8 || busyShare > 0.1) {
    return undefined;
  }
  const meanUs = latency.mean ?? 0;
  const { intervalMs } = strategy;
  if (intervalMs < 2 || intervalMs * 1000 < meanUs * 20) return undefined;
  return {
    code: "INTERVAL",
    weight: 0.2,
    message: `A record waits up to ${intervalMs} ms for a flush of ${Math.round(meanUs)} µs. That is what was asked for; where records should be durable sooner, a shorter intervalMs costs little here.`,
    numbers: { intervalMs, latencyMeanUs: meanUs, periodicShare: triggers.periodic, busyShare },
    // Flushes then take a tenth of the time.
    advice: moveBound(facts, "intervalMs", "down", intervalMs, Math.max(1, Math.ceil(meanUs / 100))),
  };
}

function findRotation(facts: FlushFacts): FlushFinding | undefined {
  const { rotationsPerMinute, triggers, segmentSizeBytes, segmentMaxRecords, recordsPerSegment } = facts;
  // Beginning a segment costs some syncs: about as much as five flushes.
  if (rotationsPerMinute < 60 && triggers.rotation < 0.2) return undefined;
  const byCount = segmentMaxRecords !== undefined && recordsPerSegment >= segmentMaxRecords / 2;
  const unprepared = facts.preAllocateEnabled === false;
  return {
    code: "ROTATION",
    weight: Math.min(0.8, Math.max(triggers.rotation, rotationsPerMinute / 600)),
    message:
      `${Math.round(rotationsPerMinute)} segments a minute are begun, each with syncs of its own: larger segments need fewer.` +
      (unprepared ? " With preAllocateEnabled they are prepared in the background." : ""),
    numbers: { rotationsPerMinute, rotationShare: triggers.rotation, recordsPerSegment },
    advice: [
      ...(byCount
        ? upTo("segmentMaxRecords", segmentMaxRecords, 8, 2 ** 32 - 1)
        : upTo("segmentSizeBytes", segmentSizeBytes, 8, 2 ** 32)),
      ...(unprepared ? [{ setting: "preAllocateEnabled", direction: "change", value: "true" } as const] : []),
    ],
  };
}

function findLatePreparation(facts: FlushFacts): FlushFinding | undefined {
  const { latePreparations, latePreparationShare, rotationsPerMinute, preAllocateThreshold, segmentSizeBytes } = facts;
  // One in twenty: a single late one in a long life is an accident.
  if (latePreparations === 0 || latePreparationShare < 0.05) return undefined;
  const earlier = preAllocateThreshold === undefined ? {} : { value: Math.round(preAllocateThreshold * 50) / 100 };
  return {
    code: "LATE_PREPARATION",
    weight: 0.3,
    message: `${latePreparations} times a segment was full before its successor was ready, and the next record waited for it.`,
    numbers: { latePreparations, latePreparationShare, rotationsPerMinute },
    advice: [
      { setting: "preAllocateThreshold", direction: "down", ...earlier },
      ...upTo("segmentSizeBytes", segmentSizeBytes, 8, 2 ** 32),
    ],
  };
}

/** Advice to move a bound of the strategy; where the log tunes it by itself, only a range that is in the way is named. */
function moveBound(
  { autoTune }: FlushFacts,
  bound: "batchSize" | "intervalMs",
  direction: "up" | "down",
  now: number,
  wanted: number,
): FlushAdvice[] {
  const value = Math.min(2 ** 31 - 1, wanted);
  if (value === now) return [];
  const range = autoTune?.[bound];
  if (range === undefined) return [{ setting: `flushStrategy.${bound}`, direction, value }];
  const isInside = value >= range.min && value <= range.max;
  return isInside ? [] : [{ setting: `autoTune.${bound}`, direction, value }];
}

/** Advice to multiply a setting; none when it is as high as it goes. */
function upTo(setting: FlushAdvice["setting"], now: number | undefined, times: number, highest: number): FlushAdvice[] {
  if (now === undefined) return [{ setting, direction: "up" }];
  return now >= highest ? [] : [{ setting, direction: "up", value: Math.min(highest, now * times) }];
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

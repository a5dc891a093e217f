// Goal: an alert is raised once and cleared once, at the documented bounds; looks never overlap; nothing that a callback
// does can end the monitor, and the monitor keeps no process alive.
// Method: a log made of numbers on a manual clock, so that each look is decided; then a real log whose device fails.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { FlushController, FlushMetrics, resolveFlushStrategy } from "@varve/flush-metrics";
import { MemoryFileSystem } from "@varve/fs-core";
import { CrashableFileSystem, FaultPlan, FaultyFileSystem, ManualClock, SeededRandom } from "@varve/fs-core/testing";
import { describe, expect, test, vi } from "vitest";
import {
  Aof,
  type AlertEvent,
  type AofMetricsSnapshot,
  isAofError,
  monitor,
  type MonitorReport,
  type MonitorRule,
  type MonitorSettings,
} from "../src/index.ts";
import { logSettings, openOn } from "./support/log-harness.ts";

/** A log of which only the numbers exist. */
class Numbers {
  readonly clock = new ManualClock();
  readonly flushes = new FlushMetrics({}, { clock: this.clock });
  readonly #controller = new FlushController(resolveFlushStrategy({ kind: "async" }), {
    clock: this.clock,
    metrics: this.flushes,
  });
  cacheHits = 0;
  cacheMisses = 0;
  backpressureEvents = 0;

  flush(durationUs: number, isFine = true): void {
    this.#controller.recordAppend(1, 64);
    const token = this.#controller.begin("forced");
    this.clock.advance(durationUs / 1000);
    if (isFine) this.#controller.succeed(token);
    else this.#controller.fail(token, new Error("no"));
  }

  performanceMetrics(): AofMetricsSnapshot {
    return {
      totalAppends: 0,
      totalAppendedBytes: 0,
      totalReads: 0,
      cacheHits: this.cacheHits,
      cacheMisses: this.cacheMisses,
      cacheEvictions: 0,
      segmentsCreated: 1,
      segmentsFinalized: 0,
      backpressureEvents: this.backpressureEvents,
      duplicates: 0,
      readAheadBytes: 0,
      blockCacheHits: 0,
      blockCacheMisses: 0,
      blockCacheEvictions: 0,
      blockCacheBytes: 0,
      trimmedRecords: 0,
      trimmedSegments: 0,
      trimmedBytes: 0,
      cursors: 0,
      sinceBackpressureUs: undefined,
      latePreparations: 0,
      sinceLatePreparationUs: undefined,
      uptimeUs: this.clock.monotonicUs(),
      openReaders: 0,
      bufferedBytes: 0,
      flush: this.flushes.snapshot(),
    };
  }
}

function watch(log: Numbers, settings: Partial<MonitorSettings> = {}) {
  const events: AlertEvent[] = [];
  const reports: MonitorReport[] = [];
  const watching = monitor(
    log,
    { onAlert: (event) => void events.push(event), onReport: (report) => void reports.push(report), ...settings },
    { clock: log.clock },
  );
  return { watching, events, reports, said: () => events.map(({ type, rule }) => `${type} ${rule}`) };
}

describe("the default rules", () => {
  test("a look every minute, none before", async () => {
    const log = new Numbers();
    const { watching, reports } = watch(log);
    await log.clock.advanceAsync(59_999);
    expect(reports).toHaveLength(0);
    await log.clock.advanceAsync(1);
    expect(reports).toHaveLength(1);
    await log.clock.advanceAsync(120_000);
    expect(reports).toHaveLength(3);
    expect(watching.lastReport).toBe(reports[2]);
    await watching.close();
    expect(log.clock.pendingTimers).toBe(0);
    await log.clock.advanceAsync(600_000);
    expect(reports).toHaveLength(3);
  });

  test("success rate: 99 % is fine, less is not, and 99.5 % clears it", async () => {
    const log = new Numbers();
    const { watching, events, said } = watch(log);
    const look = async (fine: number, failed: number): Promise<void> => {
      for (let i = 0; i < fine; i++) log.flush(10);
      for (let i = 0; i < failed; i++) log.flush(10, false);
      await watching.check();
      log.clock.advance(120_000);
      await log.clock.advanceAsync(0);
    };
    await look(99, 1);
    expect(said()).toEqual([]);
    await look(98, 2);
    expect(events).toMatchObject([
      { type: "raised", rule: "flush-success-rate", value: 98, threshold: 99, durationMs: 0 },
    ]);
    expect(events[0]?.sinceUs).toBe(watching.lastReport?.alerts[0]?.sinceUs);
    await look(50, 50);
    await look(99, 1); // better than the bound, not yet good enough to clear
    expect(events).toHaveLength(1);
    await look(199, 1);
    expect(events).toHaveLength(2);
    expect(events[1]).toMatchObject({
      type: "cleared",
      rule: "flush-success-rate",
      value: 99.5,
      sinceUs: events[0]?.sinceUs,
    });
    expect(events[1]?.durationMs).toBeGreaterThan(240_000);
    await look(100, 0);
    expect(events).toHaveLength(2);
    expect(watching.lastReport?.alerts).toEqual([]);
    await watching.close();
  });

  test("without flushes an alert stays as it was", async () => {
    const log = new Numbers();
    const { watching, said } = watch(log);
    log.flush(10, false);
    await watching.check();
    log.clock.advance(200_000);
    await log.clock.advanceAsync(0);
    expect(watching.lastReport?.values.flushSuccessRate).toBeUndefined();
    expect(watching.lastReport?.alerts).toMatchObject([{ rule: "flush-success-rate", value: 0 }]);
    expect(said()).toEqual(["raised flush-success-rate"]);
    await watching.close();
  });

  test("P99 above 10 ms, of the last minute only", async () => {
    const log = new Numbers();
    const { watching, events, said } = watch(log, { intervalMs: 2 ** 31 - 1 });
    const look = async (durationUs: number): Promise<void> => {
      for (let i = 0; i < 50; i++) log.flush(durationUs);
      await watching.check();
      log.clock.advance(70_000);
    };
    await look(9900);
    expect(said()).toEqual([]);
    await look(12_000);
    await look(9800); // below the bound, above where it clears
    expect(said()).toEqual(["raised flush-latency-p99"]);
    expect(events[0]?.threshold).toBe(10_000);
    await look(1000);
    expect(said()).toEqual(["raised flush-latency-p99", "cleared flush-latency-p99"]);
    await watching.close();
  });

  test("the report has throughput, hit rate and refusals since the last one, as plain JSON", async () => {
    const log = new Numbers();
    log.cacheMisses = 100;
    log.backpressureEvents = 5;
    const { watching } = watch(log);
    log.cacheHits = 3;
    log.cacheMisses = 101;
    log.backpressureEvents = 7;
    log.flush(1000);
    await watching.check();
    const report = JSON.parse(JSON.stringify(watching.lastReport));
    expect(report.values).toMatchObject({ cacheHitRate: 75, backpressureEvents: 2, flushSuccessRate: 100 });
    expect(report.values.recordsPerSecond).toBeGreaterThan(0);
    await watching.check();
    expect(watching.lastReport?.values).toMatchObject({ cacheHitRate: undefined, backpressureEvents: 0 });
    await watching.close();
  });
});

test("a log that was closed and opened again under the same monitor counts anew, never below zero", async () => {
  const first = new Numbers();
  for (let i = 0; i < 50; i++) first.flush(10);
  Object.assign(first, { cacheHits: 40, cacheMisses: 60, backpressureEvents: 9 });
  let current = first;
  const reports: MonitorReport[] = [];
  const watching = monitor(
    { performanceMetrics: () => current.performanceMetrics() },
    { onAlert: () => {}, onReport: (report) => void reports.push(report) },
    { clock: first.clock },
  );
  current = new Numbers();
  for (let i = 0; i < 3; i++) current.flush(10);
  current.flush(10, false);
  Object.assign(current, { cacheHits: 3, cacheMisses: 1, backpressureEvents: 2 });
  await watching.check();
  expect(reports[0]?.values).toMatchObject({ flushSuccessRate: 75, cacheHitRate: 75, backpressureEvents: 2 });
  await watching.close();
});

describe("adaptive rules", () => {
  const rule: MonitorRule = { kind: "adaptive", name: "slow", value: "flushLatencyP99Us", warmUp: 10, floor: 500 };
  const run = async (latencies: readonly number[], changed: Partial<MonitorRule> = {}) => {
    const log = new Numbers();
    const { watching, events } = watch(log, {
      rules: [{ ...rule, ...changed } as MonitorRule],
      intervalMs: 2 ** 31 - 1,
    });
    const at: string[] = [];
    for (const [index, latency] of latencies.entries()) {
      log.flush(latency);
      await watching.check();
      while (at.length < events.length) at.push(`${events[at.length]?.type} ${index}`);
      log.clock.advance(70_000);
    }
    await watching.close();
    return { at, events };
  };
  const noisy = (count: number, mean: number): number[] => {
    const random = new SeededRandom(7);
    return Array.from({ length: count }, () => mean * (0.9 + 0.2 * random.next()));
  };

  test("learns first, raises on a spike, clears after it; the noise of the past is no alert", async () => {
    const { at, events } = await run([...noisy(40, 1000), 5000, ...noisy(5, 1000)]);
    expect(at).toEqual(["raised 40", "cleared 41"]);
    expect(events[0]?.threshold).toBeGreaterThan(1050);
    expect(events[0]?.threshold).toBeLessThan(2000);
  });

  test("raises nothing during the warm-up nor up to the floor", async () => {
    expect((await run([100, 9000, 100, 9000])).at).toEqual([]);
    expect((await run([...noisy(20, 50), 499, 50])).at).toEqual([]);
    expect((await run([...noisy(20, 50), 600, 50])).at).toEqual(["raised 20", "cleared 21"]);
  });

  test("a past without spread does not make the next microsecond an alert", async () => {
    expect((await run([...Array.from({ length: 20 }, () => 1000), 1050])).at).toEqual([]);
  });

  test("a lasting change is an alert, and accepted in the end", async () => {
    const { at } = await run([...noisy(20, 1000), ...noisy(60, 3000)]);
    expect(at).toHaveLength(2);
    expect(at[0]).toBe("raised 20");
    expect(Number(at[1]?.split(" ")[1])).toBeGreaterThan(23);
  });
});

describe("callbacks", () => {
  test("looks never overlap: the next one waits for a slow callback", async () => {
    const log = new Numbers();
    let release: () => void = () => {};
    let running = 0;
    let most = 0;
    const { watching } = watch(log, {
      intervalMs: 1000,
      onReport: async () => {
        most = Math.max(most, ++running);
        await new Promise<void>((resolve) => (release = resolve));
        running--;
      },
    });
    await log.clock.advanceAsync(10_000);
    const again = watching.check();
    await log.clock.advanceAsync(10_000);
    expect([running, most, log.clock.pendingTimers]).toEqual([1, 1, 0]);
    release();
    await log.clock.advanceAsync(0);
    release();
    await again;
    expect(most).toBe(1);
    await watching.close();
  });

  test("what they throw is reported and ends nothing", async () => {
    const log = new Numbers();
    const errors: unknown[] = [];
    const { watching } = watch(log, {
      onAlert: () => {
        throw new Error("pager is down");
      },
      onReport: () => Promise.reject(new Error("disk is full")),
      onError: (error) => void errors.push((error as Error).message),
    });
    log.flush(10, false);
    await log.clock.advanceAsync(60_000);
    expect(errors).toEqual(["pager is down", "disk is full"]);
    await log.clock.advanceAsync(60_000);
    expect(errors).toHaveLength(3);
    await watching.close();
  });

  test("without onError, and when onError throws, it is a warning", async () => {
    const warnings = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    try {
      const log = new Numbers();
      const fail = (message: string) => () => {
        throw new Error(message);
      };
      const one = watch(log, { onReport: fail("one") });
      await one.watching.check();
      await one.watching.close();
      const two = watch(log, { onReport: fail("two"), onError: fail("three") });
      await two.watching.check();
      await two.watching.close();
      expect(warnings.mock.calls.map(([text]) => /one|two|three/.exec(String(text))?.[0])).toEqual([
        "one",
        "three",
        "two",
      ]);
    } finally {
      warnings.mockRestore();
    }
  });

  test("a log that cannot answer is reported, and asked again", async () => {
    const log = new Numbers();
    const errors: unknown[] = [];
    const { watching, reports } = watch(log, { onError: (error) => void errors.push(error) });
    const asked = vi.spyOn(log, "performanceMetrics").mockImplementationOnce(() => {
      throw new Error("not now");
    });
    await log.clock.advanceAsync(60_000);
    expect([errors.length, reports.length]).toEqual([1, 0]);
    await log.clock.advanceAsync(60_000);
    expect([errors.length, reports.length]).toEqual([1, 1]);
    asked.mockRestore();
    await watching.close();
  });

  test("a signal ends it, before and during", async () => {
    const log = new Numbers();
    const abort = new AbortController();
    const { reports } = watch(log, { signal: abort.signal });
    const never = watch(log, { signal: AbortSignal.abort() });
    await log.clock.advanceAsync(60_000);
    abort.abort();
    await log.clock.advanceAsync(600_000);
    expect([reports.length, never.reports.length, log.clock.pendingTimers]).toEqual([1, 0, 0]);
  });
});

test("every broken setting is named", () => {
  const rules = [
    { kind: "threshold", name: "a", value: "flushSuccessRate" },
    { kind: "threshold", name: "a", value: "speed", above: 1, below: 2 },
    { kind: "threshold", name: "c", value: "openReaders", above: 5, clear: 6 },
    { kind: "adaptive", name: "d", value: "openReaders", deviations: 0, warmUp: 1, smoothing: 2, floor: Number.NaN },
    { kind: "health", name: "", at: "ok" },
    { kind: "guess", name: "f" },
    5,
  ] as unknown as MonitorRule[];
  try {
    monitor(new Numbers(), { intervalMs: 5, onAlert: 1 as never, rules });
    throw new Error("nothing was refused");
  } catch (error) {
    if (!isAofError(error)) throw error;
    expect(error.code).toBe("INVALID_ARGUMENT");
    expect(error.message.split("\n").map((line) => line.split(":")[0])).toEqual([
      "intervalMs",
      "onAlert",
      "rules[0].above",
      "rules[1].name",
      "rules[1].value",
      "rules[1].above",
      "rules[2].clear",
      "rules[3].deviations",
      "rules[3].warmUp",
      "rules[3].smoothing",
      "rules[3].floor",
      "rules[4].name",
      "rules[4].at",
      "rules[5].kind",
      "rules[6]",
    ]);
  }
});

describe("a real log", () => {
  test("a failed device raises the health alert and the success rate's, once each", async () => {
    const plan = new FaultPlan();
    const log = await openOn(new FaultyFileSystem(new CrashableFileSystem(), plan), {
      flushStrategy: { kind: "batched", batchSize: 1000 },
    });
    const events: AlertEvent[] = [];
    const watching = monitor(log, { onAlert: (event) => void events.push(event) });
    await log.appendDurable(new Uint8Array(8));
    await watching.check();
    expect(events).toEqual([]);
    plan.add({ operation: "sync", fault: { kind: "error", errno: "EIO" } });
    await expect(log.appendDurable(new Uint8Array(8))).rejects.toMatchObject({ code: "IO" });
    await watching.check();
    await watching.check();
    expect(events.map(({ type, rule, value }) => [type, rule, value])).toEqual([
      ["raised", "flush-success-rate", 0],
      ["raised", "health", "POISONED, FLUSH_FAILURES"],
    ]);
    await watching.close();
    await expect(log.close()).rejects.toMatchObject({ code: "IO" });
  });

  test("may be monitored after it was closed", async () => {
    const log = await Aof.open({ ...logSettings }, { fileSystem: new MemoryFileSystem() });
    await log.close();
    const events: AlertEvent[] = [];
    const watching = monitor(log, { onAlert: (event) => void events.push(event) });
    await watching.check();
    expect(events).toMatchObject([{ rule: "health", value: "CLOSED" }]);
    await watching.close();
  });

  test("a monitor that nobody closed lets the process end", async () => {
    const code = `
      import { monitor, Aof } from "@varve/aof";
      import { MemoryFileSystem } from "@varve/fs-core";
      const log = await Aof.open({ dir: "x", indexKind: "memory" }, { fileSystem: new MemoryFileSystem() });
      monitor(log, { onAlert() {} });
      await log.close();
      console.log("done");`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", code], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      timeout: 20_000,
    });
    expect(stdout.trim()).toBe("done");
  });
});

// Goal: a report of health complains exactly of what is wrong, says what to do, and a failure in the background is told
// to whoever listens without any listener being able to harm the log.
// Method: the judgement over snapshots made by hand, each with one thing wrong; then logs over a file system that fails.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { MemoryFileSystem } from "@varve/fs-core";
import { CrashableFileSystem, FaultPlan, FaultyFileSystem, ManualClock, SeededRandom } from "@varve/fs-core/testing";
import { describe, expect, test, vi } from "vitest";
import {
  Aof,
  aofChannels,
  type AofMetricsSnapshot,
  assessHealth,
  type BackgroundErrorEvent,
  type BackgroundErrorMessage,
  type HealthReasonCode,
  healthReasonCodes,
  type HealthReport,
  type HealthSnapshot,
} from "../src/index.ts";
import { logSettings, openOn } from "./support/log-harness.ts";

const codes = ({ reasons }: HealthReport): HealthReasonCode[] => reasons.map(({ code }) => code);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const healthyLog = async (): Promise<{ metrics: AofMetricsSnapshot }> => {
  const log = await openOn(new MemoryFileSystem());
  const metrics = log.performanceMetrics();
  await log.close();
  return { metrics };
};
const { metrics } = await healthyLog();

const healthy: HealthSnapshot = {
  state: "open",
  failure: undefined,
  lastId: 10,
  writtenId: 9,
  durableId: 7,
  backgroundErrors: {},
  flushingForMs: undefined,
  bufferBytes: 1000,
  maxReaders: 100,
  metrics,
};
const withMetrics = (changed: Partial<AofMetricsSnapshot>): HealthSnapshot => ({
  ...healthy,
  metrics: { ...metrics, ...changed },
});
const failures = (count: number): HealthSnapshot => {
  const { failureLatency } = metrics.flush;
  const lastMinute = { ...failureLatency.lastMinute, count };
  return withMetrics({ flush: { ...metrics.flush, failureLatency: { ...failureLatency, lastMinute } } });
};
const background = (task: string, code: "NO_SPACE" | "IO" | "INDEX"): HealthSnapshot => ({
  ...healthy,
  backgroundErrors: { [task]: { code, message: "why" } },
});

describe("assessHealth", () => {
  test("a log without trouble is ok, and its report is plain JSON", () => {
    const report = assessHealth(healthy);
    expect(report).toMatchObject({ status: "ok", reasons: [], durableLagRecords: 3, openReaders: 0 });
    expect(JSON.parse(JSON.stringify(report))).toMatchObject({ status: "ok", lastId: 10, durableId: 7 });
  });

  // Below each bound nothing, at it exactly one reason.
  const cases: readonly [HealthReasonCode, HealthSnapshot, HealthSnapshot | undefined][] = [
    [
      "POISONED",
      { ...healthy, state: "poisoned", failure: { code: "IO", message: "no" } },
      { ...healthy, state: "closing" },
    ],
    ["FENCED", { ...healthy, state: "poisoned", failure: { code: "FENCED", message: "no" } }, undefined],
    ["CLOSED", { ...healthy, state: "closed" }, undefined],
    ["DISK_FULL", background("preallocate", "NO_SPACE"), background("flush", "NO_SPACE")],
    ["DISK_ERROR", background("preallocate", "IO"), undefined],
    ["BACKGROUND_ERROR", background("index", "INDEX"), undefined],
    ["FLUSH_FAILURES", failures(1), failures(0)],
    ["FLUSH_STALLED", { ...healthy, flushingForMs: 5000 }, { ...healthy, flushingForMs: 4999 }],
    ["BACKPRESSURE", withMetrics({ sinceBackpressureUs: 60e6 }), withMetrics({ sinceBackpressureUs: 61e6 })],
    ["BUFFER_NEARLY_FULL", withMetrics({ bufferedBytes: 800 }), withMetrics({ bufferedBytes: 799 })],
    ["READERS_NEAR_LIMIT", withMetrics({ openReaders: 90 }), withMetrics({ openReaders: 89 })],
    ["PREPARATION_LATE", withMetrics({ sinceLatePreparationUs: 6e8 }), withMetrics({ sinceLatePreparationUs: 6.1e8 })],
  ];
  test.each(cases)("%s", (code, ill, well) => {
    const report = assessHealth(ill);
    expect(codes(report)).toEqual([code]);
    expect(report.status).toBe(["POISONED", "FENCED", "CLOSED"].includes(code) ? "failed" : "degraded");
    expect(report.reasons[0]?.action).toMatch(/\w{3}/);
    if (well !== undefined) expect(assessHealth(well).status).toBe("ok");
  });

  test("every code of the list can be reported", () => {
    expect(new Set(cases.map(([code]) => code))).toEqual(new Set(healthReasonCodes));
  });

  test("the worst comes first, and all of it is said", () => {
    const everything: HealthSnapshot = {
      ...withMetrics({ openReaders: 100, bufferedBytes: 1000 }),
      state: "poisoned",
      failure: { code: "IO", message: "gone" },
      flushingForMs: 9000,
    };
    expect(codes(assessHealth(everything))).toEqual([
      "POISONED",
      "FLUSH_STALLED",
      "BUFFER_NEARLY_FULL",
      "READERS_NEAR_LIMIT",
    ]);
  });
});

describe("log.health()", () => {
  test("tells an open log from a closed one, and knows lag and age", async () => {
    const clock = new ManualClock();
    const log = await Aof.open(
      { ...logSettings, flushStrategy: { kind: "batched", batchSize: 1000 } },
      { fileSystem: new MemoryFileSystem(), clock, random: new SeededRandom(1) },
    );
    expect(log.health()).toMatchObject({
      status: "ok",
      state: "open",
      durableLagRecords: 0,
      lastFlushAgeMs: undefined,
    });
    await log.appendDurable(new Uint8Array(8));
    log.append(new Uint8Array(8));
    clock.advance(250);
    const report = log.health();
    expect(report).toMatchObject({ status: "ok", durableLagRecords: 1, lastFlushAgeMs: 250 });
    expect(report.pendingBytes).toBeGreaterThan(8);
    expect(log.performanceMetrics().uptimeUs).toBe(250_000);
    await log.close();
    expect(codes(log.health())).toEqual(["CLOSED"]);
    expect(log.backgroundErrors.size, "closing is no failure").toBe(0);
  });

  test("readers near the limit", async () => {
    const log = await openOn(new MemoryFileSystem(), { maxReaders: 2 });
    await log.appendDurable(new Uint8Array(8));
    const readers = [log.readBatches({ follow: true }), log.readBatches({ follow: true })];
    for (const reader of readers) await reader.next();
    expect(codes(log.health())).toEqual(["READERS_NEAR_LIMIT"]);
    for (const reader of readers) await reader.return();
    expect(log.health().status).toBe("ok");
    await log.close();
  });

  test("backpressure is remembered for a minute", async () => {
    const clock = new ManualClock();
    const log = await Aof.open(
      { ...logSettings, flushStrategy: { kind: "batched", batchSize: 1e6 } },
      { fileSystem: new MemoryFileSystem(), clock, random: new SeededRandom(1) },
    );
    expect(() => {
      for (let i = 0; i < 10_000; i++) log.tryAppend(new Uint8Array(1000));
    }).toThrow(expect.objectContaining({ code: "WOULD_BLOCK" }));
    expect(codes(log.health())).toContain("BACKPRESSURE");
    await log.flush();
    expect(codes(log.health())).toContain("BACKPRESSURE");
    clock.advance(60_001);
    expect(codes(log.health())).not.toContain("BACKPRESSURE");
    await log.close();
  });

  test("a hanging device is seen while it hangs", async () => {
    const clock = new ManualClock();
    const plan = new FaultPlan();
    const fileSystem = new FaultyFileSystem(new MemoryFileSystem(), plan, { clock });
    const log = await Aof.open(
      { ...logSettings, flushStrategy: { kind: "batched", batchSize: 1000 } },
      { fileSystem, clock, random: new SeededRandom(1) },
    );
    const rule = plan.add({ operation: "sync", fault: { kind: "delay", ms: 20_000 } });
    const durable = log.appendDurable(new Uint8Array(8));
    while (rule.injected === 0) await turn();
    await clock.advanceAsync(6000);
    expect(log.health()).toMatchObject({ status: "degraded", flushingForMs: 6000 });
    expect(codes(log.health())).toEqual(["FLUSH_STALLED"]);
    await clock.advanceAsync(14_000);
    await durable;
    expect(log.health().status).toBe("ok");
    rule.remove();
    await log.close();
  });

  test("a poisoned log has failed, with the cause in its report", async () => {
    const plan = new FaultPlan();
    const log = await openOn(new FaultyFileSystem(new CrashableFileSystem(), plan), {
      flushStrategy: { kind: "batched", batchSize: 1000 },
    });
    const rule = plan.add({ operation: "sync", fault: { kind: "error", errno: "EIO" } });
    await expect(log.appendDurable(new Uint8Array(8))).rejects.toMatchObject({ code: "IO" });
    expect(rule.injected).toBe(1);
    expect(log.health()).toMatchObject({ status: "failed", state: "poisoned", failure: { code: "IO" } });
    expect(codes(log.health())).toEqual(["POISONED", "FLUSH_FAILURES"]);
    await expect(log.close()).rejects.toMatchObject({ code: "IO" });
  });

  test("a failed preparation counts until one succeeds", async () => {
    const plan = new FaultPlan();
    const log = await openOn(new FaultyFileSystem(new CrashableFileSystem(), plan), {
      flushStrategy: { kind: "batched", batchSize: 1 },
    });
    const rule = plan.add({ operation: "createFile", nth: 1, fault: { kind: "error", errno: "ENOSPC" } });
    while (log.backgroundErrors.size === 0) await log.appendDurable(new Uint8Array(100));
    expect(rule.injected).toBe(1);
    expect(codes(log.health())).toContain("DISK_FULL");
    while (codes(log.health()).includes("DISK_FULL")) await log.appendDurable(new Uint8Array(100));
    expect(log.backgroundErrors.get("preallocate"), "what happened stays known").toMatchObject({ code: "NO_SPACE" });
    await log.close();
  });
});

describe("onBackgroundError", () => {
  async function failInBackground(listen: (log: Aof) => void): Promise<Aof> {
    const plan = new FaultPlan();
    const log = await openOn(new FaultyFileSystem(new CrashableFileSystem(), plan), {
      flushStrategy: { kind: "batched", batchSize: 2 },
    });
    listen(log);
    plan.add({ operation: "sync", nth: 1, fault: { kind: "error", errno: "EIO" } });
    // No call of ours waits for these: without the event the failure would wait for the next append.
    log.append(new Uint8Array(8));
    log.append(new Uint8Array(8));
    while (log.state === "open") await turn();
    await turn();
    return log;
  }

  test("tells each listener once, until it ended, and the diagnostics channel", async () => {
    const first: BackgroundErrorEvent[] = [];
    const ended: BackgroundErrorEvent[] = [];
    const published: unknown[] = [];
    const subscriber = (message: unknown): void => void published.push(message);
    subscribe(aofChannels.backgroundError, subscriber);
    const log = await failInBackground((opened) => {
      opened.onBackgroundError((event) => void first.push(event));
      const end = opened.onBackgroundError((event) => void ended.push(event));
      end();
      end();
    });
    unsubscribe(aofChannels.backgroundError, subscriber);
    expect(first).toEqual([{ task: "flush", error: log.failure }]);
    expect(ended).toEqual([]);
    expect(published as BackgroundErrorMessage[]).toEqual([{ name: "default", task: "flush", error: log.failure }]);
    await expect(log.close()).rejects.toMatchObject({ code: "IO" });
    await turn();
    expect(first).toHaveLength(1);
  });

  test("a listener that throws or rejects becomes a warning; the next one is called all the same", async () => {
    const warnings = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    try {
      const after: BackgroundErrorEvent[] = [];
      const log = await failInBackground((opened) => {
        opened.onBackgroundError(() => {
          throw new Error("clumsy");
        });
        opened.onBackgroundError(async () => {
          await turn();
          throw new Error("late");
        });
        opened.onBackgroundError((event) => void after.push(event));
      });
      await turn();
      await turn();
      expect(after).toHaveLength(1);
      const said = warnings.mock.calls.map(([message]) => String(message));
      expect(said).toEqual([expect.stringContaining("clumsy"), expect.stringContaining("late")]);
      await expect(log.close()).rejects.toMatchObject({ code: "IO" });
    } finally {
      warnings.mockRestore();
    }
  });

  test("a listener may close the log", async () => {
    let closing: Promise<unknown> | undefined;
    const log = await failInBackground((opened) => {
      opened.onBackgroundError(() => {
        closing = opened.close().catch((error: unknown) => error);
      });
    });
    expect(await closing).toMatchObject({ code: "IO" });
    expect(log.state).toBe("closed");
  });

  test("a clean close tells nobody anything", async () => {
    const told: BackgroundErrorEvent[] = [];
    const log = await openOn(new MemoryFileSystem());
    log.onBackgroundError((event) => void told.push(event));
    await log.appendDurable(new Uint8Array(8));
    await log.close();
    await turn();
    expect(told).toEqual([]);
  });
});

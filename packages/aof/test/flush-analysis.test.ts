// Goal: an analysis names what costs time and the setting that would help, in the right direction, and says nothing
// where nothing stands out or where it cannot know. Method: histories made flush by flush on a manual clock, one for
// each finding and one just beside it; then real logs on devices of known slowness.
import {
  FlushController,
  FlushMetrics,
  type FlushStrategy,
  type FlushTrigger,
  resolveFlushStrategy,
} from "@varve/flush-metrics";
import { MemoryFileSystem } from "@varve/fs-core";
import { FaultPlan, FaultyFileSystem, ManualClock, SeededRandom } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import {
  Aof,
  type AofMetricsSnapshot,
  type AofSettings,
  analyzeFlushes,
  type FlushAnalysis,
  type FlushAnalysisInput,
  type FlushFindingCode,
  flushFindingCodes,
  formatFlushAnalysis,
  resolveAofSettings,
} from "../src/index.ts";
import { logSettings } from "./support/log-harness.ts";

/** The flushes of a log that never was. */
class History {
  readonly #clock = new ManualClock();
  readonly #metrics = new FlushMetrics({}, { clock: this.#clock });
  readonly #controller = new FlushController(resolveFlushStrategy({ kind: "async" }), {
    clock: this.#clock,
    metrics: this.#metrics,
  });
  #appends = 0;

  /** Flushes of `records` each that take `us` and are followed by `idleUs` of nothing. */
  flushes(count: number, records: number, us: number, trigger: FlushTrigger, idleUs = 0): this {
    for (let i = 0; i < count; i++) {
      this.#controller.recordAppend(records, records * 100);
      this.#appends += records;
      const token = this.#controller.begin(trigger);
      this.#clock.advance(us / 1000);
      this.#controller.succeed(token);
      this.#clock.advance(idleUs / 1000);
    }
    return this;
  }

  failure(): this {
    this.#controller.recordAppend(1, 100);
    const token = this.#controller.begin("forced");
    this.#clock.advance(1);
    this.#controller.fail(token, new Error("no"));
    return this;
  }

  idle(ms: number): this {
    this.#clock.advance(ms);
    return this;
  }

  input(settings?: Partial<AofSettings>, changed: Partial<AofMetricsSnapshot> = {}): FlushAnalysisInput {
    const metrics: AofMetricsSnapshot = {
      totalAppends: this.#appends,
      totalAppendedBytes: this.#appends * 100,
      totalReads: 0,
      cacheHits: 0,
      cacheMisses: 0,
      cacheEvictions: 0,
      segmentsCreated: 1,
      blockCacheHits: 0,
      blockCacheMisses: 0,
      blockCacheEvictions: 0,
      blockCacheBytes: 0,
      duplicates: 0,
      readAheadBytes: 0,
      segmentsFinalized: 0,
      backpressureEvents: 0,
      sinceBackpressureUs: undefined,
      latePreparations: 0,
      sinceLatePreparationUs: undefined,
      uptimeUs: this.#clock.monotonicUs(),
      trimmedRecords: 0,
      trimmedSegments: 0,
      trimmedBytes: 0,
      cursors: 0,
      openReaders: 0,
      bufferedBytes: 0,
      flush: this.#metrics.snapshot(),
      ...changed,
    };
    return settings === undefined
      ? { metrics }
      : { metrics, settings: resolveAofSettings({ dir: "log", ...settings }) };
  }
}

const batched = (batchSize: number): { flushStrategy: FlushStrategy } => ({
  flushStrategy: { kind: "batched", batchSize },
});
const periodic = (intervalMs: number): { flushStrategy: FlushStrategy } => ({
  flushStrategy: { kind: "periodic", intervalMs },
});
const codes = ({ findings }: FlushAnalysis): FlushFindingCode[] => findings.map(({ code }) => code);
const adviceOf = (analysis: FlushAnalysis, code: FlushFindingCode): unknown =>
  analysis.findings.find((finding) => finding.code === code)?.advice;

/** A device that is busy nine tenths of the time. */
const busy = (records: number, trigger: FlushTrigger): History =>
  new History().flushes(100, records, 900, trigger, 100);

interface Case {
  readonly code: FlushFindingCode;
  readonly name: string;
  readonly input: FlushAnalysisInput;
  /** The whole advice of the finding. */
  readonly advice: readonly unknown[];
  /** The same but for what makes the difference: the finding is not there. */
  readonly beside: FlushAnalysisInput;
}

const cases: readonly Case[] = [
  {
    code: "FAILURES",
    name: "a flush failed",
    input: new History().flushes(99, 10, 100, "batched").failure().input(batched(100)),
    advice: [],
    beside: new History().failure().idle(700_000).flushes(100, 10, 100, "batched", 10_000).input(batched(100)),
  },
  {
    code: "BACKPRESSURE",
    name: "one append in a thousand was refused",
    input: busy(10, "forced").input(batched(100), { backpressureEvents: 2 }),
    advice: [{ setting: "bufferBytes", direction: "up", value: 4 * 8 * 1024 * 1024 }],
    beside: busy(100, "forced").input(batched(100), { backpressureEvents: 2 }),
  },
  {
    code: "BACKPRESSURE",
    name: "the buffer is as large as it goes",
    input: busy(10, "backpressure").input({ ...batched(100), bufferBytes: 2 ** 30 }),
    advice: [],
    // Under async this is how flushes begin.
    beside: busy(10, "backpressure").input({ flushStrategy: { kind: "async" } }),
  },
  {
    code: "SMALL_BATCHES",
    name: "full batches keep the device busy",
    input: busy(100, "batched").input(batched(100)),
    advice: [{ setting: "flushStrategy.batchSize", direction: "up", value: 200 }],
    beside: new History().flushes(100, 100, 900, "batched", 9000).input(batched(100)),
  },
  {
    code: "SMALL_BATCHES",
    name: "the log tunes the bound itself, and its range is in the way",
    input: busy(100, "batched").input({ ...batched(100), autoTune: { batchSize: { min: 10, max: 150 } } }),
    advice: [{ setting: "autoTune.batchSize", direction: "up", value: 200 }],
    beside: busy(50, "batched").input(batched(100)),
  },
  {
    code: "SMALL_BATCHES",
    name: "the log tunes the bound itself, and will get there",
    input: busy(100, "batched").input({ ...batched(100), autoTune: { batchSize: { min: 10, max: 200 } } }),
    advice: [],
    beside: busy(100, "forced").input({ ...batched(100), autoTune: { batchSize: { min: 10, max: 200 } } }),
  },
  {
    code: "SMALL_BATCHES",
    name: "the interval is about as short as a flush",
    input: busy(100, "periodic").input(periodic(1)),
    advice: [{ setting: "flushStrategy.intervalMs", direction: "up", value: 2 }],
    beside: busy(100, "forced").input(periodic(1)),
  },
  {
    code: "SMALL_BATCHES",
    name: "each append has a flush of its own",
    input: busy(1, "sync").input({ flushStrategy: { kind: "sync" } }),
    advice: [{ setting: "flushStrategy.kind", direction: "change", value: "batched-or-periodic" }],
    // The caller makes batches.
    beside: busy(100, "sync").input({ flushStrategy: { kind: "sync" } }),
  },
  {
    code: "WAITING_CALLERS",
    name: "one caller on a fast device",
    input: new History().flushes(100, 1, 90, "forced", 10).input(batched(100)),
    advice: [{ setting: "flushOn", direction: "change", value: "main" }],
    beside: new History().flushes(100, 10, 90, "forced", 10).input(batched(100)),
  },
  {
    code: "WAITING_CALLERS",
    name: "one caller on a slow device",
    input: busy(1, "forced").input(batched(100)),
    advice: [],
    beside: busy(1, "batched").input(batched(1)),
  },
  {
    code: "DEVICE",
    name: "many waiting callers share each flush",
    input: busy(500, "forced").input(batched(100)),
    advice: [],
    // Without the settings nobody knows whether a bound is the reason.
    beside: busy(500, "forced").input(),
  },
  {
    code: "SLOW_TAIL",
    name: "two in a hundred take a hundred times as long",
    input: new History().flushes(98, 10, 500, "forced", 50_000).flushes(2, 10, 50_000, "forced").input(batched(100)),
    advice: [],
    beside: new History().flushes(98, 10, 500, "forced", 50_000).flushes(2, 10, 4900, "forced").input(batched(100)),
  },
  {
    code: "SLOWER_THAN_BEFORE",
    name: "twice as slow as most of its life",
    input: new History()
      .flushes(500, 10, 1000, "forced", 10_000)
      .idle(600_000)
      .flushes(100, 10, 2100, "forced", 10_000)
      .input(batched(100)),
    advice: [],
    // Most of its life is what is looked at.
    beside: new History()
      .flushes(100, 10, 1000, "forced", 10_000)
      .idle(600_000)
      .flushes(500, 10, 2100, "forced", 10_000)
      .input(batched(100)),
  },
  {
    code: "BLOCKED_LOOP",
    name: "the main thread stands still a third of the time",
    input: new History().flushes(100, 10, 1000, "forced", 2000).input({ ...batched(100), flushOn: "main" }),
    advice: [{ setting: "flushOn", direction: "change", value: "pool" }],
    beside: new History().flushes(100, 10, 1000, "forced", 2000).input({ ...batched(100), flushOn: "pool" }),
  },
  {
    code: "INTERVAL",
    name: "a record waits a second for a flush of a millisecond",
    input: new History().flushes(50, 10, 1000, "periodic", 1_000_000).input(periodic(1000)),
    advice: [{ setting: "flushStrategy.intervalMs", direction: "down", value: 10 }],
    beside: new History().flushes(50, 10, 1000, "periodic", 15_000).input(periodic(15)),
  },
  {
    code: "ROTATION",
    name: "a hundred segments a minute",
    input: new History()
      .flushes(100, 10, 1000, "forced", 60_000)
      .idle(60_000)
      .input({ ...batched(100), segmentSizeBytes: 4096 }, { segmentsCreated: 201 }),
    advice: [{ setting: "segmentSizeBytes", direction: "up", value: 32768 }],
    beside: new History()
      .flushes(100, 10, 1000, "forced", 60_000)
      .idle(60_000)
      .input({ ...batched(100), segmentSizeBytes: 4096 }, { segmentsCreated: 61 }),
  },
  {
    code: "ROTATION",
    name: "segments end by their count, and none is prepared",
    input: new History()
      .flushes(100, 10, 1000, "rotation", 60_000)
      .input({ ...batched(100), segmentMaxRecords: 10, preAllocateEnabled: false }, { segmentsCreated: 101 }),
    advice: [
      { setting: "segmentMaxRecords", direction: "up", value: 80 },
      { setting: "preAllocateEnabled", direction: "change", value: "true" },
    ],
    beside: new History().flushes(100, 10, 1000, "forced", 60_000).input({ ...batched(100), segmentMaxRecords: 10 }),
  },
  {
    code: "LATE_PREPARATION",
    name: "one segment in ten was not ready",
    input: new History()
      .flushes(100, 10, 1000, "forced", 60_000)
      .input({ ...batched(100), preAllocateThreshold: 0.5 }, { segmentsCreated: 11, latePreparations: 1 }),
    advice: [
      { setting: "preAllocateThreshold", direction: "down", value: 0.25 },
      { setting: "segmentSizeBytes", direction: "up", value: 512 * 1024 * 1024 },
    ],
    beside: new History()
      .flushes(100, 10, 1000, "forced", 60_000)
      .input(batched(100), { segmentsCreated: 101, latePreparations: 1 }),
  },
];

describe("findings", () => {
  test.each(cases)("$code: $name", ({ code, input, advice, beside }) => {
    const analysis = analyzeFlushes(input);
    const finding = analysis.findings.find((one) => one.code === code);
    expect(finding, JSON.stringify(analysis)).toBeDefined();
    expect(finding?.advice).toEqual(advice);
    expect(finding?.weight).toBeGreaterThan(0);
    expect(finding?.weight).toBeLessThanOrEqual(1);
    expect(Object.values(finding?.numbers ?? {}).every(Number.isFinite)).toBe(true);
    expect(codes(analyzeFlushes(beside))).not.toContain(code);
  });

  test("every code of the list can be found", () => {
    expect(new Set(cases.map(({ code }) => code))).toEqual(new Set(flushFindingCodes));
  });

  test("advice that is followed is accepted by a log", () => {
    for (const { input } of cases) {
      for (const { advice } of analyzeFlushes(input).findings) {
        for (const { setting, value } of advice) {
          if (value === undefined || input.settings === undefined) continue;
          const [name = "", bound] = setting.split(".");
          const old = input.settings[name as "flushStrategy"];
          const next =
            bound === "kind"
              ? { kind: value, batchSize: 100, intervalMs: 1000 }
              : bound === undefined
                ? value === "true" || value
                : name === "autoTune"
                  ? { ...old, [bound]: { min: 1, max: value } }
                  : { ...old, [bound]: value };
          const base = name === "autoTune" ? { flushStrategy: input.settings.flushStrategy } : {};
          expect(() => resolveAofSettings({ dir: "log", ...base, [name]: next }), setting).not.toThrow();
        }
      }
    }
  });

  test("a bound that is as high as it goes is not advised, and without settings no value is", () => {
    const highest = analyzeFlushes(busy(100, "periodic").input(periodic(2 ** 31 - 1)));
    expect(adviceOf(highest, "SMALL_BATCHES")).toEqual([]);
    const unknown = analyzeFlushes(busy(10, "forced").input(undefined, { backpressureEvents: 2 }));
    expect(adviceOf(unknown, "BACKPRESSURE")).toEqual([{ setting: "bufferBytes", direction: "up" }]);
  });

  test("an interval of a millisecond is never advised to be zero", () => {
    const analysis = analyzeFlushes(new History().flushes(50, 1, 40, "periodic", 1000).input(periodic(1)));
    expect(codes(analysis)).toEqual([]);
  });
});

describe("analyzeFlushes", () => {
  test("nothing was flushed", () => {
    const analysis = analyzeFlushes(new History().input());
    expect(analysis).toMatchObject({ window: "lifetime", findings: [], verdict: "Nothing was flushed yet." });
    expect(analysis.windows.lifetime).toMatchObject({ flushes: 0, latencyP99Us: undefined, busyShare: 0 });
  });

  test("nothing stands out", () => {
    const analysis = analyzeFlushes(new History().flushes(100, 10, 500, "forced", 20_000).input(batched(100)));
    expect(analysis.findings).toEqual([]);
    expect(analysis.verdict).toMatch(/^100 flushes \(last minute\): nothing stands out/);
  });

  test("looks at the shortest window that has enough in it", () => {
    const history = new History().flushes(30, 10, 500, "forced");
    expect(analyzeFlushes(history.input()).window).toBe("lastMinute");
    expect(analyzeFlushes(history.idle(120_000).input()).window).toBe("lastTenMinutes");
    expect(analyzeFlushes(history.idle(700_000).input()).window).toBe("lifetime");
    const { windows } = analyzeFlushes(history.input());
    expect(windows.lifetime).toMatchObject({ flushes: 30, records: 300, bytes: 30_000 });
    expect(windows.lastMinute.flushes).toBe(0);
  });

  test("the heaviest comes first and is the verdict; all of it is plain JSON and text", () => {
    const input = busy(100, "batched").failure().input(batched(100), { segmentsCreated: 11, latePreparations: 5 });
    const analysis = analyzeFlushes(input);
    expect(codes(analysis)).toEqual(["FAILURES", "SMALL_BATCHES", "LATE_PREPARATION"]);
    expect(analysis.verdict).toContain("FAILURES");
    expect(JSON.parse(JSON.stringify(analysis))).toMatchObject({ verdict: analysis.verdict, findings: [{}, {}, {}] });
    // A stored snapshot says the same as a live one.
    const stored = JSON.parse(JSON.stringify(input)) as FlushAnalysisInput;
    expect(codes(analyzeFlushes(stored))).toEqual(codes(analysis));
    const lines = formatFlushAnalysis(analysis).split("\n");
    expect(lines[0]).toBe(analysis.verdict);
    expect(lines).toContain("  move up flushStrategy.batchSize (try 200)");
    expect(
      lines.filter((line) => /^(last minute|last ten minutes|since the start) +\d+ flushes/.test(line)),
    ).toHaveLength(3);
    expect(lines.join("\n")).not.toMatch(/undefined|NaN|\n$/);
  });
});

describe("a real log", () => {
  /** A log whose device takes `syncMs` for a sync, on a manual clock. */
  async function withDevice(
    syncMs: number,
    settings: Partial<AofSettings>,
    work: (log: Aof, clock: ManualClock) => Promise<void>,
  ): Promise<{ analysis: FlushAnalysis; text: string }> {
    const clock = new ManualClock();
    const plan = new FaultPlan();
    const fileSystem = new FaultyFileSystem(new MemoryFileSystem(), plan, { clock });
    const log = await Aof.open(
      { ...logSettings, segmentSizeBytes: 2 ** 20, ...settings },
      { fileSystem, clock, random: new SeededRandom(1) },
    );
    const rule = plan.add({ operation: "sync", fault: { kind: "delay", ms: syncMs } });
    await work(log, clock);
    const analysis = analyzeFlushes(log);
    rule.remove();
    await log.close();
    return { analysis, text: formatFlushAnalysis(analysis) };
  }

  /** Advances the clock until `done` has resolved. */
  async function runUntil(clock: ManualClock, done: Promise<unknown>, stepMs: number): Promise<void> {
    let isDone = false;
    void done.then(() => {
      isDone = true;
    });
    for (let steps = 0; !isDone; steps++) {
      expect(steps).toBeLessThan(100_000);
      await clock.advanceAsync(stepMs);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  test("one caller after another on a slow device: let more of them wait at once", async () => {
    const { analysis, text } = await withDevice(5, batched(1000), async (log, clock) => {
      for (let i = 0; i < 30; i++) await runUntil(clock, log.appendDurable(new Uint8Array(50)), 1);
    });
    expect(codes(analysis)[0], text).toBe("WAITING_CALLERS");
    expect(adviceOf(analysis, "WAITING_CALLERS")).toEqual([]);
    expect(analysis.windows.lifetime.latencyP50Us).toBeGreaterThan(4900);
  });

  test("batches that are full all the time: a larger batchSize", async () => {
    const { analysis, text } = await withDevice(5, batched(10), async (log, clock) => {
      for (let i = 0; i < 40; i++) {
        for (let n = 0; n < 10; n++) log.append(new Uint8Array(50));
        await runUntil(clock, log.whenDurable(log.lastId), 1);
      }
    });
    expect(codes(analysis)[0], text).toBe("SMALL_BATCHES");
    expect(adviceOf(analysis, "SMALL_BATCHES")).toEqual([
      { setting: "flushStrategy.batchSize", direction: "up", value: 20 },
    ]);
  });

  test("a trickle under a long interval: a shorter one costs little", async () => {
    const { analysis, text } = await withDevice(1, periodic(1000), async (log, clock) => {
      for (let i = 0; i < 30; i++) {
        log.append(new Uint8Array(50));
        await runUntil(clock, log.whenDurable(log.lastId), 50);
      }
    });
    expect(codes(analysis), text).toEqual(["INTERVAL"]);
    expect(adviceOf(analysis, "INTERVAL")).toEqual([
      { setting: "flushStrategy.intervalMs", direction: "down", value: expect.any(Number) },
    ]);
  });
});

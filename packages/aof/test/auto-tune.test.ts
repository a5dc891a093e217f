// Goal: tuning stays within its bounds, finds a good one for fast and slow devices, stands still once it has, and does
// not mistake noise for a reason to move.
// Method: single steps by hand; then the real tuner and the real flush controller over a simulated device on a manual
// clock, whose flushes cost a fixed part and a part per record, with seeded noise; then a real log.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { FlushController, FlushMetrics, type FlushStrategy, resolveFlushStrategy } from "@varve/flush-metrics";
import { MemoryFileSystem } from "@varve/fs-core";
import { ManualClock, SeededRandom } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import { AutoTuner } from "../src/auto-tuner.ts";
import {
  Aof,
  aofChannels,
  type AutoTuneSettings,
  isAofError,
  resolveAofSettings,
  type TunedMessage,
  type TuningObservation,
} from "../src/index.ts";
import { nextTuning, type TuningState } from "../src/tuning-step.ts";
import { logSettings } from "./support/log-harness.ts";

const seed = 20_261_125;

interface Device {
  /** Microseconds of a flush of nothing, and of each record in it. */
  readonly fixedUs: number;
  readonly perRecordUs: number;
  /** Each flush takes up to this share more or less. */
  readonly noise: number;
}

interface Simulation {
  readonly values: number[];
  readonly busyShare: number;
  readonly p99Us: number;
}

/** Appends at `perSecond(seconds)` until the time is over; the last third of the time is what is reported. */
function simulate(
  strategy: FlushStrategy,
  autoTune: AutoTuneSettings,
  device: Device,
  perSecond: (seconds: number) => number,
  totalSeconds = 240,
): Simulation {
  const settings = resolveAofSettings({ dir: "x", flushStrategy: strategy, autoTune: { everyMs: 1000, ...autoTune } });
  const clock = new ManualClock();
  const random = new SeededRandom(seed);
  const metrics = new FlushMetrics({}, { clock });
  const controller = new FlushController(resolveFlushStrategy(strategy), { clock, metrics });
  if (settings.autoTune === undefined) throw new Error("nothing to tune");
  const tuner = new AutoTuner(settings.autoTune, { clock, controller });
  const value = (): number =>
    "batchSize" in controller.strategy
      ? controller.strategy.batchSize
      : (controller.strategy as { intervalMs: number }).intervalMs;
  const noise = (): number => 1 + device.noise * (2 * random.next() - 1);
  const values: number[] = [];
  let owed = 0;
  let settledUs = 0;
  let settledAtUs: number | undefined;
  const append = (ms: number): void => {
    owed += (perSecond(clock.monotonicUs() / 1e6) * ms) / 1000;
    clock.advance(ms);
    const whole = Math.floor(owed);
    owed -= whole;
    if (whole > 0) controller.recordAppend(whole, whole * 64);
  };
  while (clock.monotonicUs() < totalSeconds * 1e6) {
    const due = controller.shouldFlush() ?? (controller.dueInMs() === 0 ? "periodic" : undefined);
    if (due === undefined) {
      const rate = perSecond(clock.monotonicUs() / 1e6) / 1000;
      const missing =
        "batchSize" in controller.strategy ? controller.strategy.batchSize - controller.pendingRecords : 1;
      append(Math.max(0.01, Math.min(controller.dueInMs() ?? 10, missing / rate)));
      continue;
    }
    const token = controller.begin(due);
    const us = (device.fixedUs + device.perRecordUs * token.records) * noise();
    append(us / 1000);
    controller.succeed(token);
    tuner.afterWrite();
    if (clock.monotonicUs() < (totalSeconds * 1e6 * 2) / 3) continue;
    settledAtUs ??= clock.monotonicUs();
    settledUs += us;
    values.push(value());
  }
  const { p99 } = metrics.flushLatency.summary("lastMinute");
  metrics.close();
  return { values, busyShare: settledUs / (clock.monotonicUs() - (settledAtUs ?? 0)), p99Us: p99 ?? 0 };
}

const highest = ({ values }: Simulation): number => values.reduce((one, other) => Math.max(one, other));
const lowest = ({ values }: Simulation): number => values.reduce((one, other) => Math.min(one, other));
const spread = (found: Simulation): number => highest(found) / lowest(found);

describe("simulated devices", () => {
  const range = { min: 1, max: 10_000 };
  const devices: readonly (readonly [name: string, fixedUs: number, targetP99Us: number])[] = [
    ["0.1 ms", 100, 10_000],
    ["1 ms", 1000, 10_000],
    ["10 ms", 10_000, 30_000],
  ];

  describe.each(devices)("a sync of %s", (_, fixedUs, targetP99Us) => {
    const device = { fixedUs, perRecordUs: 0.5, noise: 0.2 };
    test.each([1000, 20_000])(
      "%i records a second: the device is neither busy nor idle, and it stands still",
      (rate) => {
        for (const batchSize of [1, 100, 10_000]) {
          const found = simulate({ kind: "batched", batchSize }, { batchSize: range, targetP99Us }, device, () => rate);
          expect(lowest(found)).toBeGreaterThanOrEqual(range.min);
          expect(highest(found)).toBeLessThanOrEqual(range.max);
          expect(spread(found), `from ${batchSize}, seed ${seed}`).toBeLessThanOrEqual(1.5);
          // At one record a flush there is nothing left to shrink.
          if (highest(found) > 1) expect(found.busyShare).toBeGreaterThan(0.2);
          expect(found.busyShare).toBeLessThan(0.8);
          expect(found.p99Us).toBeLessThanOrEqual(targetP99Us);
        }
      },
    );
  });

  test("a load that comes and goes: it follows, within its bounds, and settles again", () => {
    const device = { fixedUs: 1000, perRecordUs: 0.5, noise: 0.2 };
    const load = (seconds: number): number => (seconds < 80 ? 50_000 : seconds < 160 ? 500 : 50_000);
    const found = simulate({ kind: "batched", batchSize: 100 }, { batchSize: range }, device, load, 300);
    expect(spread(found)).toBeLessThanOrEqual(1.5);
    expect(found.busyShare).toBeGreaterThan(0.2);
    expect(found.busyShare).toBeLessThan(0.8);
  });

  test("an interval is tuned like a batch", () => {
    const device = { fixedUs: 10_000, perRecordUs: 0.5, noise: 0.2 };
    for (const intervalMs of [1, 1000]) {
      const found = simulate(
        { kind: "periodic", intervalMs },
        { intervalMs: { min: 1, max: 1000 }, targetP99Us: 30_000 },
        device,
        () => 5000,
      );
      expect(spread(found)).toBeLessThanOrEqual(1.5);
      expect(found.busyShare).toBeGreaterThan(0.2);
      expect(found.busyShare).toBeLessThan(0.8);
    }
  });

  test("a latency that follows the batch is brought below its target", () => {
    const device = { fixedUs: 1000, perRecordUs: 10, noise: 0.1 };
    const found = simulate(
      { kind: "batched", batchSize: 5000 },
      { batchSize: range, targetP99Us: 5000 },
      device,
      () => 20_000,
    );
    expect(found.p99Us).toBeLessThanOrEqual(5000);
    expect(highest(found)).toBeLessThan(400);
    expect(spread(found)).toBeLessThanOrEqual(1.5);
  });

  test("a target that the device cannot reach does not cost the throughput", () => {
    const device = { fixedUs: 10_000, perRecordUs: 0.1, noise: 0.1 };
    const found = simulate(
      { kind: "batched", batchSize: 500 },
      { batchSize: range, targetP99Us: 1000 },
      device,
      () => 20_000,
    );
    expect(found.busyShare).toBeLessThan(0.9);
    expect(lowest(found)).toBeGreaterThan(150);
    expect(spread(found)).toBeLessThanOrEqual(1.5);
  });

  test("no bound is ever left, whatever the device does", () => {
    for (const fixedUs of [10, 1000, 100_000]) {
      const found = simulate(
        { kind: "batched", batchSize: 70 },
        { batchSize: { min: 50, max: 90 } },
        { fixedUs, perRecordUs: 1, noise: 0.9 },
        (seconds) => 1000 + 20_000 * (Math.floor(seconds / 7) % 2),
        60,
      );
      expect(lowest(found)).toBeGreaterThanOrEqual(50);
      expect(highest(found)).toBeLessThanOrEqual(90);
    }
  });
});

describe("one step", () => {
  const range = { min: 10, max: 1000 };
  const calm: TuningObservation = { busyShare: 0.5, meanUs: 1000, p99Us: 1500, recordsPerFlushSecond: 1e5, reached: 0 };
  const step = (state: TuningState, changed: Partial<TuningObservation>, target = 10_000): TuningState =>
    nextTuning(state, { ...calm, ...changed }, range, target);

  test("in the dead band nothing moves", () => {
    const state = { value: 100 };
    for (const busyShare of [0.31, 0.5, 0.69]) expect(step(state, { busyShare })).toBe(state);
  });

  test("a busy device: grow by half; an idle one: shrink by a fifth; never beyond the range", () => {
    expect(step({ value: 100 }, { busyShare: 0.7 }).value).toBe(150);
    expect(step({ value: 900 }, { busyShare: 1 }).value).toBe(1000);
    expect(step({ value: 1000 }, { busyShare: 1 }).value).toBe(1000);
    expect(step({ value: 100 }, { busyShare: 0.3 }).value).toBe(80);
    expect(step({ value: 11 }, { busyShare: 0 }).value).toBe(10);
    expect(step({ value: 10 }, { busyShare: 0 }).value).toBe(10);
  });

  test("a bound that flushes reach beyond anyway is taken to where it matters", () => {
    expect(step({ value: 100 }, { busyShare: 1, reached: 300 }).value).toBe(450);
    expect(step({ value: 100 }, { busyShare: 1, reached: 300, p99Us: 7000 }).value).toBe(100);
  });

  test("growth that does not pay is taken back, and not tried again until flushes take another time", () => {
    const grown = step({ value: 100 }, { busyShare: 0.9 });
    const back = step(grown, { busyShare: 0.9, recordsPerFlushSecond: 1.1e5 });
    expect(back.value).toBe(100);
    expect(step(back, { busyShare: 0.9 }).value).toBe(100);
    expect(step(back, { busyShare: 0.9, meanUs: 2500, p99Us: 3000 }).value).toBe(150);
  });

  test("growth is not tried when it could break the latency target", () => {
    expect(step({ value: 100 }, { busyShare: 0.9, p99Us: 6000 }).value).toBe(150);
    expect(step({ value: 100 }, { busyShare: 0.9, p99Us: 7000 }).value).toBe(100);
  });

  test("a latency that does not follow is given up after three steps, and the value comes back", () => {
    let state: TuningState = { value: 1000 };
    const late = { busyShare: 0.5, meanUs: 15_000, p99Us: 20_000 };
    const values = Array.from({ length: 6 }, () => (state = step(state, late)).value);
    expect(values).toEqual([800, 640, 512, 1000, 1000, 1000]);
  });
});

describe("settings", () => {
  const refusal = (autoTune: unknown, flushStrategy: FlushStrategy = { kind: "batched", batchSize: 100 }): string[] => {
    try {
      resolveAofSettings({ dir: "x", flushStrategy, autoTune: autoTune as AutoTuneSettings });
    } catch (error) {
      if (isAofError(error) && error.code === "INVALID_SETTINGS") return error.message.split("\n");
      throw error;
    }
    return [];
  };

  test("defaults are the documented ones", () => {
    const { autoTune } = resolveAofSettings({ dir: "x", autoTune: { batchSize: { min: 10, max: 1000 } } });
    expect(autoTune).toEqual({
      batchSize: { min: 10, max: 1000 },
      intervalMs: undefined,
      targetP99Us: 10_000,
      everyMs: 10_000,
    });
    expect(resolveAofSettings({ dir: "x" }).autoTune).toBeUndefined();
  });

  test.each([
    [5, "autoTune"],
    [{}, "autoTune"],
    [{ batchSize: { min: 0, max: 100 } }, "autoTune.batchSize"],
    [{ batchSize: { min: 200, max: 100 } }, "autoTune.batchSize"],
    [{ batchSize: { min: 1, max: 99 } }, "autoTune.batchSize"],
    [{ batchSize: [1, 100] }, "autoTune.batchSize"],
    [{ intervalMs: { min: 1, max: 10 } }, "autoTune.intervalMs"],
    [{ batchSize: { min: 1, max: 100 }, targetP99Us: 0 }, "autoTune.targetP99Us"],
    [{ batchSize: { min: 1, max: 100 }, everyMs: 10 }, "autoTune.everyMs"],
    [{ batchSize: { min: 1, max: 100 }, speed: 1 }, "autoTune.speed"],
  ])("%j is refused by name", (autoTune, name) => {
    expect(refusal(autoTune).map((line) => line.split(":")[0])).toEqual([name]);
  });

  test("strategies without bounds have nothing to tune", () => {
    for (const kind of ["sync", "async"] as const) {
      expect(refusal({ batchSize: { min: 1, max: 10 } }, { kind })).toEqual([
        `autoTune.batchSize: the strategy "${kind}" has no batchSize`,
      ]);
    }
  });
});

describe("a log", () => {
  test("moves its bound, says so, keeps its options, and loses nothing", async () => {
    const told: TunedMessage[] = [];
    const subscriber = (message: unknown): void => void told.push(message as TunedMessage);
    subscribe(aofChannels.tuned, subscriber);
    const fileSystem = new MemoryFileSystem();
    const clock = new ManualClock();
    const log = await Aof.open(
      {
        ...logSettings,
        flushStrategy: { kind: "batched", batchSize: 100 },
        autoTune: { batchSize: { min: 10, max: 1000 }, everyMs: 1000 },
      },
      { fileSystem, clock, random: new SeededRandom(seed) },
    );
    // Flushes take no time at all on this clock: the device is idle, and waiting for more gains nothing.
    for (let id = 1; id <= 20_000; id++) {
      log.append(Buffer.from(`r${id}`));
      if (id % 100 !== 0) continue;
      await clock.advanceAsync(100);
    }
    expect(log.flushStrategyInForce).toMatchObject({ kind: "batched", batchSize: 10 });
    expect(log.options.flushStrategy).toMatchObject({ kind: "batched", batchSize: 100 });
    expect(told.map(({ from, to }) => [from, to])[0]).toEqual([100, 80]);
    expect(told.every(({ bound, to }) => bound === "batchSize" && to >= 10)).toBe(true);
    await log.close();
    unsubscribe(aofChannels.tuned, subscriber);
    const again = await Aof.open(logSettings, { fileSystem });
    expect(again.lastId).toBe(20_000);
    await again.close();
  });

  test("callers that wait for their own flush leave the bounds alone", async () => {
    const clock = new ManualClock();
    const log = await Aof.open(
      {
        ...logSettings,
        flushStrategy: { kind: "batched", batchSize: 100 },
        autoTune: { batchSize: { min: 10, max: 1000 }, everyMs: 1000 },
      },
      { fileSystem: new MemoryFileSystem(), clock, random: new SeededRandom(seed) },
    );
    for (let i = 0; i < 500; i++) {
      await log.appendDurable(new Uint8Array(8));
      clock.advance(50);
    }
    expect(log.performanceMetrics().flush.forcedFlushes).toBe(500);
    expect(log.flushStrategyInForce).toBe(log.options.flushStrategy);
    await log.close();
  });
});

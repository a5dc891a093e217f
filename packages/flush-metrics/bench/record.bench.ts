/**
 * Question: what do metrics cost the append path and a flush, and which histogram engine should be the default?
 * Run after a build: `node bench/record.bench.ts`. See README.md beside this file for the answer.
 */
import { systemClock } from "@varve/fs-core";
import { ManualClock } from "@varve/fs-core/testing";
import { bench, do_not_optimize, group, run } from "mitata";
import { Histogram, type HistogramEngine, resolveEngine } from "../src/histograms.ts";
import { FlushController, FlushMetrics, resolveFlushStrategy, toPrometheusText } from "../src/index.ts";

const engines: readonly HistogramEngine[] = ["wasm", "js"];
const beforeStart = systemClock.monotonicUs();
resolveEngine("wasm");
const startMs = (systemClock.monotonicUs() - beforeStart) / 1000;

/** Latencies between 64 µs and 16 ms, in an order no predictor learns. */
const values = Float64Array.from(
  { length: 4096 },
  (_, i) => 64 * 2 ** (((Math.imul(i, 0x9e3779b1) >>> 0) / 2 ** 32) * 8),
);
let at = 0;
const nextValue = (): number => values[(at = (at + 1) & 4095)] ?? 0;

group("baselines", () => {
  bench("a value from the array", () => do_not_optimize(nextValue()));
  bench("one look at the clock", () => do_not_optimize(systemClock.monotonicUs()));
});

group("one histogram record, of which the value is a part", () => {
  for (const engine of engines) {
    for (const bits of [32, 64] as const) {
      const histogram = new Histogram(engine, { highest: 60e6, digits: 2 }, bits);
      bench(`${engine}, ${bits}-bit counters`, () => histogram.record(nextValue()));
    }
  }
});

group("the append path", () => {
  const timed = open("wasm", "batched-or-periodic");
  bench("recordAppend", () => timed.recordAppend(1, 64));
  bench("recordAppend + shouldFlush", () => {
    timed.recordAppend(1, 64);
    do_not_optimize(timed.shouldFlush());
  });
});

group("a flush: begin + succeed, three histogram records, two looks at the clock", () => {
  for (const engine of engines) {
    const controller = open(engine, "sync");
    bench(`${engine}, system clock`, () => {
      controller.recordAppend(1, 64);
      controller.succeed(controller.begin("sync"));
    });
  }
  const clock = new ManualClock();
  const metrics = new FlushMetrics({}, { clock });
  const still = new FlushController(resolveFlushStrategy({ kind: "sync" }), { clock, metrics });
  bench("wasm, a clock that costs nothing", () => {
    still.recordAppend(1, 64);
    still.succeed(still.begin("sync"));
  });
});

group("reading, after an hour of flushes in every window", () => {
  for (const engine of engines) {
    const metrics = fullWindows({ engine });
    bench(`${engine} lifetime percentile`, () => do_not_optimize(metrics.getFlushLatencyPercentile(99)));
    bench(`${engine} snapshot`, () => do_not_optimize(metrics.snapshot()));
  }
  const snapshot = fullWindows({}).snapshot();
  bench("toPrometheusText of a snapshot", () => do_not_optimize(toPrometheusText(snapshot)));
});

await run({ colors: false });

const rows = ([1, 2, 3] as const).map((digits) => {
  const clock = new ManualClock();
  const metrics = new FlushMetrics({ digits }, { clock });
  const controller = new FlushController(resolveFlushStrategy({ kind: "sync" }), { clock, metrics });
  controller.succeed(controller.begin("sync"));
  return {
    digits,
    "bytes after one flush": metrics.histogramBytes,
    "bytes at most": fullWindows({ digits }).histogramBytes,
  };
});
process.stdout.write(`\nstarting WebAssembly took ${startMs.toFixed(1)} ms\n`);
process.stdout.write(`histogram counters of one FlushMetrics, by digits\n`);
for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);

function open(engine: HistogramEngine, kind: "sync" | "batched-or-periodic"): FlushController {
  const metrics = new FlushMetrics({ engine }, { clock: systemClock });
  const strategy =
    kind === "sync" ? ({ kind } as const) : ({ kind, batchSize: 2 ** 31 - 1, intervalMs: 1000 } as const);
  return new FlushController(resolveFlushStrategy(strategy), { clock: systemClock, metrics });
}

/** Successes and failures all through an hour, so that no slot is left to be created. */
function fullWindows(settings: { readonly engine?: HistogramEngine; readonly digits?: 1 | 2 | 3 }): FlushMetrics {
  const clock = new ManualClock();
  const metrics = new FlushMetrics(settings, { clock });
  const controller = new FlushController(resolveFlushStrategy({ kind: "sync" }), { clock, metrics });
  for (let i = 0; i < 36_000; i += 1) {
    controller.recordAppend(1 + (i & 255), 64 * (1 + (i & 255)));
    const token = controller.begin("sync");
    const durationMs = nextValue() / 1000;
    clock.advance(durationMs);
    if (i % 100 === 0) controller.fail(token, new Error("disk"));
    else controller.succeed(token);
    clock.advance(100 - durationMs);
  }
  metrics.snapshot();
  return metrics;
}

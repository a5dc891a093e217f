// Goal: every number that a log keeps reaches Prometheus and OpenTelemetry under one name, with its value and unit, in
// one text with the flush metrics. Method: a log that did all of it; the text is read line by line, the meter is a
// recorder; snapshots that lack fields, as another version's would, are exported all the same.
import { readFileSync } from "node:fs";
import { metricDescriptors, prometheusName } from "@varve/flush-metrics";
import { MemoryFileSystem } from "@varve/fs-core";
import { expect, test } from "vitest";
import {
  type Aof,
  aofMetricDescriptors,
  type AofMetricsSnapshot,
  aofPrometheusText,
  bindAofOpenTelemetry,
  type ExportedAofMetrics,
} from "../src/index.ts";
import { openOn } from "./support/log-harness.ts";

/** A log with sealed and trimmed segments, reads, a cursor, and an append that was refused. */
async function busyLog(): Promise<Aof> {
  const log = await openOn(new MemoryFileSystem(), { flushStrategy: { kind: "batched", batchSize: 1e6 } });
  for (let id = 1; id <= 200; id++) await log.appendDurable(Buffer.alloc(100));
  for (let id = 1; id <= 200; id += 10) log.getSync(id);
  await log.trim(40);
  await log.cursor("mail");
  expect(() => {
    for (;;) log.tryAppend(new Uint8Array(1000));
  }).toThrow(expect.objectContaining({ code: "WOULD_BLOCK" }));
  return log;
}

/** Samples by name and labels. */
function samplesOf(text: string): Map<string, number> {
  const lines = text.trimEnd().split("\n");
  return new Map(
    lines
      .filter((line) => !line.startsWith("#"))
      .map((line) => {
        const at = line.lastIndexOf(" ");
        return [line.slice(0, at), Number(line.slice(at + 1))];
      }),
  );
}

const valueOf = (metrics: AofMetricsSnapshot, field: keyof ExportedAofMetrics): unknown =>
  (metrics as unknown as Record<string, unknown>)[field];

test("every number of a snapshot has a descriptor, and every descriptor has a number", async () => {
  const log = await busyLog();
  const numbers = Object.keys(log.performanceMetrics()).filter((field) => field !== "flush");
  expect(aofMetricDescriptors.map(({ field }) => field).sort()).toEqual([...numbers, "cacheHitRate"].sort());
  await log.close();
});

test("the text holds the log's numbers and those of its flushes, each family once", async () => {
  const log = await busyLog();
  const metrics = log.performanceMetrics();
  const text = aofPrometheusText(metrics, { prefix: "app", labels: { log: "orders" } });
  const samples = samplesOf(text);
  for (const descriptor of aofMetricDescriptors) {
    const value = valueOf(metrics, descriptor.field);
    if (typeof value !== "number") continue;
    const name = `${prometheusName(descriptor, "app")}{log="orders"}`;
    expect([name, samples.get(name)]).toEqual([name, value / descriptor.divisor]);
  }
  expect(samples.get('app_appends_total{log="orders"}')).toBeGreaterThan(200);
  expect(samples.get('app_backpressure_total{log="orders"}')).toBe(1);
  expect(samples.get('app_trimmed_records_total{log="orders"}')).toBe(39);
  expect(samples.get('app_cache_hit_rate_percent{log="orders"}')).toBe(
    (metrics.cacheHits / (metrics.cacheHits + metrics.cacheMisses)) * 100,
  );
  expect(samples.get('app_flushes_total{log="orders"}')).toBe(metrics.flush.totalFlushes);
  const heads = text.match(/^# TYPE \S+/gm) ?? [];
  expect(new Set(heads).size).toBe(heads.length);
  expect(text).not.toMatch(/undefined|NaN|null/);
  await log.close();
});

test("what another version's snapshot lacks is left out, and what it has beyond is no harm", async () => {
  const log = await openOn(new MemoryFileSystem());
  const { cursors: _, trimmedBytes: __, ...older } = log.performanceMetrics();
  const text = aofPrometheusText({ ...older, later: { hits: 1 } } as unknown as AofMetricsSnapshot);
  expect(text).toContain("varve_trimmed_records_total 0\n");
  expect(text).not.toMatch(/cursors|trimmed_bytes|later|undefined/);
  await log.close();
});

test("a meter observes each number, by one snapshot per collection, until it is unbound", async () => {
  const log = await busyLog();
  type Callback = (result: { observe(instrument: object, value: number, attributes?: object): void }) => void;
  const callbacks = new Set<Callback>();
  const instruments: { readonly name: string; readonly kind: string; readonly unit: string }[] = [];
  const make = (kind: string) => (name: string, options: { unit: string }) => {
    instruments.push({ name, kind, unit: options.unit });
    return instruments.at(-1) as object;
  };
  const meter = {
    createObservableCounter: make("counter"),
    createObservableGauge: make("gauge"),
    addBatchObservableCallback: (callback: Callback) => void callbacks.add(callback),
    removeBatchObservableCallback: (callback: Callback) => void callbacks.delete(callback),
  };
  let snapshots = 0;
  const source = {
    performanceMetrics: () => {
      snapshots++;
      return log.performanceMetrics();
    },
  };
  const binding = bindAofOpenTelemetry(meter, source, { prefix: "app", attributes: { log: "orders" } });
  expect(new Set(instruments.map(({ name }) => name)).size).toBe(instruments.length);

  const observed = new Map<object, { value: number; attributes: object | undefined }>();
  for (const callback of callbacks) {
    callback({ observe: (instrument, value, attributes) => void observed.set(instrument, { value, attributes }) });
  }
  expect(snapshots).toBe(1);
  const metrics = log.performanceMetrics();
  for (const { field, name, kind, unit, divisor } of aofMetricDescriptors) {
    const value = valueOf(metrics, field);
    // Times go on between the two snapshots.
    if (typeof value !== "number" || unit === "s") continue;
    const instrument = instruments.find((one) => one.name === `app.${name}`);
    expect(instrument).toMatchObject({ kind, unit });
    const seen = observed.get(instrument as object);
    expect([name, seen]).toEqual([name, { value: value / divisor, attributes: { log: "orders" } }]);
  }
  const flushes = instruments.find(({ name }) => name === "app.flushes");
  expect(observed.get(flushes as object)?.value).toBe(metrics.flush.totalFlushes);
  binding.unbind();
  expect(callbacks.size).toBe(0);
  await log.close();
});

test("no name of the log's is one of the flush metrics'", () => {
  const taken = new Set(metricDescriptors.map((descriptor) => prometheusName(descriptor)));
  const own = aofMetricDescriptors.map((descriptor) => prometheusName(descriptor));
  expect(own.filter((name) => taken.has(name))).toEqual([]);
  expect(new Set(own).size).toBe(own.length);
});

test("docs/observing.md lists each number with the name, kind, unit and meaning it has, and no other", () => {
  const text = readFileSync(new URL("../../../docs/observing.md", import.meta.url), "utf8");
  const table = text.slice(text.indexOf("| field | metric |")).split("\n\n")[0]?.split("\n").slice(2);
  const rows = aofMetricDescriptors.map(
    ({ field, name, kind, unit, meaning }) => `| \`${field}\` | \`${name}\` | ${kind} | \`${unit}\` | ${meaning} |`,
  );
  expect(table).toEqual(rows);
});

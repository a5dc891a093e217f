// Goal: the real SDK collects every metric with its kind, unit and value, and stops when unbound.
// Method: a meter provider with a reader that is asked for one collection at a time; no exporter, no timer.
import { isDeepStrictEqual } from "node:util";
import type { Meter } from "@opentelemetry/api";
import { DataPointType, type MetricData, MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import { describe, expect, expectTypeOf, test } from "vitest";
import { bindOpenTelemetry, flushTriggers, metricDescriptors, type OpenTelemetryMeter } from "../src/index.ts";
import { openBench } from "./support.ts";

class OnDemandReader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}

  async metrics(): Promise<ReadonlyMap<string, MetricData>> {
    const { resourceMetrics, errors } = await this.collect();
    if (errors.length > 0) throw new AggregateError(errors, "a collection failed");
    return new Map(
      resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics).map((data) => [data.descriptor.name, data]),
    );
  }
}

function openReader(): { readonly reader: OnDemandReader; readonly meter: Meter } {
  const reader = new OnDemandReader();
  return { reader, meter: new MeterProvider({ readers: [reader] }).getMeter("varve-test") };
}

describe("bindOpenTelemetry", () => {
  test("takes the meter of the API as it is", () => {
    expectTypeOf<Meter>().toExtend<OpenTelemetryMeter>();
  });

  test("every metric is collected with its kind, unit, meaning and value", async () => {
    const { reader, meter } = openReader();
    const { clock, controller, metrics, flush } = openBench();
    for (const trigger of flushTriggers) flush(10, 640, 85, trigger);
    controller.recordAppend(1, 64);
    const token = controller.begin("batched");
    clock.advance(3);
    controller.fail(token, Object.assign(new Error("disk"), { code: "IO" }));
    const binding = bindOpenTelemetry(meter, metrics);

    const found = await reader.metrics();
    const snapshot = metrics.snapshot();
    const heads = metricDescriptors.map(({ name, kind }) => {
      const data = found.get(`varve.${name}`);
      const isCounter = data?.dataPointType === DataPointType.SUM && data.isMonotonic;
      const isGauge = data?.dataPointType === DataPointType.GAUGE;
      return { name, isCounter, isGauge, unit: data?.descriptor.unit, meaning: data?.descriptor.description, kind };
    });
    expect(heads).toEqual(
      metricDescriptors.map(({ name, kind, unit, meaning }) => {
        return { name, isCounter: kind === "counter", isGauge: kind !== "counter", unit, meaning, kind };
      }),
    );

    const numbers = metricDescriptors.filter(({ field }) => typeof snapshot[field] === "number");
    const observed = numbers.map(({ field, name, labels }) => {
      const points = found.get(`varve.${name}`)?.dataPoints ?? [];
      return [field, points.find(({ attributes }) => isDeepStrictEqual({ ...attributes }, labels))?.value];
    });
    expect(observed).toEqual(numbers.map(({ field, divisor }) => [field, Number(snapshot[field]) / divisor]));
    expect(numbers.length).toBeGreaterThan(25);
    expect(found.size).toBe(new Set(metricDescriptors.map(({ name }) => name)).size);
    expect(found.get("varve.flush.failures")?.dataPoints).toMatchObject([{ attributes: { code: "IO" }, value: 1 }]);

    const latency = found.get("varve.flush.latency")?.dataPoints ?? [];
    expect(latency).toHaveLength(15);
    const p99 = latency.find(({ attributes }) => attributes["quantile"] === "0.99" && attributes["window"] === "1m");
    expect(p99?.value).toBe(85 / 1e6);
    binding.unbind();
  });

  test("values follow the metrics, counters by their totals", async () => {
    const { reader, meter } = openReader();
    const { metrics, flush } = openBench();
    using _ = bindOpenTelemetry(meter, metrics, { prefix: "app", attributes: { log: "orders" } });
    const total = async (): Promise<unknown> => (await reader.metrics()).get("app.flushes")?.dataPoints;
    expect(await total()).toMatchObject([{ attributes: { log: "orders" }, value: 0 }]);
    flush(1, 1, 1);
    flush(1, 1, 1);
    expect(await total()).toMatchObject([{ attributes: { log: "orders" }, value: 2 }]);
  });

  test("what has no value yet is not observed", async () => {
    const { reader, meter } = openReader();
    using _ = bindOpenTelemetry(meter, openBench().metrics);
    const found = await reader.metrics();
    expect(found.get("varve.flush.shortest")?.dataPoints ?? []).toEqual([]);
    expect(found.get("varve.flush.latency")?.dataPoints ?? []).toEqual([]);
    expect(found.get("varve.flush.success_rate")?.dataPoints).toMatchObject([{ value: 100 }]);
  });

  test("a metric with several labels is one instrument", () => {
    const { meter } = openReader();
    const created: string[] = [];
    const counting: OpenTelemetryMeter = {
      createObservableCounter: (name, options) => (created.push(name), meter.createObservableCounter(name, options)),
      createObservableGauge: (name, options) => (created.push(name), meter.createObservableGauge(name, options)),
      addBatchObservableCallback: () => {},
      removeBatchObservableCallback: () => {},
    };
    bindOpenTelemetry(counting, openBench().metrics);
    expect(created).toEqual([...new Set(metricDescriptors.map(({ name }) => `varve.${name}`))]);
  });

  test("two logs share a meter by their attributes", async () => {
    const { reader, meter } = openReader();
    const [orders, billing] = [openBench(), openBench()];
    using _orders = bindOpenTelemetry(meter, orders.metrics, { attributes: { log: "orders" } });
    using _billing = bindOpenTelemetry(meter, billing.metrics, { attributes: { log: "billing" } });
    orders.flush(1, 1, 1);
    const points = (await reader.metrics()).get("varve.flushes")?.dataPoints ?? [];
    expect(Object.fromEntries(points.map(({ attributes, value }) => [attributes["log"], value]))).toEqual({
      orders: 1,
      billing: 0,
    });
  });

  test("one snapshot serves a whole collection, and none is taken after unbind", async () => {
    const { reader, meter } = openReader();
    const { metrics } = openBench();
    let snapshots = 0;
    const counting = Object.assign(Object.create(metrics) as typeof metrics, {
      snapshot: () => {
        snapshots += 1;
        return metrics.snapshot();
      },
    });
    const binding = bindOpenTelemetry(meter, counting);
    await reader.metrics();
    expect(snapshots).toBe(1);
    binding.unbind();
    binding.unbind();
    await reader.metrics();
    expect(snapshots).toBe(1);
  });

  test("closed metrics keep reporting their last values", async () => {
    const { reader, meter } = openReader();
    const { metrics, flush } = openBench();
    flush(1, 1, 50);
    using _ = bindOpenTelemetry(meter, metrics);
    metrics.close();
    expect((await reader.metrics()).get("varve.flushes")?.dataPoints).toMatchObject([{ value: 1 }]);
  });
});

/**
 * The metrics as OpenTelemetry instruments. The meter is described by its shape, so nothing of OpenTelemetry is
 * imported and a program without it needs no package; `Meter` of `@opentelemetry/api` 1.10 fits.
 */
import { metricDescriptors, type MetricDescriptor } from "./descriptors.ts";
import type { FlushMetrics } from "./flush-metrics.ts";
import { distributionOf, quantileSamples, type Sample, samplesOf, windows } from "./samples.ts";

/** What is used of an observable instrument: its identity. */
export type OpenTelemetryInstrument = object;

/** What is used of the result handed to a callback. */
export interface OpenTelemetryResult {
  observe(instrument: OpenTelemetryInstrument, value: number, attributes?: Record<string, string>): void;
}

/** What is used of a `Meter`. */
export interface OpenTelemetryMeter {
  createObservableCounter(name: string, options: { description: string; unit: string }): OpenTelemetryInstrument;
  createObservableGauge(name: string, options: { description: string; unit: string }): OpenTelemetryInstrument;
  addBatchObservableCallback(
    callback: (result: OpenTelemetryResult) => void,
    instruments: OpenTelemetryInstrument[],
  ): void;
  removeBatchObservableCallback(
    callback: (result: OpenTelemetryResult) => void,
    instruments: OpenTelemetryInstrument[],
  ): void;
}

/** How the instruments are named and labelled. */
export interface OpenTelemetryOptions {
  /** What every name begins with, a dot after it. Default `varve`. */
  readonly prefix?: string;
  /** Added to every observation, for example `{ "varve.log": "orders" }`. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Ends what {@link bindOpenTelemetry} began. */
export interface OpenTelemetryBinding extends Disposable {
  /** Stops observing. Idempotent. The instruments stay known to the meter, without values. */
  unbind(): void;
}

/**
 * Observes `metrics` whenever the meter collects: one snapshot per collection. Counters become observable counters;
 * gauges become observable gauges; a distribution becomes one observable gauge with the attributes `quantile` and
 * `window` (`1m`, `10m`, `lifetime`). What has no value yet is not observed. Closed metrics report their last values
 * until unbound.
 *
 * @param meter of any SDK; give each log its own `attributes` when several share a meter
 */
export function bindOpenTelemetry(
  meter: OpenTelemetryMeter,
  metrics: FlushMetrics,
  options: OpenTelemetryOptions = {},
): OpenTelemetryBinding {
  return observeOpenTelemetry(meter, metricDescriptors, () => metrics.snapshot(), options);
}

/**
 * Observes any snapshot by its descriptors, as {@link bindOpenTelemetry} does with the metrics of flushes.
 * @param read called once per collection; a field that its answer lacks is not observed
 */
export function observeOpenTelemetry<Snapshot>(
  meter: OpenTelemetryMeter,
  descriptors: readonly MetricDescriptor<Snapshot>[],
  read: () => Snapshot,
  options: OpenTelemetryOptions = {},
): OpenTelemetryBinding {
  const prefix = options.prefix ?? "varve";
  const instruments = new Map<string, OpenTelemetryInstrument>();
  for (const descriptor of descriptors) {
    if (!instruments.has(descriptor.name))
      instruments.set(descriptor.name, createInstrument(meter, prefix, descriptor));
  }
  const observed = [...instruments.values()];

  const observe = (result: OpenTelemetryResult): void => {
    const snapshot = read();
    for (const descriptor of descriptors) {
      const instrument = instruments.get(descriptor.name);
      if (instrument === undefined) continue;
      for (const { value, labels } of observations(descriptor, snapshot)) {
        result.observe(instrument, value, { ...options.attributes, ...labels });
      }
    }
  };

  meter.addBatchObservableCallback(observe, observed);
  const unbind = (): void => meter.removeBatchObservableCallback(observe, observed);
  return { unbind, [Symbol.dispose]: unbind };
}

function createInstrument(
  meter: OpenTelemetryMeter,
  prefix: string,
  descriptor: Pick<MetricDescriptor, "name" | "kind" | "meaning" | "unit">,
): OpenTelemetryInstrument {
  const name = `${prefix}.${descriptor.name}`;
  const options = { description: descriptor.meaning, unit: descriptor.unit };
  return descriptor.kind === "counter"
    ? meter.createObservableCounter(name, options)
    : meter.createObservableGauge(name, options);
}

function observations<Snapshot>(descriptor: MetricDescriptor<Snapshot>, snapshot: Snapshot): Sample[] {
  if (descriptor.kind !== "distribution") return samplesOf(descriptor, snapshot);
  const distribution = distributionOf(descriptor, snapshot);
  return windows.flatMap(([window, field]) =>
    quantileSamples(descriptor, distribution[field]).map(({ labels, value }) => ({
      labels: { ...labels, window },
      value,
    })),
  );
}

/** Turns a snapshot into labelled numbers, the same for every exporter. */
import type { MetricDescriptor } from "./descriptors.ts";
import type { DistributionSnapshot } from "./snapshot.ts";
import type { HistogramSummary, HistogramWindow } from "./histogram-view.ts";

/** One exported number, already in the descriptor's unit. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The percentiles that are exported, as label value and field. */
const quantiles: readonly (readonly [label: string, field: "p50" | "p90" | "p95" | "p99" | "p999"])[] = [
  ["0.5", "p50"],
  ["0.9", "p90"],
  ["0.95", "p95"],
  ["0.99", "p99"],
  ["0.999", "p999"],
];

/** The windows that are exported, as label value and field. */
export const windows: readonly (readonly [label: string, field: HistogramWindow])[] = [
  ["1m", "lastMinute"],
  ["10m", "lastTenMinutes"],
  ["lifetime", "lifetime"],
];

/** The samples of a counter or gauge: none while it has no value, one per key for a record. */
export function samplesOf<Snapshot>(descriptor: MetricDescriptor<Snapshot>, snapshot: Snapshot): Sample[] {
  const value: unknown = snapshot[descriptor.field];
  if (typeof value === "number") return [{ labels: descriptor.labels, value: value / descriptor.divisor }];
  const { keyLabel } = descriptor;
  if (typeof value !== "object" || value === null || keyLabel === undefined) return [];
  return Object.entries(value).flatMap(([key, entry]) =>
    typeof entry === "number"
      ? [{ labels: { ...descriptor.labels, [keyLabel]: key }, value: entry / descriptor.divisor }]
      : [],
  );
}

/** The quantiles of one window of a distribution: none while nothing was recorded in it. */
export function quantileSamples<Snapshot>(descriptor: MetricDescriptor<Snapshot>, summary: HistogramSummary): Sample[] {
  return quantiles.flatMap(([quantile, field]) => {
    const value = summary[field];
    return value === undefined
      ? []
      : [{ labels: { ...descriptor.labels, quantile }, value: value / descriptor.divisor }];
  });
}

/** The distribution that a descriptor of that kind points at. */
export function distributionOf<Snapshot>(
  descriptor: MetricDescriptor<Snapshot>,
  snapshot: Snapshot,
): DistributionSnapshot {
  return snapshot[descriptor.field] as DistributionSnapshot;
}

/**
 * A snapshot as Prometheus text, format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format).
 *
 * A distribution becomes two families: a summary whose quantiles are of the last ten minutes and whose `_sum` and
 * `_count` are of the lifetime (what `rate()` needs), and a gauge `…_window` with every quantile of every window.
 */
import { metricDescriptors, type MetricDescriptor, type MetricUnit } from "./descriptors.ts";
import { distributionOf, quantileSamples, type Sample, samplesOf, windows } from "./samples.ts";
import type { FlushMetricsSnapshot } from "./snapshot.ts";

/** How a snapshot is written. */
export interface PrometheusOptions {
  /** What every metric name begins with, an underscore after it. Default `varve`. */
  readonly prefix?: string;
  /** Added to every sample, for example the log's name. Values may be any text; the metrics' own labels are taken. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** Send it with the text as `content-type`. */
export const prometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

const unitSuffix: Readonly<Record<MetricUnit, string>> = {
  s: "_seconds",
  By: "_bytes",
  "%": "_percent",
  "{flush}": "",
  "{record}": "",
  "{value}": "",
  "{segment}": "",
  "{reader}": "",
  "{cursor}": "",
  "{lookup}": "",
  "{event}": "",
  "{record}/s": "_per_second",
  "By/s": "_per_second",
  "By/{record}": "_bytes",
  "{record}/{flush}": "",
};

/** Labels that the metrics themselves use. */
const takenLabels: ReadonlySet<string> = new Set(["trigger", "code", "quantile", "window"]);

/**
 * A snapshot of flush metrics as text.
 * @returns text ending in a newline; two logs' texts may not simply be joined, because a family may appear only once
 * @throws RangeError listing every prefix or label name that Prometheus would refuse
 */
export function toPrometheusText(snapshot: FlushMetricsSnapshot, options: PrometheusOptions = {}): string {
  return writePrometheusText(metricDescriptors, snapshot, options);
}

/**
 * Any snapshot as text, by its descriptors: {@link toPrometheusText} for other numbers than those of flushes. Texts of
 * lists that share no name may be joined.
 * @param descriptors from `describeMetric`; a field that the snapshot lacks is left out
 * @throws RangeError as {@link toPrometheusText}
 */
export function writePrometheusText<Snapshot>(
  descriptors: readonly MetricDescriptor<Snapshot>[],
  snapshot: Snapshot,
  options: PrometheusOptions = {},
): string {
  const prefix = options.prefix ?? "varve";
  const labels = options.labels ?? {};
  refuseBadNames(prefix, labels);
  const lines: string[] = [];
  let family: string | undefined;
  for (const descriptor of descriptors) {
    const name = prometheusName(descriptor, prefix);
    if (descriptor.kind === "distribution") {
      writeDistribution(lines, name, descriptor, snapshot, labels);
      continue;
    }
    if (!(descriptor.field in (snapshot as object))) continue;
    // Fields of one family follow each other, as the format demands.
    if (name !== family) writeHead(lines, name, descriptor.kind, descriptor.meaning);
    family = name;
    for (const sample of samplesOf(descriptor, snapshot)) writeSample(lines, name, sample, labels);
  }
  return `${lines.join("\n")}\n`;
}

/** The family that a descriptor is exported as: base units and `_total` where the conventions want them. */
export function prometheusName(descriptor: Pick<MetricDescriptor, "name" | "unit" | "kind">, prefix = "varve"): string {
  const base = `${prefix}_${descriptor.name.replaceAll(".", "_")}`;
  const suffix = unitSuffix[descriptor.unit];
  const named = base.endsWith(suffix) ? base : `${base}${suffix}`;
  return descriptor.kind === "counter" ? `${named}_total` : named;
}

function writeDistribution<Snapshot>(
  lines: string[],
  name: string,
  descriptor: MetricDescriptor<Snapshot>,
  snapshot: Snapshot,
  labels: Readonly<Record<string, string>>,
): void {
  const distribution = distributionOf(descriptor, snapshot);
  const { sum, count } = distribution.lifetime;
  writeHead(lines, name, "summary", `${descriptor.meaning} Quantiles of the last ten minutes.`);
  for (const sample of quantileSamples(descriptor, distribution.lastTenMinutes))
    writeSample(lines, name, sample, labels);
  writeSample(lines, `${name}_sum`, { labels: descriptor.labels, value: sum / descriptor.divisor }, labels);
  writeSample(lines, `${name}_count`, { labels: descriptor.labels, value: count }, labels);

  writeHead(lines, `${name}_window`, "gauge", `${descriptor.meaning} Quantiles by window.`);
  for (const [window, field] of windows) {
    for (const sample of quantileSamples(descriptor, distribution[field])) {
      writeSample(lines, `${name}_window`, { labels: { ...sample.labels, window }, value: sample.value }, labels);
    }
  }
}

function writeHead(lines: string[], name: string, type: string, help: string): void {
  lines.push(`# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`, `# TYPE ${name} ${type}`);
}

function writeSample(lines: string[], name: string, sample: Sample, labels: Readonly<Record<string, string>>): void {
  const pairs = Object.entries({ ...labels, ...sample.labels }).map(([key, value]) => `${key}="${escapeValue(value)}"`);
  lines.push(`${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${sample.value}`);
}

function escapeValue(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function refuseBadNames(prefix: string, labels: Readonly<Record<string, string>>): void {
  const problems: string[] = [];
  if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(prefix)) {
    problems.push(`prefix: got ${JSON.stringify(prefix)}, want letters, digits, _ and :, not a digit first`);
  }
  for (const label of Object.keys(labels)) {
    if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) || label.startsWith("__")) {
      problems.push(`labels: got ${JSON.stringify(label)}, want letters, digits and _, not a digit or __ first`);
    } else if (takenLabels.has(label)) {
      problems.push(`labels: "${label}" is used by the metrics themselves`);
    }
  }
  if (problems.length > 0) throw new RangeError(problems.join("\n"));
}

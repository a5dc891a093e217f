// Goal: a scraper understands every line. Method: an independent parser reads what was written; numbers, labels and
// help must come back, hostile label values included.
import { isDeepStrictEqual } from "node:util";
import parse from "parse-prometheus-text-format";
import { describe, expect, test } from "vitest";
import {
  flushTriggers,
  metricDescriptors,
  prometheusContentType,
  prometheusName,
  toPrometheusText,
} from "../src/index.ts";
import { openBench } from "./support.ts";

function busySnapshot() {
  const { clock, controller, metrics, flush } = openBench();
  // Seven flushes that only the lifetime knows, seven of the last ten minutes, a hundred of the last minute.
  for (const trigger of flushTriggers) flush(10, 640, 85, trigger);
  clock.advance(1_200_000);
  for (let i = 0; i < 7; i += 1) flush(10, 640, 85);
  clock.advance(120_000);
  for (let i = 1; i <= 100; i += 1) flush(i, i * 64, i * 100, "batched");
  for (const code of ["IO", "NO_SPACE", "IO"]) {
    controller.recordAppend(1, 64);
    const token = controller.begin("batched");
    clock.advance(3);
    controller.fail(token, Object.assign(new Error("disk"), { code }));
  }
  return metrics.snapshot();
}

const families = (text: string) => new Map(parse(text).map((family) => [family.name, family]));

describe("toPrometheusText", () => {
  test("every metric comes back with its type and help, counters named as counters", () => {
    const found = families(toPrometheusText(busySnapshot()));
    const types = { counter: "COUNTER", gauge: "GAUGE", distribution: "SUMMARY" };
    const heads = metricDescriptors.map((descriptor) => {
      const family = found.get(prometheusName(descriptor));
      return {
        name: descriptor.name,
        type: family?.type,
        isTotal: family?.name.endsWith("_total"),
        help: family?.help.slice(0, descriptor.meaning.length),
      };
    });
    expect(heads).toEqual(
      metricDescriptors.map(({ name, kind, meaning }) => {
        return { name, type: types[kind], isTotal: kind === "counter", help: meaning };
      }),
    );
    const distributions = metricDescriptors.filter(({ kind }) => kind === "distribution");
    expect(distributions.map((descriptor) => found.get(`${prometheusName(descriptor)}_window`)?.type)).toEqual(
      distributions.map(() => "GAUGE"),
    );
    expect(found.size).toBe(new Set(metricDescriptors.map(({ name }) => name)).size + distributions.length);
  });

  test("every number of the snapshot comes back in the exported unit", () => {
    const snapshot = busySnapshot();
    const found = families(toPrometheusText(snapshot));
    const numbers = metricDescriptors.filter(({ field }) => typeof snapshot[field] === "number");
    const exported = numbers.map((descriptor) => {
      const sample = found
        .get(prometheusName(descriptor))
        ?.metrics.find(({ labels }) => isDeepStrictEqual(labels ?? {}, descriptor.labels));
      return [descriptor.field, Number(sample?.value)];
    });
    expect(exported).toEqual(numbers.map(({ field, divisor }) => [field, Number(snapshot[field]) / divisor]));
    expect(numbers.length).toBeGreaterThan(25);
  });

  test("units are the base ones", () => {
    const found = families(toPrometheusText(busySnapshot()));
    expect(Number(found.get("varve_flush_latency_seconds")?.metrics[0]?.sum)).toBeCloseTo(
      (14 * 85 + 5050 * 100) / 1e6,
      12,
    );
    expect(found.get("varve_flushed_bytes_total")?.metrics[0]?.value).toBe(String(14 * 640 + 5050 * 64));
    expect(found.has("varve_flushed_bytes_bytes_total")).toBe(false);
  });

  test("triggers and error codes are labels of one family", () => {
    const found = families(toPrometheusText(busySnapshot()));
    expect(found.get("varve_flushes_triggered_total")?.metrics).toHaveLength(7);
    expect(found.get("varve_flush_failures_total")?.metrics).toEqual([
      { labels: { code: "IO" }, value: "2" },
      { labels: { code: "NO_SPACE" }, value: "1" },
    ]);
  });

  test("a summary has the quantiles of ten minutes and the counts of the lifetime; windows have their own family", () => {
    const snapshot = busySnapshot();
    const found = families(toPrometheusText(snapshot));
    const summary = found.get("varve_flush_records")?.metrics[0];
    expect(summary?.count).toBe("114");
    const { lastMinute, lastTenMinutes, lifetime } = snapshot.recordsPerFlush;
    expect(summary?.quantiles).toEqual({
      "0.5": String(lastTenMinutes.p50),
      "0.9": String(lastTenMinutes.p90),
      "0.95": String(lastTenMinutes.p95),
      "0.99": String(lastTenMinutes.p99),
      "0.999": String(lastTenMinutes.p999),
    });
    expect(new Set(Object.values(summary?.quantiles ?? {})).size).toBe(5);
    const byWindow = found.get("varve_flush_records_window")?.metrics ?? [];
    expect(byWindow).toHaveLength(15);
    const minute = byWindow.find(({ labels }) => labels?.["window"] === "1m" && labels["quantile"] === "0.5");
    expect(Number(minute?.value)).toBe(lastMinute.p50);
    expect(new Set([lastMinute.p50, lastTenMinutes.p50, lifetime.p50]).size).toBe(3);
  });

  test("what has no value has no sample, and never an invented one", () => {
    const text = toPrometheusText(openBench().metrics.snapshot());
    expect(text).not.toMatch(/undefined|NaN|Infinity|null/);
    const found = families(text);
    expect(found.get("varve_flush_shortest_seconds")?.metrics).toEqual([]);
    expect(found.get("varve_flush_latency_seconds")?.metrics).toEqual([{ sum: "0", count: "0" }]);
    expect(found.get("varve_flush_success_rate_percent")?.metrics).toEqual([{ value: "100" }]);
  });

  test("label values of any content come back unchanged", () => {
    const labels = { log: 'C:\\logs\n"orders", {a=b} ünï', empty: "" };
    const found = families(toPrometheusText(busySnapshot(), { labels }));
    expect(found.get("varve_flushes_total")?.metrics[0]?.labels).toEqual(labels);
    expect(found.get("varve_flushes_triggered_total")?.metrics[0]?.labels).toEqual({ ...labels, trigger: "forced" });
  });

  test("every line is a comment or one sample, and the text ends as a scraper wants it", () => {
    const text = toPrometheusText(busySnapshot(), { prefix: "app:log", labels: { log: "a b\\" } });
    expect(text.endsWith("\n")).toBe(true);
    const sample =
      /^[a-zA-Z_:][\w:]*\{[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\n"])*"(?:,[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\n"])*")*\} -?\d+(?:\.\d+)?(?:e[+-]\d+)?$/;
    const lines = text.trimEnd().split("\n");
    expect(lines.filter((line) => !line.startsWith("# ") && !sample.test(line))).toEqual([]);
    expect(text).toContain('app:log_flushes_total{log="a b\\\\"} 117\n');
    expect(prometheusContentType).toContain("version=0.0.4");
  });

  test("no family is opened twice", () => {
    const heads = toPrometheusText(busySnapshot()).match(/^# TYPE \S+/gm) ?? [];
    expect(new Set(heads).size).toBe(heads.length);
  });

  test("names that Prometheus would refuse are refused here, all at once", () => {
    const snapshot = openBench().metrics.snapshot();
    const labels = { "0log": "a", __name: "b", "a-b": "c", trigger: "d", quantile: "e", fine: "f" };
    expect(() => toPrometheusText(snapshot, { prefix: "9", labels })).toThrow(/prefix(.*\n){5}.*"quantile"/);
    expect(() => toPrometheusText(snapshot, { prefix: "" })).toThrow(RangeError);
  });
});

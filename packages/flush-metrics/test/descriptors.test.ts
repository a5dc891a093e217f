// Goal: the list of metrics is the only place where they are named: the snapshot, both exporters and the README agree
// with it. Method: each is compared with the list, in both directions. The exporters' own tests compare their values.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type MetricDescriptor, metricDescriptors, prometheusName, toPrometheusText } from "../src/index.ts";
import { openBench } from "./support.ts";

const names = [...new Set(metricDescriptors.map(({ name }) => name))];

function labelsOf({ labels, keyLabel }: MetricDescriptor): string[] {
  return [...Object.keys(labels), ...(keyLabel === undefined ? [] : [keyLabel])];
}

describe("metricDescriptors", () => {
  test("describe every field of a snapshot once, but for its name and time", () => {
    const fields = Object.keys(openBench().metrics.snapshot()).filter(
      (field) => !["name", "capturedAtUs"].includes(field),
    );
    const described = metricDescriptors.map(({ field }) => field);
    expect([...described].sort()).toEqual([...fields].sort());
  });

  test("of one name agree on everything but their labels, and those differ", () => {
    for (const name of names) {
      const family = metricDescriptors.filter((descriptor) => descriptor.name === name);
      const heads = family.map(({ kind, unit, divisor, meaning }) => JSON.stringify({ kind, unit, divisor, meaning }));
      expect({ name, heads: new Set(heads).size }).toEqual({ name, heads: 1 });
      expect(new Set(family.map(({ labels }) => JSON.stringify(labels))).size).toBe(family.length);
    }
  });

  test("of one name follow each other, as a family must in the text format", () => {
    const runs = metricDescriptors.filter(({ name }, i) => name !== metricDescriptors[i - 1]?.name);
    expect(runs.map(({ name }) => name)).toEqual(names);
  });

  test("export time in seconds", () => {
    const timed = metricDescriptors.filter(({ field }) => field.endsWith("Us") || field.endsWith("Latency"));
    expect(timed.length).toBeGreaterThan(5);
    expect(timed.map(({ unit, divisor }) => [unit, divisor])).toEqual(timed.map(() => ["s", 1e6]));
    const others = metricDescriptors.filter((descriptor) => !timed.includes(descriptor));
    expect(new Set(others.map(({ divisor }) => divisor))).toEqual(new Set([1]));
  });

  test("are deeply frozen", () => {
    expect(Object.isFrozen(metricDescriptors)).toBe(true);
    expect(
      metricDescriptors.every((descriptor) => Object.isFrozen(descriptor) && Object.isFrozen(descriptor.labels)),
    ).toBe(true);
  });

  test("have names that no two exported families share", () => {
    const exported = new Set(names.map((name) => prometheusName(find(name))));
    expect(exported.size).toBe(names.length);
    const heads = toPrometheusText(openBench().metrics.snapshot()).match(/(?<=^# TYPE )\S+/gm) ?? [];
    expect(heads.filter((head) => !exported.has(head.replace(/_window$/, "")))).toEqual([]);
  });
});

describe("README.md", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

  test("lists every metric with the kind, unit, labels and meaning it has, and no other", () => {
    const table = readme.slice(readme.indexOf("| metric | kind |")).trimEnd().split("\n").slice(2);
    const rows = names.map((name) => {
      const descriptor = find(name);
      const labels = labelsOf(descriptor).map((label) => ` by \`${label}\``);
      return `| \`${name}\`${labels.join("")} | ${descriptor.kind} | \`${descriptor.unit}\` | ${descriptor.meaning} |`;
    });
    expect(table).toEqual(rows);
  });

  test("states the memory that the benchmark and the code state", () => {
    const sizes = ([1, 2, 3] as const).map((digits) => {
      const { metrics, flush } = openBench(undefined, { digits });
      flush(1, 1, 1);
      return metrics.histogramBytes.toLocaleString("en-US");
    });
    const bench = readFileSync(new URL("../bench/README.md", import.meta.url), "utf8");
    expect(sizes.filter((size) => !readme.includes(size) || !bench.includes(size))).toEqual([]);
  });
});

function find(name: string): MetricDescriptor {
  const descriptor = metricDescriptors.find((candidate) => candidate.name === name);
  if (descriptor === undefined) throw new Error(`${name} is not described`);
  return descriptor;
}

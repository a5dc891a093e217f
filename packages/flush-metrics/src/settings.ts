import type { HistogramDigits, HistogramEngine } from "./histograms.ts";

/** How flushes are counted. Plain data. */
export interface FlushMetricsSettings {
  /** Tells logs apart in snapshots and diagnostics. Default `"default"`; 1 to 200 characters. */
  readonly name?: string;
  /** Significant decimal digits of percentiles: 1, 2 or 3. Default 2, which is within 1 %. Memory grows with it. */
  readonly digits?: HistogramDigits;
  /**
   * What holds the histograms. Default `"auto"`: WebAssembly, or JavaScript where there is none, started by the first
   * flush of the process, which takes tens of milliseconds once. `"wasm"` starts it at construction instead.
   */
  readonly engine?: HistogramEngine | "auto";
  /** Time constant of the moving averages of throughput, in milliseconds. Default 10,000; 100 to 3,600,000. */
  readonly throughputTimeConstantMs?: number;
}

/** Checked, complete and frozen. */
export type ResolvedFlushMetricsSettings = Required<FlushMetricsSettings>;

const rules: readonly ((settings: ResolvedFlushMetricsSettings) => string | undefined)[] = [
  ({ name }) =>
    typeof name === "string" && name.length >= 1 && name.length <= 200
      ? undefined
      : `name: got ${String(name).slice(0, 60)}, want a string of 1..200 characters`,
  ({ digits }) => ([1, 2, 3].includes(digits) ? undefined : `digits: got ${String(digits)}, want 1, 2 or 3`),
  ({ engine }) =>
    ["auto", "wasm", "js"].includes(engine) ? undefined : `engine: got ${String(engine)}, want auto, wasm or js`,
  ({ throughputTimeConstantMs: ms }) =>
    typeof ms === "number" && ms >= 100 && ms <= 3_600_000
      ? undefined
      : `throughputTimeConstantMs: got ${String(ms)}, want 100..3600000`,
];

/** @throws RangeError listing every broken rule, one a line */
export function resolveFlushMetricsSettings(input: FlushMetricsSettings): ResolvedFlushMetricsSettings {
  const settings: ResolvedFlushMetricsSettings = {
    name: input.name ?? "default",
    digits: input.digits ?? 2,
    engine: input.engine ?? "auto",
    throughputTimeConstantMs: input.throughputTimeConstantMs ?? 10_000,
  };
  const problems = rules.map((rule) => rule(settings)).filter((problem) => problem !== undefined);
  for (const key of Object.keys(input)) {
    if (!Object.hasOwn(settings, key)) problems.push(`${key}: not a setting, want ${Object.keys(settings).join(", ")}`);
  }
  if (problems.length > 0) throw new RangeError(problems.join("\n"));
  return Object.freeze(settings);
}

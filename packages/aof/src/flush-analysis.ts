/** Why flushing takes the time it takes, and which setting would change that. */
import type { HistogramWindow, ResolvedFlushStrategy } from "@varve/flush-metrics";
import { chooseWindow, type FlushAnalysisInput, type FlushFacts, flushFacts } from "./flush-facts.ts";
import type { FlushFinding } from "./flush-finding.ts";
import { flushRules } from "./flush-findings.ts";
import type { AofMetricsSnapshot } from "./metrics.ts";

/** An `Aof`, or what answers like one. */
export interface AnalyzableLog {
  performanceMetrics(): AofMetricsSnapshot;
  readonly options: NonNullable<FlushAnalysisInput["settings"]>;
  readonly flushStrategyInForce: ResolvedFlushStrategy;
}

/** One window in a few numbers. Times in microseconds. */
export type FlushWindowSummary = Pick<
  FlushFacts,
  "spanUs" | "flushes" | "failures" | "records" | "bytes" | "busyShare"
> & {
  readonly latencyMeanUs: number | undefined;
  readonly latencyP50Us: number | undefined;
  readonly latencyP99Us: number | undefined;
  readonly recordsPerFlushP50: number | undefined;
};

/** The answer of {@link analyzeFlushes}: plain JSON. */
export interface FlushAnalysis {
  /** What the findings are about: the shortest window with twenty flushes, else all of it. */
  readonly window: HistogramWindow;
  /** What weighs most, in a sentence. */
  readonly verdict: string;
  /** Heaviest first; empty when nothing stands out. */
  readonly findings: readonly FlushFinding[];
  readonly windows: Readonly<Record<HistogramWindow, FlushWindowSummary>>;
}

/**
 * Looks at the flushes of a log, or of a snapshot that was stored. Costs about as much as the snapshot: half a millisecond.
 *
 * What triggered flushes, refused appends and rotations are counted since the start; latencies and sizes are of the window.
 */
export function analyzeFlushes(source: AnalyzableLog | FlushAnalysisInput): FlushAnalysis {
  const input =
    "performanceMetrics" in source
      ? { metrics: source.performanceMetrics(), settings: source.options, strategy: source.flushStrategyInForce }
      : source;
  const window = chooseWindow(input.metrics);
  const facts = flushFacts(input, window);
  const findings = flushRules.flatMap((rule) => rule(facts) ?? []).sort((one, other) => other.weight - one.weight);
  const summary = (of: HistogramWindow): FlushWindowSummary => summarise(flushFacts(input, of));
  return {
    window,
    verdict: verdictOf(facts, findings[0]),
    findings,
    windows: {
      lastMinute: summary("lastMinute"),
      lastTenMinutes: summary("lastTenMinutes"),
      lifetime: summary("lifetime"),
    },
  };
}

const windowNames: Readonly<Record<HistogramWindow, string>> = {
  lastMinute: "last minute",
  lastTenMinutes: "last ten minutes",
  lifetime: "since the start",
};

/** An analysis as text for a terminal: the verdict, the findings, a line for each window. Ends without a newline. */
export function formatFlushAnalysis(analysis: FlushAnalysis): string {
  const lines = [analysis.verdict];
  for (const { code, message, advice } of analysis.findings) {
    lines.push("", `${code}: ${message}`);
    for (const { setting, direction, value } of advice) {
      const how = direction === "change" ? "set" : `move ${direction}`;
      lines.push(`  ${how} ${setting}${value === undefined ? "" : ` (try ${value})`}`);
    }
  }
  lines.push("");
  for (const window of ["lastMinute", "lastTenMinutes", "lifetime"] as const) {
    const { flushes, failures, records, latencyP50Us, latencyP99Us, recordsPerFlushP50, busyShare } =
      analysis.windows[window];
    lines.push(
      `${windowNames[window].padEnd(17)} ${flushes} flushes, ${failures} failed, ${records} records, ` +
        `P50 ${us(latencyP50Us)}, P99 ${us(latencyP99Us)}, ${recordsPerFlushP50 ?? 0} records a flush, busy ${Math.round(busyShare * 100)} %`,
    );
  }
  return lines.join("\n");
}

function summarise(facts: FlushFacts): FlushWindowSummary {
  const { spanUs, flushes, failures, records, bytes, busyShare, latency, recordsPerFlush } = facts;
  return {
    spanUs,
    flushes,
    failures,
    records,
    bytes,
    busyShare,
    latencyMeanUs: latency.mean,
    latencyP50Us: latency.p50,
    latencyP99Us: latency.p99,
    recordsPerFlushP50: recordsPerFlush.p50,
  };
}

function verdictOf({ flushes, window, busyShare }: FlushFacts, heaviest: FlushFinding | undefined): string {
  const seen = `${flushes} flushes (${windowNames[window]})`;
  if (flushes === 0 && heaviest === undefined) return "Nothing was flushed yet.";
  return heaviest === undefined
    ? `${seen}: nothing stands out; flushing takes ${Math.round(busyShare * 100)} % of the time.`
    : `${seen}: ${heaviest.code} weighs most.`;
}

function us(value: number | undefined): string {
  return value === undefined ? "–" : `${Math.round(value)} µs`;
}

/**
 * When a monitor raises an alert and when it clears it: rules as data, and pure steps over what each remembers.
 *
 * Always true: an alert is raised once and cleared once; between the two lies a hysteresis, and without a value an alert
 * stays as it was, because no news of flushes is no good news.
 */
import type { HealthReport } from "./health.ts";
import { type MonitoredValueName, type MonitoredValues, monitoredValueNames } from "./monitor-values.ts";

/** A fixed bound. Exactly one of `above` and `below`. */
export interface ThresholdRule {
  readonly kind: "threshold";
  /** Unique among the rules of a monitor. */
  readonly name: string;
  readonly value: MonitoredValueName;
  /** Raises when the value is higher. */
  readonly above?: number;
  /** Raises when the value is lower. */
  readonly below?: number;
  /** Clears at this value, on the good side of the bound. Default: the bound itself. */
  readonly clear?: number;
}

/**
 * A bound learned from the value's own past: its moving average plus so many of its moving deviations. What is above the
 * bound enters the average as the bound itself, so a spike teaches little and a lasting change is accepted in the end.
 */
export interface AdaptiveRule {
  readonly kind: "adaptive";
  /** Unique among the rules of a monitor. */
  readonly name: string;
  readonly value: MonitoredValueName;
  /** Deviations above the average at which it raises; it clears at half of that. Default 4; above 0 to 100. */
  readonly deviations?: number;
  /** Values to learn from before the first alert. Default 10; 2 to 10,000. */
  readonly warmUp?: number;
  /** Weight of the newest value, above 0 to 1. Default 0.1. */
  readonly smoothing?: number;
  /** Never raises up to here, however low the past was. Default 0. */
  readonly floor?: number;
}

/** Raises while `log.health()` is at least as bad. */
export interface HealthRule {
  readonly kind: "health";
  /** Unique among the rules of a monitor. */
  readonly name: string;
  readonly at: "degraded" | "failed";
}

/** What a monitor looks for, as data. */
export type MonitorRule = ThresholdRule | AdaptiveRule | HealthRule;

/** The rules of a monitor that is given none: under 99 % of flushes succeed, P99 over 10 ms, or the log has failed. */
export const defaultMonitorRules: readonly MonitorRule[] = Object.freeze([
  Object.freeze({ kind: "threshold", name: "flush-success-rate", value: "flushSuccessRate", below: 99, clear: 99.5 }),
  Object.freeze({
    kind: "threshold",
    name: "flush-latency-p99",
    value: "flushLatencyP99Us",
    above: 10_000,
    clear: 9000,
  }),
  Object.freeze({ kind: "health", name: "health", at: "failed" }),
] as const);

/** What a rule remembers between reports. */
export interface RuleState {
  readonly isRaised: boolean;
  /** Of an adaptive rule: values seen, their average and their mean square deviation. */
  readonly count: number;
  readonly mean: number;
  readonly variance: number;
}

/** What a rule found in one report. `value` and `threshold` are numbers, or the health's words. */
export interface RuleVerdict {
  readonly state: RuleState;
  readonly value: number | string | undefined;
  readonly threshold: number | string | undefined;
}

/** Before the first report. */
export const freshRule: RuleState = Object.freeze({ isRaised: false, count: 0, mean: 0, variance: 0 });

/** A past without any spread must not make the next microsecond an alert: the deviation is at least so much of the mean. */
const leastDeviation = 0.05;

/** One step of one rule. */
export function judge(
  rule: MonitorRule,
  state: RuleState,
  values: MonitoredValues,
  health: HealthReport | undefined,
): RuleVerdict {
  if (rule.kind === "health") return judgeHealth(rule, state, health);
  const value = values[rule.value];
  return rule.kind === "threshold" ? judgeThreshold(rule, state, value) : judgeAdaptive(rule, state, value);
}

const severity = { ok: 0, degraded: 1, failed: 2 } as const;

function judgeHealth(rule: HealthRule, state: RuleState, health: HealthReport | undefined): RuleVerdict {
  if (health === undefined) return { state, value: undefined, threshold: rule.at };
  const isRaised = severity[health.status] >= severity[rule.at];
  const codes = health.reasons.map(({ code }) => code).join(", ");
  return { state: { ...state, isRaised }, value: codes === "" ? health.status : codes, threshold: rule.at };
}

function judgeThreshold(rule: ThresholdRule, state: RuleState, value: number | undefined): RuleVerdict {
  const threshold = rule.above ?? rule.below;
  if (value === undefined || threshold === undefined) return { state, value, threshold };
  const clear = rule.clear ?? threshold;
  const sign = rule.above === undefined ? -1 : 1;
  const isRaised = state.isRaised ? sign * value > sign * clear : sign * value > sign * threshold;
  return { state: { ...state, isRaised }, value, threshold };
}

function judgeAdaptive(rule: AdaptiveRule, state: RuleState, value: number | undefined): RuleVerdict {
  const { deviations = 4, warmUp = 10, smoothing = 0.1, floor = 0 } = rule;
  if (value === undefined) return { state, value, threshold: undefined };
  if (state.count < warmUp) return { state: learn(state, value, smoothing), value, threshold: undefined };
  const deviation = Math.max(Math.sqrt(state.variance), Math.abs(state.mean) * leastDeviation);
  const threshold = Math.max(floor, state.mean + deviations * deviation);
  const clear = Math.max(floor, state.mean + (deviations / 2) * deviation);
  const isRaised = value > (state.isRaised ? clear : threshold);
  return { state: { ...learn(state, Math.min(value, threshold), smoothing), isRaised }, value, threshold };
}

/** During the warm-up a plain average, so that the first value does not weigh more than the others. */
function learn(state: RuleState, value: number, smoothing: number): RuleState {
  const weight = Math.max(smoothing, 1 / (state.count + 1));
  const difference = value - state.mean;
  return {
    ...state,
    count: state.count + 1,
    mean: state.mean + weight * difference,
    variance: (1 - weight) * (state.variance + weight * difference * difference),
  };
}

/** @returns one sentence per broken rule */
export function ruleProblems(rules: readonly MonitorRule[]): string[] {
  if (!Array.isArray(rules)) return ["rules: want an array"];
  const problems: string[] = [];
  const names = new Set<unknown>();
  for (const [index, rule] of (rules as readonly MonitorRule[]).entries()) {
    const at = `rules[${index}]`;
    if (typeof rule !== "object" || rule === null) {
      problems.push(`${at}: want an object`);
      continue;
    }
    if (typeof rule.name !== "string" || rule.name === "") problems.push(`${at}.name: want a name`);
    else if (names.has(rule.name)) problems.push(`${at}.name: ${JSON.stringify(rule.name)} is taken`);
    names.add(rule.name);
    problems.push(...kindProblems(rule).map((problem) => `${at}.${problem}`));
  }
  return problems;
}

function kindProblems(rule: MonitorRule): string[] {
  switch (rule.kind) {
    case "health":
      return ["degraded", "failed"].includes(rule.at) ? [] : ["at: want degraded or failed"];
    case "threshold":
      return [...valueProblems(rule.value), ...thresholdProblems(rule)];
    case "adaptive":
      return [...valueProblems(rule.value), ...adaptiveProblems(rule)];
    default:
      return ["kind: want threshold, adaptive or health"];
  }
}

function valueProblems(value: MonitoredValueName): string[] {
  return monitoredValueNames.includes(value) ? [] : [`value: want one of ${monitoredValueNames.join(", ")}`];
}

function thresholdProblems({ above, below, clear }: ThresholdRule): string[] {
  if ((above === undefined) === (below === undefined)) return ["above: want either above or below"];
  const threshold = above ?? below;
  if (!Number.isFinite(threshold)) return [`${above === undefined ? "below" : "above"}: want a number`];
  if (clear === undefined) return [];
  const isGood = above === undefined ? clear >= (threshold as number) : clear <= (threshold as number);
  return Number.isFinite(clear) && isGood ? [] : ["clear: want a number on the good side of the bound"];
}

function adaptiveProblems({ deviations = 4, warmUp = 10, smoothing = 0.1, floor = 0 }: AdaptiveRule): string[] {
  return [
    ...(deviations > 0 && deviations <= 100 ? [] : ["deviations: want a number above 0, up to 100"]),
    ...(Number.isInteger(warmUp) && warmUp >= 2 && warmUp <= 10_000 ? [] : ["warmUp: want an integer in 2..10000"]),
    ...(smoothing > 0 && smoothing <= 1 ? [] : ["smoothing: want a number above 0, up to 1"]),
    ...(Number.isFinite(floor) ? [] : ["floor: want a number"]),
  ];
}

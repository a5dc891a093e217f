import type { ResolvedFlushStrategy } from "@varve/flush-metrics";

/** Both ends are included. */
export interface TuneRange {
  readonly min: number;
  readonly max: number;
}

/**
 * What a log may change about its flush strategy while it runs: bounds only, never the kind. What an acknowledgement
 * means then follows from the `max` of each range, and not from the configured value, which is where tuning begins.
 */
export interface AutoTuneSettings {
  /** Records, 1 to 2^31 - 1, around the strategy's `batchSize`. Left out: it stays. */
  readonly batchSize?: TuneRange;
  /** Milliseconds, 1 to 2^31 - 1, around the strategy's `intervalMs`. Left out: it stays. */
  readonly intervalMs?: TuneRange;
  /** P99 of the flush latency to stay below where the bounds can do that, microseconds. 100 to 60,000,000. Default 10,000. */
  readonly targetP99Us?: number;
  /** Time between two changes at least, milliseconds. 1000 to 3,600,000. Default 10,000. */
  readonly everyMs?: number;
}

/** {@link AutoTuneSettings} decided. Frozen. */
export interface ResolvedAutoTuneSettings {
  readonly batchSize: TuneRange | undefined;
  readonly intervalMs: TuneRange | undefined;
  readonly targetP99Us: number;
  readonly everyMs: number;
}

const highest = 2 ** 31 - 1;
const knobs = ["batchSize", "intervalMs"] as const;

/**
 * @param strategy a checked one: a range must hold what it has configured
 * @param problems collects one sentence per broken rule, each beginning with the setting's name
 */
export function resolveAutoTune(
  input: unknown,
  strategy: ResolvedFlushStrategy,
  problems: string[],
): ResolvedAutoTuneSettings | undefined {
  if (input === undefined) return undefined;
  if (typeof input !== "object" || input === null) {
    problems.push(
      `autoTune: got ${input === null ? "null" : typeof input}, want an object with batchSize or intervalMs`,
    );
    return undefined;
  }
  const given = input as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(given)) {
    if (!["batchSize", "intervalMs", "targetP99Us", "everyMs"].includes(name)) {
      problems.push(`autoTune.${name}: no such setting`);
    }
  }
  if (knobs.every((knob) => given[knob] === undefined)) {
    problems.push("autoTune: got no range, want batchSize or intervalMs");
  }
  const ranges = knobs.map((knob) => rangeOf(knob, given[knob], strategy, problems));
  return Object.freeze({
    batchSize: ranges[0],
    intervalMs: ranges[1],
    targetP99Us: integerOf("targetP99Us", given["targetP99Us"] ?? 10_000, 100, 60_000_000, problems),
    everyMs: integerOf("everyMs", given["everyMs"] ?? 10_000, 1000, 3_600_000, problems),
  });
}

function rangeOf(
  knob: (typeof knobs)[number],
  value: unknown,
  strategy: ResolvedFlushStrategy,
  problems: string[],
): TuneRange | undefined {
  if (value === undefined) return undefined;
  const name = `autoTune.${knob}`;
  const { min, max } = (typeof value === "object" && value !== null ? value : {}) as Partial<TuneRange>;
  if (!isIntegerIn(min, 1, highest) || !isIntegerIn(max, 1, highest) || min > max) {
    problems.push(`${name}: want { min, max }, integers in 1..${highest}, min not above max`);
    return undefined;
  }
  const configured = (strategy as Partial<Record<typeof knob, number>>)[knob];
  if (configured === undefined) {
    problems.push(`${name}: the strategy "${strategy.kind}" has no ${knob}`);
  } else if (configured < min || configured > max) {
    problems.push(`${name}: the strategy's ${configured} is not in ${min}..${max}`);
  }
  return Object.freeze({ min, max });
}

function integerOf(name: string, value: unknown, low: number, high: number, problems: string[]): number {
  if (isIntegerIn(value, low, high)) return value;
  problems.push(`autoTune.${name}: got ${String(value)}, want an integer in ${low}..${high}`);
  return low;
}

function isIntegerIn(value: unknown, low: number, high: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= low && value <= high;
}

/**
 * When a log flushes by itself, as plain data: it can be written in a configuration file, logged and compared.
 * Whatever the strategy, a caller may still ask for a flush at any time.
 */
export type FlushStrategy =
  | SyncFlushStrategy
  | AsyncFlushStrategy
  | BatchedFlushStrategy
  | PeriodicFlushStrategy
  | BatchedOrPeriodicFlushStrategy;

/** Every append is flushed before it returns. A crash loses nothing that was acknowledged. */
export interface SyncFlushStrategy {
  readonly kind: "sync";
}

/** Appends never wait and no record count or time leads to a flush; only memory does. */
export interface AsyncFlushStrategy {
  readonly kind: "async";
  /** Unflushed bytes at which a flush is due all the same. Default 4 MiB; 1 to 2^53 - 1. */
  readonly maxPendingBytes?: number | undefined;
}

/** A flush every so many records. A crash loses at most what was appended since the last one. */
export interface BatchedFlushStrategy {
  readonly kind: "batched";
  /** Unflushed records at which a flush is due. 1 to 2^31 - 1. */
  readonly batchSize: number;
  /** Unflushed bytes at which a flush is due as well. Default: no such bound; 1 to 2^53 - 1. */
  readonly maxBytes?: number | undefined;
}

/** A flush so long after the first unflushed append. Nothing unflushed: nothing due, so an idle log stays idle. */
export interface PeriodicFlushStrategy {
  readonly kind: "periodic";
  /** Milliseconds from the first unflushed append to the flush. 1 to 2^31 - 1. */
  readonly intervalMs: number;
  /** As in {@link BatchedFlushStrategy}. */
  readonly maxBytes?: number | undefined;
}

/** Whichever comes first of a batch and an interval. */
export interface BatchedOrPeriodicFlushStrategy {
  readonly kind: "batched-or-periodic";
  /** As in {@link BatchedFlushStrategy}. */
  readonly batchSize: number;
  /** As in {@link PeriodicFlushStrategy}. */
  readonly intervalMs: number;
  /** As in {@link BatchedFlushStrategy}. */
  readonly maxBytes?: number | undefined;
}

/** A checked, frozen strategy. A bound that was not set is `undefined`; `maxPendingBytes` is always a number. */
export type ResolvedFlushStrategy =
  | SyncFlushStrategy
  | (AsyncFlushStrategy & { readonly maxPendingBytes: number })
  | (BatchedFlushStrategy & { readonly maxBytes: number | undefined })
  | (PeriodicFlushStrategy & { readonly maxBytes: number | undefined })
  | (BatchedOrPeriodicFlushStrategy & { readonly maxBytes: number | undefined });

/**
 * The default of {@link AsyncFlushStrategy.maxPendingBytes}: two encode buffers of 4 MiB keep a disk busy, and more
 * unflushed memory only widens what a crash loses.
 */
export const defaultMaxPendingBytes: number = 4 * 2 ** 20;

/** 100 records or one second, whichever comes first. */
export const defaultFlushStrategy: ResolvedFlushStrategy = Object.freeze({
  kind: "batched-or-periodic",
  batchSize: 100,
  intervalMs: 1000,
  maxBytes: undefined,
});

type Bound = "batchSize" | "intervalMs" | "maxBytes" | "maxPendingBytes";

const highest: Readonly<Record<Bound, number>> = {
  batchSize: 2 ** 31 - 1,
  // A platform timer with a longer delay fires at once: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args
  intervalMs: 2 ** 31 - 1,
  maxBytes: Number.MAX_SAFE_INTEGER,
  maxPendingBytes: Number.MAX_SAFE_INTEGER,
};

const shapes: Readonly<
  Record<FlushStrategy["kind"], { readonly required: readonly Bound[]; readonly optional: readonly Bound[] }>
> = {
  sync: { required: [], optional: [] },
  async: { required: [], optional: ["maxPendingBytes"] },
  batched: { required: ["batchSize"], optional: ["maxBytes"] },
  periodic: { required: ["intervalMs"], optional: ["maxBytes"] },
  "batched-or-periodic": { required: ["batchSize", "intervalMs"], optional: ["maxBytes"] },
};

/**
 * Fills in defaults and checks every rule.
 * @param input as it came from the caller or from a file; `undefined` means {@link defaultFlushStrategy}
 * @param problems collects one sentence per broken rule, each beginning with the setting's name, so that the owner
 *   of more settings can report them all together. When something was added, the returned value is the default
 *   strategy and must not be used.
 * @param name what the setting is called in those sentences
 * @returns a frozen copy
 * @throws RangeError listing every broken rule, one a line, when `problems` is left out
 */
export function resolveFlushStrategy(
  input: FlushStrategy | undefined,
  problems?: string[],
  name = "flushStrategy",
): ResolvedFlushStrategy {
  if (input === undefined) return defaultFlushStrategy;
  const found = brokenRules(input, name);
  if (found.length === 0) return Object.freeze(withDefaults(input));
  if (problems === undefined) throw new RangeError(found.join("\n"));
  problems.push(...found);
  return defaultFlushStrategy;
}

function withDefaults(input: FlushStrategy): ResolvedFlushStrategy {
  switch (input.kind) {
    case "sync":
      return { kind: input.kind };
    case "async":
      return { kind: input.kind, maxPendingBytes: input.maxPendingBytes ?? defaultMaxPendingBytes };
    case "batched":
      return { kind: input.kind, batchSize: input.batchSize, maxBytes: input.maxBytes };
    case "periodic":
      return { kind: input.kind, intervalMs: input.intervalMs, maxBytes: input.maxBytes };
    case "batched-or-periodic":
      return {
        kind: input.kind,
        batchSize: input.batchSize,
        intervalMs: input.intervalMs,
        maxBytes: input.maxBytes,
      };
  }
}

/** Settings come from files as often as from typed code, so nothing about the input's shape is taken for granted. */
function brokenRules(input: unknown, name: string): string[] {
  if (typeof input !== "object" || input === null) return [`${name}: got ${show(input)}, want an object with a kind`];
  const given = input as Readonly<Record<string, unknown>>;
  const kind = given["kind"];
  const shape =
    typeof kind === "string" && Object.hasOwn(shapes, kind) ? shapes[kind as FlushStrategy["kind"]] : undefined;
  if (shape === undefined) return [`${name}.kind: got ${show(kind)}, want one of ${Object.keys(shapes).join(", ")}`];

  const problems: string[] = [];
  for (const bound of shape.required) checkBound(bound, given[bound], name, problems);
  for (const bound of shape.optional) {
    if (given[bound] !== undefined) checkBound(bound, given[bound], name, problems);
  }
  const known: readonly string[] = ["kind", ...shape.required, ...shape.optional];
  for (const key of Object.keys(given)) {
    // A bound that the kind does not have would be accepted and never applied.
    if (!known.includes(key) && given[key] !== undefined) {
      problems.push(`${name}.${key}: not a setting of "${String(kind)}", which has ${known.join(", ")}`);
    }
  }
  return problems;
}

function checkBound(bound: Bound, value: unknown, name: string, problems: string[]): void {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= highest[bound]) return;
  problems.push(`${name}.${bound}: got ${show(value)}, want an integer in 1..${highest[bound]}`);
}

function show(value: unknown): string {
  const text =
    typeof value === "string"
      ? JSON.stringify(value)
      : typeof value === "object" && value !== null
        ? "an object"
        : String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

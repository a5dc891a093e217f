/** How a store goes about its requests. */
import { unknownNames } from "../kit/unknown-names.ts";
import { StoreError } from "./store-error.ts";

/** Of every store. Each has a default. */
export interface StoreSettings {
  /** Deadline of a whole call, retries included. 1..2^31-1. Default 300 000: the upload timeout of the first design. */
  readonly callTimeoutMs?: number;
  /** Until the head of an answer is there, beside the time that what is sent takes. Default 15 000. */
  readonly requestTimeoutMs?: number;
  /** Between two pieces of an answer's body. Default 15 000. */
  readonly stallTimeoutMs?: number;
  /** A request that sends `n` bytes has `n / bytesPerSecondMin` more seconds. Default 128 KiB. */
  readonly bytesPerSecondMin?: number;
  /** `false`: every request is tried once. */
  readonly retry?: RetrySettings | false;
  /** Default of the uploads' `partBytes`. Default 8 MiB. */
  readonly partBytes?: number;
  /** Default of the uploads' `concurrency`, and of `getRanges` and `deleteMany`. 1..64. Default 4. */
  readonly concurrency?: number;
}

/** When a request is tried again. */
export interface RetrySettings {
  /** Attempts of one request, the first included. 1..100. Default 6. */
  readonly attemptsMax?: number;
  /** The first wait is random in 0..`baseDelayMs`; each further one in twice that. Default 50. */
  readonly baseDelayMs?: number;
  /** Longest wait. Default 5000. A store that asks for a longer one gets it. */
  readonly maxDelayMs?: number;
  /**
   * Retries that may be spent at once; each request that succeeds gives back a tenth of one. When the store is down, the
   * budget is soon spent and calls fail at their first error instead of making it worse. Default 100.
   */
  readonly budget?: number;
}

/** With every default filled in. */
export interface ResolvedStoreSettings {
  readonly callTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly bytesPerSecondMin: number;
  readonly retry: Required<RetrySettings>;
  readonly partBytes: number;
  readonly concurrency: number;
}

/** Timers of the platform hold 31 bits: beyond that they fire at once. */
export const timeoutMsMax: number = 2 ** 31 - 1;

interface Rule {
  readonly from: number;
  readonly to: number;
  readonly preset: number;
}

const rules: Readonly<Record<string, Rule>> = {
  callTimeoutMs: { from: 1, to: timeoutMsMax, preset: 300_000 },
  requestTimeoutMs: { from: 1, to: timeoutMsMax, preset: 15_000 },
  stallTimeoutMs: { from: 1, to: timeoutMsMax, preset: 15_000 },
  bytesPerSecondMin: { from: 1, to: 2 ** 40, preset: 128 * 1024 },
  partBytes: { from: 1, to: 5 * 2 ** 30, preset: 8 * 2 ** 20 },
  concurrency: { from: 1, to: 64, preset: 4 },
};

const retryRules: Readonly<Record<string, Rule>> = {
  attemptsMax: { from: 1, to: 100, preset: 6 },
  baseDelayMs: { from: 0, to: 600_000, preset: 50 },
  maxDelayMs: { from: 0, to: 600_000, preset: 5000 },
  budget: { from: 0, to: 1_000_000, preset: 100 },
};

/**
 * @param otherNames that may stand beside the settings where they were given: a message about an unknown name lists them
 * @throws StoreError `INVALID_ARGUMENT` with every problem
 */
export function resolveStoreSettings(
  settings: StoreSettings = {},
  otherNames: readonly string[] = [],
): ResolvedStoreSettings {
  if (!isPlainObject(settings)) throw refused(["want an object"]);
  const { retry = {}, ...others } = settings;
  const problems: string[] = [];
  const numbers = resolveNumbers(others, rules, "", ["retry", ...otherNames], problems);
  const tries = resolveRetry(retry, problems);
  if (problems.length > 0) throw refused(problems);
  return { ...(numbers as Omit<ResolvedStoreSettings, "retry">), retry: tries as Required<RetrySettings> };
}

/** Settings without those that are undefined. @throws StoreError `INVALID_ARGUMENT` */
export function givenSettings(settings: StoreSettings): StoreSettings {
  if (!isPlainObject(settings)) throw refused(["want an object"]);
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function refused(problems: readonly string[]): StoreError {
  return new StoreError("INVALID_ARGUMENT", `store settings: ${problems.join("; ")}`, { operation: "settings" });
}

function resolveRetry(retry: unknown, problems: string[]): Record<string, unknown> {
  if (retry === false) return resolveNumbers({ attemptsMax: 1 }, retryRules, "retry.", [], problems);
  if (isPlainObject(retry)) return resolveNumbers(retry, retryRules, "retry.", [], problems);
  problems.push("retry: want an object of numbers, or false");
  return {};
}

/** Names that are undefined have their default. */
function resolveNumbers(
  given: object,
  wanted: Readonly<Record<string, Rule>>,
  path: string,
  otherNames: readonly string[],
  problems: string[],
): Record<string, unknown> {
  const names = [...Object.keys(wanted), ...otherNames];
  problems.push(...unknownNames(given, names, path));
  const resolved: Record<string, unknown> = {};
  for (const [name, { from, to, preset }] of Object.entries(wanted)) {
    const { [name]: value = preset } = given as Readonly<Record<string, unknown>>;
    if (typeof value !== "number" || !Number.isInteger(value) || value < from || value > to) {
      problems.push(`${path}${name}: got ${textOf(value)}, want a whole number in ${from}..${to}`);
    }
    resolved[name] = value;
  }
  return resolved;
}

function textOf(value: unknown): string {
  return typeof value === "number" || value === null ? String(value) : `a ${typeof value}`;
}

/** Not a list, a map, a function or a number: of those the names would be looked for in vain, and the defaults taken. */
export function isPlainObject(value: unknown): value is object {
  return Object.prototype.toString.call(value) === "[object Object]";
}

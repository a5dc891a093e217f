/**
 * The command-line form of a strategy, as a pair of pure functions:
 *
 *     sync | async | batched:RECORDS | periodic:MS | batched-or-periodic:RECORDS:MS
 *
 * each optionally followed by `@BYTES`, the byte bound (not after `sync`, which has none).
 */
import {
  defaultMaxPendingBytes,
  type FlushStrategy,
  type ResolvedFlushStrategy,
  resolveFlushStrategy,
} from "./flush-strategy.ts";

/** The accepted forms, for usage texts. */
export const flushStrategyForms: readonly string[] = [
  "sync",
  "async[@BYTES]",
  "batched:RECORDS[@BYTES]",
  "periodic:MS[@BYTES]",
  "batched-or-periodic:RECORDS:MS[@BYTES]",
];

/**
 * Reads the command-line form.
 * @param text for example `batched:100`, `async@1048576` or `batched-or-periodic:100:1000`; decimal digits only
 * @returns the strategy, checked as {@link resolveFlushStrategy} does; `parse(format(x))` equals `resolve(x)`
 * @throws RangeError naming the accepted forms, or every bound that is out of range
 */
export function parseFlushStrategy(text: string): ResolvedFlushStrategy {
  const match = /^(?<kind>[a-z-]+)(?<numbers>(?::\d{1,16})*)(?:@(?<bytes>\d{1,16}))?$/.exec(text);
  const numbers = (match?.groups?.["numbers"] ?? "").split(":").slice(1).map(Number);
  const bytes = match?.groups?.["bytes"] === undefined ? undefined : Number(match.groups["bytes"]);
  const strategy = assemble(match?.groups?.["kind"], numbers, bytes);
  if (strategy === undefined) {
    throw new RangeError(
      `flush strategy: got ${JSON.stringify(text.slice(0, 60))}, want ${flushStrategyForms.join(" | ")}`,
    );
  }
  return resolveFlushStrategy(strategy, undefined, "flush strategy");
}

/**
 * Writes the command-line form, the inverse of {@link parseFlushStrategy}.
 * @throws RangeError when the strategy breaks a rule
 */
export function formatFlushStrategy(strategy: FlushStrategy): string {
  const resolved = resolveFlushStrategy(strategy);
  switch (resolved.kind) {
    case "sync":
      return "sync";
    case "async":
      // The default bound is left out, so that the common form is the short one.
      return `async${suffix(resolved.maxPendingBytes === defaultMaxPendingBytes ? undefined : resolved.maxPendingBytes)}`;
    case "batched":
      return `batched:${resolved.batchSize}${suffix(resolved.maxBytes)}`;
    case "periodic":
      return `periodic:${resolved.intervalMs}${suffix(resolved.maxBytes)}`;
    case "batched-or-periodic":
      return `batched-or-periodic:${resolved.batchSize}:${resolved.intervalMs}${suffix(resolved.maxBytes)}`;
  }
}

function suffix(bytes: number | undefined): string {
  return bytes === undefined ? "" : `@${bytes}`;
}

/** The strategy a well-formed text spells, with its numbers unchecked; `undefined` when the parts do not fit the kind. */
function assemble(
  kind: string | undefined,
  numbers: readonly number[],
  bytes: number | undefined,
): FlushStrategy | undefined {
  const [first, second] = numbers;
  if (kind === "sync" && numbers.length === 0 && bytes === undefined) return { kind };
  if (kind === "async" && numbers.length === 0) return { kind, maxPendingBytes: bytes };
  if (kind === "batched" && numbers.length === 1 && first !== undefined) {
    return { kind, batchSize: first, maxBytes: bytes };
  }
  if (kind === "periodic" && numbers.length === 1 && first !== undefined) {
    return { kind, intervalMs: first, maxBytes: bytes };
  }
  if (kind === "batched-or-periodic" && numbers.length === 2 && first !== undefined && second !== undefined) {
    return { kind, batchSize: first, intervalMs: second, maxBytes: bytes };
  }
  return undefined;
}

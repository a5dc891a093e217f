/** Numbers among a wrapper's options, checked before anything is built. */
import { StoreError } from "../store-error.ts";

/** What a number must be. */
export interface NumberRule {
  readonly from: number;
  readonly to: number;
  /** Whole numbers only. */
  readonly isWhole: boolean;
}

/** @returns what is wrong with `options`, as ends of sentences; what is undefined is right */
export function numberProblems(options: object, rules: Readonly<Record<string, NumberRule>>): string[] {
  return Object.entries(rules).flatMap(([name, { from, to, isWhole }]) => {
    const value: unknown = (options as Readonly<Record<string, unknown>>)[name];
    if (value === undefined) return [];
    const isRight = typeof value === "number" && value >= from && value <= to && (!isWhole || Number.isInteger(value));
    const got = typeof value === "number" ? String(value) : `a ${typeof value}`;
    return isRight ? [] : [`${name}: got ${got}, want a ${isWhole ? "whole " : ""}number in ${from}..${to}`];
  });
}

/** @throws StoreError `INVALID_ARGUMENT` when there are problems */
export function refuseOptions(operation: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new StoreError("INVALID_ARGUMENT", `${operation}: ${problems.join("; ")}`, { operation });
}

/** Ids, counts and places in a log as people type them. Pure: the time of day comes as an argument. */
import type { ReadFrom, ReadOptions } from "@varve/aof";
import { usageError } from "../cli-error.ts";
import { looksLikeDuration, parseDurationMs } from "./duration.ts";
import { parseTimeUs } from "./time.ts";

/** What `--from` and `--to` accept, for help. */
export const placeForms = "an id, a time (2026-11-21T03:18:10Z, UTC unless it says otherwise) or an age (15m, 2h, 3d)";

/** @throws CliError `USAGE` unless `text` is a record's id, 1 to 2^53 - 1, in digits */
export function parseId(text: string, name: string): number {
  const id = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(id) || id < 1) {
    throw usageError(`${name}: got ${JSON.stringify(text)}, want a record's id: a whole number from 1 to 2^53 - 1`);
  }
  return id;
}

/** @throws CliError `USAGE` unless `text` is a whole number of 0 or more, in digits */
export function parseCount(text: string, name: string): number {
  const count = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(count)) {
    throw usageError(`${name}: got ${JSON.stringify(text)}, want a whole number of 0 or more`);
  }
  return count;
}

/** `--from`: an id, `earliest`, `tail`, a time or an age. @throws CliError `USAGE` */
export function parseFrom(text: string, nowUs: number): ReadFrom {
  if (text === "earliest" || text === "tail") return text;
  return parsePlace(text, "--from", nowUs);
}

/** `--to`: an id, a time or an age; inclusive. @throws CliError `USAGE` */
export function parseUntil(text: string, nowUs: number): NonNullable<ReadOptions["until"]> {
  return parsePlace(text, "--to", nowUs);
}

/** A place that is neither end of the log. Digits alone are an id, with a unit an age, with dashes a time. */
function parsePlace(text: string, name: string, nowUs: number): number | { readonly timestampUs: number } {
  if (/^\d+$/.test(text)) return parseId(text, name);
  if (looksLikeDuration(text)) return { timestampUs: Math.max(0, nowUs - parseDurationMs(text, name) * 1000) };
  if (/^\d{4}-/.test(text)) return { timestampUs: parseTimeUs(text, name) };
  const ends = name === "--from" ? "earliest, tail, " : "";
  throw usageError(`${name}: got ${JSON.stringify(text)}, want ${ends}${placeForms}`);
}

/** Which options each call takes. A misspelt `expectedId` would otherwise be an append without a condition. */
import { namesOf, unknownNames } from "@varve/fs-core";
import type { CursorOptions, CursorWaitOptions } from "./cursor.ts";
import { AofError } from "./errors.ts";
import type { ReadOptions } from "./read-options.ts";
import type { AppendOptions, BatchRecord, DurableAppendOptions } from "./record-input.ts";
import type { TrimOptions } from "./retention-report.ts";

/** A call that takes options; `wait` is every one that has only a signal. */
export type CallName = "append" | "batch record" | "cursor" | "read" | "get" | "trim" | "applyRetention" | "wait";

const optionNames: Readonly<Record<CallName, readonly string[]>> = {
  append: namesOf<AppendOptions & DurableAppendOptions>({
    ...{ timestampUs: true, headers: true, ttlMs: true, durability: true },
    ...{ expectedId: true, dedupeKey: true, signal: true },
  }),
  "batch record": namesOf<BatchRecord>({ payload: true, headers: true, ttlMs: true }),
  cursor: namesOf<CursorOptions>({ signal: true, from: true }),
  read: namesOf<ReadOptions>({
    ...{ from: true, until: true, limit: true, follow: true, borrow: true },
    ...{ reverse: true, onTrimmed: true, visibility: true, signal: true },
  }),
  get: ["visibility"],
  trim: namesOf<TrimOptions>({ dryRun: true, force: true }),
  applyRetention: ["dryRun"],
  wait: namesOf<CursorWaitOptions>({ signal: true }),
};

/** @throws AofError `INVALID_ARGUMENT` naming every option that the call does not take */
export function assertKnownOptions(name: CallName, options: object): void {
  const problems = unknownNames(options, optionNames[name]);
  if (problems.length > 0) throw new AofError("INVALID_ARGUMENT", `${name}: ${problems.join("; ")}`);
}

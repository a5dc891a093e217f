import { AofError } from "./errors.ts";
import { assertKnownOptions } from "./known-options.ts";
import type { Visibility } from "./log-view.ts";

/** Where reading begins. */
export type ReadFrom =
  | number
  /** The first record that is not older; in reverse the newest that is not newer. */
  | { readonly timestampUs: number }
  | "earliest"
  /** After the newest record that may be seen at the moment of the call: with `follow`, only what comes. In reverse: the newest itself. */
  | "tail";

/** What an iterator yields, and when it ends. */
export interface ReadOptions {
  /** Default `"earliest"`, in reverse `"tail"`. An id beyond the end yields nothing, or waits with `follow`. */
  readonly from?: ReadFrom;
  /** The last record to yield, by id or as the newest time; both inclusive. In reverse: the lowest. */
  readonly until?: number | { readonly timestampUs: number };
  /** At most so many records. */
  readonly limit?: number;
  /** At the end wait for more instead of ending. Ends when the log is closed. Not with `reverse`. */
  readonly follow?: boolean;
  /**
   * Only of `readBatches`: the batch's memory is used again when the next one is asked for or the reader ends, so payloads
   * are good until then. Saves a copy, and the collector much work, in a scan that looks at each record once.
   */
  readonly borrow?: boolean;
  /** Newest first. */
  readonly reverse?: boolean;
  /**
   * What to do about records that retention removed: `fail` with `RECORD_TRIMMED`, or `skip` to the oldest that remains.
   * For where reading begins as for what a trim removes while reading. Default `fail`.
   */
  readonly onTrimmed?: "fail" | "skip";
  /** Default `durable`; of a read-only open `written`. */
  readonly visibility?: Visibility;
  /** Ends a wait or a read with `ABORTED`. */
  readonly signal?: AbortSignal;
}

/** @throws AofError `INVALID_ARGUMENT` naming every broken option */
export function checkReadOptions(options: ReadOptions): void {
  assertKnownOptions("read", options);
  const problems: string[] = [];
  const { from, until, limit, follow, reverse, visibility, signal } = options;
  const isId = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 1;
  const isTime = (value: unknown): boolean =>
    typeof value === "object" && value !== null && "timestampUs" in value && Number.isFinite(value.timestampUs);
  if (from !== undefined && from !== "earliest" && from !== "tail" && !isId(from) && !isTime(from)) {
    problems.push(`from: got ${JSON.stringify(from)}, want an id, { timestampUs }, "earliest" or "tail"`);
  }
  if (until !== undefined && !isId(until) && !isTime(until)) {
    problems.push(`until: got ${JSON.stringify(until)}, want an id or { timestampUs }`);
  }
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 0)) {
    problems.push(`limit: got ${String(limit)}, want an integer of 0 or more`);
  }
  for (const [name, value] of [
    ["follow", follow],
    ["reverse", reverse],
    ["borrow", options.borrow],
  ] as const) {
    if (value !== undefined && typeof value !== "boolean")
      problems.push(`${name}: got ${String(value)}, want true or false`);
  }
  if (follow === true && reverse === true) problems.push("follow: cannot be combined with reverse");
  if (visibility !== undefined && visibility !== "durable" && visibility !== "written") {
    problems.push(`visibility: got ${String(visibility)}, want durable or written`);
  }
  const { onTrimmed } = options;
  if (onTrimmed !== undefined && onTrimmed !== "fail" && onTrimmed !== "skip") {
    problems.push(`onTrimmed: got ${String(onTrimmed)}, want fail or skip`);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) problems.push("signal: want an AbortSignal");
  if (problems.length > 0) throw new AofError("INVALID_ARGUMENT", problems.join("\n"));
}

/** Whatever was thrown, as what the user is told. */
import { type AofError, isAofError } from "@varve/aof";
import { CliError } from "./cli-error.ts";
import { exitCodeOf, type FailureCode } from "./exit-codes.ts";
import { nextStep } from "./next-step.ts";

/** One failure, complete. Plain JSON. */
export interface Failure {
  readonly code: FailureCode;
  readonly message: string;
  /** The next step. */
  readonly hint?: string;
  /** The log's directory. */
  readonly dir?: string;
  /** File, relative to it. */
  readonly path?: string;
  readonly segmentId?: number;
  /** Byte in the segment, or in standard input for `CUT_FRAME` and `SEGMENT_FULL`. */
  readonly offset?: number;
  readonly recordId?: number;
  readonly earliestId?: number;
  /** Line of standard input, from 1. */
  readonly line?: number;
  readonly exitCode: number;
}

/** @param place the verb and directory, as far as they are known */
export function toFailure(
  error: unknown,
  place: { readonly verb?: string | undefined; readonly dir?: string | undefined },
): Failure {
  const origin = firstCause(error);
  const { code, message, hint, ...where } = describe(origin);
  const next = hint ?? nextStep(code, { verb: place.verb, dir: place.dir, earliestId: where.earliestId });
  return {
    code,
    message,
    ...(next === undefined ? {} : { hint: next }),
    ...(place.dir === undefined ? {} : { dir: place.dir }),
    ...where,
    exitCode: exitCodeOf(code),
  };
}

/** For people, on standard error: one line, and one for the next step. */
export function failureText(failure: Failure, verb: string | undefined): string {
  const command = verb === undefined ? "varve" : `varve ${verb}`;
  const at = failure.dir === undefined ? "" : ` ${failure.dir}`;
  const next = failure.hint === undefined ? "" : `\nNext: ${failure.hint}`;
  return `${command}${at}: ${failure.message} [${failure.code}]${next}\n`;
}

/** For programs, on standard error: one line of JSON. */
export function failureJson(failure: Failure): string {
  return `${JSON.stringify({ error: failure })}\n`;
}

type Description = Omit<Failure, "dir" | "exitCode">;

function describe(error: unknown): Description {
  if (error instanceof CliError) {
    const { code, message, hint, line, offset, recordId } = error;
    return { code, message, ...present({ hint, line, offset, recordId }) };
  }
  if (isAofError(error)) {
    const { code, message, path, segmentId, offset, recordId, earliestId } = error;
    return { code, message, ...present({ path, segmentId, offset, recordId, earliestId }) };
  }
  return {
    code: "INTERNAL",
    message: `this should not have happened: ${error instanceof Error ? error.message : String(error)}`,
  };
}

/** `POISONED` only says that something failed before: what did is the news. */
function firstCause(error: unknown): unknown {
  let origin = error;
  while (isAofError(origin) && standsForItsCause(origin) && isAofError(origin.cause)) origin = origin.cause;
  return origin;
}

function standsForItsCause({ code }: AofError): boolean {
  return code === "POISONED" || code === "APPEND_TO_NEW_SEGMENT_FAILED" || code === "NO_CURRENT_SEGMENT";
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
}

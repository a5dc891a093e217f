import type { CliErrorCode, FailureCode } from "./exit-codes.ts";

/** Where in the input, and what to do next. Every field is safe to print. */
export interface CliErrorContext extends ErrorOptions {
  /** The next step, as a sentence. Default: what `next-step.ts` says for the code. */
  readonly hint?: string;
  /** Line of standard input, from 1. */
  readonly line?: number;
  /** Byte of standard input, from 0. */
  readonly offset?: number;
  readonly recordId?: number;
}

/** What the command can find out before the log would say it. */
type LogErrorCode = Extract<
  FailureCode,
  "SEGMENT_FULL" | "UNSUPPORTED" | "NOT_FOUND" | "NOT_A_LOG" | "PERMISSION_DENIED" | "IO"
>;

/** A failure that the command itself found. */
export class CliError extends Error {
  override readonly name: string = "CliError";
  readonly code: FailureCode;
  readonly hint: string | undefined;
  readonly line: number | undefined;
  readonly offset: number | undefined;
  readonly recordId: number | undefined;

  constructor(code: CliErrorCode | LogErrorCode, message: string, context: CliErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.code = code;
    this.hint = context.hint;
    this.line = context.line;
    this.offset = context.offset;
    this.recordId = context.recordId;
  }
}

/** `USAGE`: what was typed is not accepted. */
export function usageError(message: string, hint?: string): CliError {
  return new CliError("USAGE", message, hint === undefined ? {} : { hint });
}

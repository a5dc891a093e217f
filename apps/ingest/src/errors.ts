import type { AofErrorCode } from "@varve/aof";

/** What the drill itself refuses or fails with, ordered by what to do. */
export const ingestErrorCodes = [
  "USAGE", // mend the command line
  "NO_INPUT", // the named input is not there
  "INPUT_UNREADABLE", // the input is there but cannot be read
  "LINE_TOO_LONG", // a line is longer than a record may be
  "CHILD_FAILED", // a process that the drill started failed; `reason` is its code when it had one
  "STALLED", // nothing happened for so long that waiting on makes no sense
] as const;

/** One of {@link ingestErrorCodes}. */
export type IngestErrorCode = (typeof ingestErrorCodes)[number];

/** The drill's own error. Failures of the log are `AofError`, failures of files `StorageError`. */
export class IngestError extends Error {
  override readonly name: string = "IngestError";
  readonly code: IngestErrorCode;
  /** With `CHILD_FAILED`: what the log in the child failed with. */
  readonly reason: AofErrorCode | undefined;

  constructor(
    code: IngestErrorCode,
    message: string,
    options: ErrorOptions & { readonly reason?: AofErrorCode | undefined } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.reason = options.reason;
  }
}

/**
 * Every exit code of the command and what leads to it: the one place where a failure becomes a number.
 * Ordered by what a script should do next, as the error codes of `@varve/aof` are.
 */
import { constants } from "node:os";
import type { AofErrorCode } from "@varve/aof";

/** Exit codes are API: a script may test them. A signal ends with 128 plus its number instead. */
export const exitCode = {
  /** Done. Also when whoever read stdout had enough and left. */
  ok: 0,
  /** Mend the command line, its input, or the answer to a question. */
  usage: 1,
  /** Look elsewhere: no log, no such record, or somebody else's directory. */
  notFound: 2,
  /** Upgrade, or use another platform: written by a newer version, or not possible here. */
  unsupported: 3,
  /** Call the operator: the disk, the permissions, or standard input or output failed. */
  io: 4,
  /** Restore from a copy, or repair: what was durable is damaged. */
  damaged: 5,
  /** Wait, or stop the other writer. */
  locked: 6,
  /** A defect of this program: report it. */
  internal: 7,
} as const;

/** One of {@link exitCode}. */
export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** What the command itself refuses or fails with, beside what the log says. Codes are API. */
export const cliErrorCodes = [
  "USAGE", // a verb, option, operand or value that is not accepted
  "CUT_FRAME", // length framing: the input ended inside a frame
  "NOT_CONFIRMED", // the question was answered with no, or could not be asked
  "NO_SUCH_RECORD", // an id that the log does not hold yet
  "INPUT", // standard input could not be read
  "OUTPUT", // standard output could not be written
  "INTERNAL", // nothing that should ever be seen
] as const;

/** One of {@link cliErrorCodes}. */
export type CliErrorCode = (typeof cliErrorCodes)[number];

/** Any code that a failure of the command carries. */
export type FailureCode = AofErrorCode | CliErrorCode;

const byCode: Readonly<Record<FailureCode, ExitCode>> = {
  USAGE: exitCode.usage,
  CUT_FRAME: exitCode.usage,
  NOT_CONFIRMED: exitCode.usage,
  INVALID_SETTINGS: exitCode.usage,
  INVALID_SEGMENT_SIZE: exitCode.usage,
  INVALID_ARGUMENT: exitCode.usage,
  SEGMENT_FULL: exitCode.usage,
  UNEXPECTED_ID: exitCode.usage,
  KEY_REQUIRED: exitCode.usage,
  KEY_NOT_FOUND: exitCode.usage,
  WRONG_KEY: exitCode.usage,

  NOT_FOUND: exitCode.notFound,
  NOT_A_LOG: exitCode.notFound,
  NO_SUCH_RECORD: exitCode.notFound,
  RECORD_TRIMMED: exitCode.notFound,

  FORMAT_TOO_NEW: exitCode.unsupported,
  UNSUPPORTED: exitCode.unsupported,

  INPUT: exitCode.io,
  OUTPUT: exitCode.io,
  NO_SPACE: exitCode.io,
  PERMISSION_DENIED: exitCode.io,
  IO: exitCode.io,
  FILESYSTEM: exitCode.io,
  INDEX: exitCode.io,
  REMOTE_STORAGE: exitCode.io,
  // These three stand for an earlier failure; `failure.ts` reports that one instead when it is known.
  POISONED: exitCode.io,
  NO_CURRENT_SEGMENT: exitCode.io,
  APPEND_TO_NEW_SEGMENT_FAILED: exitCode.io,

  CORRUPTED_RECORD: exitCode.damaged,
  CORRUPTED_SEGMENT: exitCode.damaged,
  CORRUPTED_MANIFEST: exitCode.damaged,
  SERIALIZATION: exitCode.damaged,
  COMPRESSION: exitCode.damaged,
  CORRUPTED_CURSORS: exitCode.damaged,
  CORRUPTED_KEYS: exitCode.damaged,
  TAMPERED_RECORD: exitCode.damaged,

  LOCKED: exitCode.locked,
  FENCED: exitCode.locked,

  // A verb waits for room and closes what it opens, so none of these should reach the end of one.
  BACKPRESSURE: exitCode.internal,
  WOULD_BLOCK: exitCode.internal,
  READER_LIMIT_EXCEEDED: exitCode.internal,
  CLOSED: exitCode.internal,
  ABORTED: exitCode.internal,
  INTERNAL: exitCode.internal,
};

/** The exit code that a failure ends the process with. */
export function exitCodeOf(code: FailureCode): ExitCode {
  return byCode[code];
}

/** The exit code after a signal, as shells count: 130 for SIGINT, 143 for SIGTERM. */
export function exitCodeOfSignal(signal: NodeJS.Signals): number {
  return 128 + (constants.signals[signal] ?? 0);
}

import { type AofErrorCode, isAofError } from "@varve/aof";
import { isStorageError } from "@varve/fs-core";
import { IngestError, type IngestErrorCode } from "./errors.ts";

/** Every way the program can end, and no other. */
export const exitCodes = {
  ok: 0,
  usage: 1,
  notFound: 2,
  tooNew: 3,
  io: 4,
  /** A check failed, or the log says that it is damaged. */
  damaged: 5,
  locked: 6,
  /** A defect of this program. */
  internal: 7,
} as const;

/** What the program ends with after a signal: 128 and the signal's number. */
export const exitCodesBySignal = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

const byIngestCode: Readonly<Record<IngestErrorCode, number>> = {
  USAGE: exitCodes.usage,
  NO_INPUT: exitCodes.notFound,
  INPUT_UNREADABLE: exitCodes.io,
  LINE_TOO_LONG: exitCodes.usage,
  CHILD_FAILED: exitCodes.internal,
  STALLED: exitCodes.internal,
};

const byAofCode: Readonly<Partial<Record<AofErrorCode, number>>> = {
  NOT_FOUND: exitCodes.notFound,
  FORMAT_TOO_NEW: exitCodes.tooNew,
  NO_SPACE: exitCodes.io,
  PERMISSION_DENIED: exitCodes.io,
  IO: exitCodes.io,
  FILESYSTEM: exitCodes.io,
  INDEX: exitCodes.io,
  POISONED: exitCodes.io,
  APPEND_TO_NEW_SEGMENT_FAILED: exitCodes.io,
  NOT_A_LOG: exitCodes.damaged,
  CORRUPTED_RECORD: exitCodes.damaged,
  CORRUPTED_SEGMENT: exitCodes.damaged,
  CORRUPTED_MANIFEST: exitCodes.damaged,
  SERIALIZATION: exitCodes.damaged,
  LOCKED: exitCodes.locked,
  FENCED: exitCodes.locked,
};

/** The exit code for a failure that ended the run. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof IngestError) {
    const byReason = error.reason === undefined ? undefined : byAofCode[error.reason];
    return byReason ?? byIngestCode[error.code];
  }
  if (isAofError(error)) return byAofCode[error.code] ?? exitCodes.internal;
  if (isStorageError(error)) return error.code === "LOCKED" ? exitCodes.locked : exitCodes.io;
  return exitCodes.internal;
}

import { isUtf8 } from "node:buffer";
import type { AofRecord } from "@varve/aof";
import { CliError } from "../cli-error.ts";
import { formatSize } from "../values/size.ts";
import { formatTimeUs } from "../values/time.ts";

/** A record as `--json` shows it. */
export interface JsonRecord {
  readonly id: number;
  /** ISO 8601 with microseconds, UTC. */
  readonly timestamp: string;
  readonly timestampUs: number;
  /** Text when the bytes are valid UTF-8, which makes it exact; base64 otherwise. */
  readonly payload: string;
  /** Only with base64. */
  readonly encoding?: "base64";
}

/** @throws CliError `UNSUPPORTED` when the record is longer than a string can be */
export function toJsonRecord(record: AofRecord): JsonRecord {
  const { id, timestampUs, payload } = record;
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const stamp = { id, timestamp: formatTimeUs(timestampUs), timestampUs };
  try {
    if (isUtf8(bytes)) return { ...stamp, payload: bytes.toString("utf8") };
    return { ...stamp, payload: bytes.toString("base64"), encoding: "base64" };
  } catch (error) {
    throw tooLongForText(record, error);
  }
}

/** One line of JSON, newline included. @throws CliError as {@link toJsonRecord} */
export function toJsonLine(record: AofRecord): string {
  const json = toJsonRecord(record);
  try {
    return `${JSON.stringify(json)}\n`;
  } catch (error) {
    throw tooLongForText(record, error);
  }
}

function tooLongForText({ id, payload }: AofRecord, cause: unknown): CliError {
  return new CliError("UNSUPPORTED", `record ${id} (${formatSize(payload.length)}) is too long for a line of JSON`, {
    recordId: id,
    hint: "Read it without --json, with --framing none.",
    cause,
  });
}

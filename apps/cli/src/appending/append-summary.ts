import type { RecoveryReport } from "@varve/aof";
import { formatDurationMs } from "../values/duration.ts";
import { formatCount, formatSize } from "../values/size.ts";
import { countOf, idRange } from "../values/words.ts";

/** What an `append` did. Plain JSON. */
export interface AppendSummary {
  readonly records: number;
  /** Payload bytes. */
  readonly bytes: number;
  /** null when nothing was appended. */
  readonly firstId: number | null;
  readonly lastId: number | null;
  /** Everything up to here survives power loss. Below `lastId` only after a failure. */
  readonly durableId: number;
  /** Ids printed; null without `--ack`. */
  readonly acknowledged: number | null;
  readonly seconds: number;
  readonly recordsPerSecond: number;
  /** Why it ended. */
  readonly ended: "input-end" | "signal" | "output-closed" | "failure";
  /** What opening the log found. */
  readonly recovery: Pick<RecoveryReport, "outcome" | "messages">;
}

/** The same for people, one line. */
export function summaryText(summary: AppendSummary): string {
  const { records, bytes, firstId, lastId, durableId, seconds, ended } = summary;
  const why = { "input-end": "", signal: "stopped: ", "output-closed": "stdout was closed: ", failure: "failed: " }[
    ended
  ];
  if (firstId === null || lastId === null) return `${why}appended nothing`;
  const rate = `${formatDurationMs(seconds * 1000)}, ${formatCount(summary.recordsPerSecond)} records/s`;
  const lost = durableId < lastId ? `; durable only up to id ${durableId}` : "";
  return `${why}appended ${countOf(records, "record")}, ${formatSize(bytes)}, as ${idRange(firstId, lastId)} (${rate})${lost}`;
}

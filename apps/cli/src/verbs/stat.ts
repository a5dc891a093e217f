import { join } from "node:path";
import type { ReadOnlyLog, SegmentInfo } from "@varve/aof";
import type { Arguments } from "../arguments.ts";
import { fileSize, namesIn } from "../directory.ts";
import { exitCode } from "../exit-codes.ts";
import { withReadOnlyLog } from "../open-log.ts";
import { formatPairs } from "../table.ts";
import { formatCount, formatSize } from "../values/size.ts";
import { formatTimeUs } from "../values/time.ts";
import { countOf } from "../values/words.ts";
import { logDirectory, type Shell, type Verb } from "../verb.ts";

/** A log at a glance. Plain JSON. */
export interface LogStat {
  readonly records: number;
  /** null when the log is empty. */
  readonly firstId: number | null;
  readonly lastId: number | null;
  readonly nextId: number;
  /** Everything up to here survives power loss, as far as the files themselves say. */
  readonly durableId: number;
  readonly segments: number;
  /** `closed`: the newest segment is sealed. `open`: somebody writes it, or did when the process was killed. */
  readonly state: "closed" | "open";
  /** Headers and records. */
  readonly dataBytes: number;
  /** The segment files as they lie there: prepared space, offset tables and footers included. */
  readonly fileBytes: number;
  /** `dataBytes` by `records`; null when the log is empty. */
  readonly bytesPerRecord: number | null;
  readonly firstTimestamp: string | null;
  readonly lastTimestamp: string | null;
  readonly index: "lmdb" | "file" | "none";
}

export const stat: Verb = {
  name: "stat",
  summary: "show a log at a glance: ids, records, bytes, times",
  operands: [logDirectory],
  options: [],
  notes: [
    "Nothing is changed, no lock is taken, and only the newest segment is read: it is quick on a log of any size.",
  ],
  examples: [
    { does: "how large is it", command: "varve stat logs/orders" },
    { does: "the newest id, for a script", command: "varve stat logs/orders --json | jq .lastId" },
  ],
  run: runStat,
};

async function runStat(args: Arguments, shell: Shell): Promise<number> {
  const dir = args.operand("dir");
  const found = await withReadOnlyLog(dir, (log) => logStat(dir, log));
  await shell.output.write(args.has("json") ? `${JSON.stringify(found)}\n` : statText(found));
  return exitCode.ok;
}

async function logStat(dir: string, log: ReadOnlyLog): Promise<LogStat> {
  const segments = log.segments();
  const records = log.lastId - log.firstId + 1;
  const dataBytes = segments.reduce((sum, segment) => sum + segment.dataBytes, 0);
  const times = segments.filter((segment) => segment.recordCount > 0);
  return {
    records,
    firstId: records === 0 ? null : log.firstId,
    lastId: records === 0 ? null : log.lastId,
    nextId: log.lastId + 1,
    durableId: log.durableId,
    segments: segments.length,
    state: segments.at(-1)?.status === "active" ? "open" : "closed",
    dataBytes,
    fileBytes: await sizeOnDisk(dir, segments),
    bytesPerRecord: records === 0 ? null : Math.round((dataBytes / records) * 10) / 10,
    firstTimestamp: isoTime(times[0]?.firstTimestampUs),
    lastTimestamp: isoTime(times.at(-1)?.lastTimestampUs),
    index: await indexKind(dir),
  };
}

async function sizeOnDisk(dir: string, segments: readonly SegmentInfo[]): Promise<number> {
  let bytes = 0;
  for (const { path, fileBytes } of segments) {
    // Absent: its writer closed the log in between and removed the empty segment.
    bytes += fileBytes ?? (await fileSize(join(dir, path))) ?? 0;
  }
  return bytes;
}

async function indexKind(dir: string): Promise<LogStat["index"]> {
  const names = await namesIn(join(dir, "index"));
  if (names.includes("segments.idx")) return "file";
  return names.some((name) => name.endsWith(".mdb")) ? "lmdb" : "none";
}

function isoTime(timestampUs: number | undefined): string | null {
  return timestampUs === undefined ? null : formatTimeUs(timestampUs);
}

function statText(found: LogStat): string {
  const exact = (bytes: number): string => countOf(bytes, "byte");
  const size = (bytes: number): string => (bytes < 1024 ? exact(bytes) : `${formatSize(bytes)} (${exact(bytes)})`);
  const isEmpty = found.records === 0;
  const pairs: (readonly [string, string])[] = [
    ["records", formatCount(found.records)],
    ["ids", isEmpty ? `none, the next is ${found.nextId}` : `${found.firstId}..${found.lastId}`],
    ["durable up to", isEmpty ? "-" : `id ${found.durableId}`],
    ["from", found.firstTimestamp ?? "-"],
    ["to", found.lastTimestamp ?? "-"],
    ["state", found.state],
    ["segments", formatCount(found.segments)],
    ["data", size(found.dataBytes)],
    ["files", size(found.fileBytes)],
    ["a record takes", found.bytesPerRecord === null ? "-" : `${formatCount(found.bytesPerRecord)} bytes`],
    ["index", found.index],
  ];
  return `${formatPairs(pairs).join("\n")}\n`;
}

import type { SegmentInfo } from "@varve/aof";
import type { Arguments } from "../arguments.ts";
import { exitCode } from "../exit-codes.ts";
import { withReadOnlyLog } from "../open-log.ts";
import { type Column, formatTable } from "../table.ts";
import { formatCount, formatSize } from "../values/size.ts";
import { formatTimeUs } from "../values/time.ts";
import { logDirectory, type Shell, type Verb } from "../verb.ts";

export const segments: Verb = {
  name: "segments",
  summary: "list the segment files",
  operands: [logDirectory],
  options: [],
  notes: ["With --json an array, one object a segment, oldest first; times in microseconds since 1970."],
  examples: [
    { does: "a table", command: "varve segments logs/orders" },
    {
      does: "the files that no longer change, for a backup",
      command: "varve segments logs/orders --json | jq -r '.[] | select(.status == \"finalized\").path'",
    },
  ],
  run: runSegments,
};

const columns: readonly Column[] = [
  { title: "FIRST", align: "right" },
  { title: "LAST", align: "right" },
  { title: "RECORDS", align: "right" },
  { title: "DATA", align: "right" },
  { title: "STATUS" },
  { title: "BEGUN" },
  { title: "FILE" },
];

async function runSegments(args: Arguments, shell: Shell): Promise<number> {
  const list = await withReadOnlyLog(args.operand("dir"), async (log) => log.segments());
  const text = args.has("json") ? JSON.stringify(list) : formatTable(columns, list.map(row)).join("\n");
  await shell.output.write(`${text}\n`);
  return exitCode.ok;
}

function row(segment: SegmentInfo): string[] {
  return [
    String(segment.baseId),
    segment.recordCount === 0 ? "-" : String(segment.lastId),
    formatCount(segment.recordCount),
    formatSize(segment.dataBytes),
    segment.status,
    formatTimeUs(segment.createdAtUs).slice(0, 19).concat("Z"),
    segment.path,
  ];
}

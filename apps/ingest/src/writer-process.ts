/** The writer that gets killed: appends its share of the records, reports what is durable, and rests until the end. */
import { Aof } from "@varve/aof";
import { parseFlushStrategy } from "@varve/flush-metrics";
import { LocalFileSystem, systemClock } from "@varve/fs-core";
import { SeededRandom } from "@varve/fs-core/testing";
import { appendRecords } from "./append-loop.ts";
import { appendWays } from "./append-ways.ts";
import { fired, runChild, say } from "./child-main.ts";
import type { LogSizing } from "./drill-plan.ts";
import { RecordFile } from "./record-file.ts";

export interface WriterJob {
  readonly logDir: string;
  readonly inputDir: string;
  readonly inputPath: string;
  readonly untilId: number;
  /** In its text form. */
  readonly strategy: string;
  readonly seed: number;
  readonly sizing: LogSizing;
}

await runChild<WriterJob>(async (job, parentIsDone) => {
  const flushStrategy = parseFlushStrategy(job.strategy);
  const log = await Aof.open({ dir: job.logDir, flushStrategy, ...job.sizing });
  try {
    say({ kind: "opened", epoch: log.epoch, nextId: log.nextId });
    const records = await RecordFile.open(new LocalFileSystem(job.inputDir), job.inputPath, log.nextId);
    try {
      const ways = appendWays.filter((way) => way.suits(flushStrategy.kind));
      await appendRecords(
        log,
        records,
        { untilId: job.untilId, ways, signal: parentIsDone },
        {
          announce: (id) => say({ kind: "sending", id }),
          durable: (id, hash) => say({ kind: "durable", id, hash }),
        },
        { random: new SeededRandom(job.seed), clock: systemClock },
      );
    } finally {
      await records[Symbol.asyncDispose]();
    }
    if (!parentIsDone.aborted) say({ kind: "resting", id: log.lastId });
    await fired(parentIsDone);
  } finally {
    await log.close();
  }
});

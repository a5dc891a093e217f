/** A reader in another process: follows the log read-only, while it is written, and compares as it goes. */
import { openReadOnly } from "@varve/aof";
import { LocalFileSystem } from "@varve/fs-core";
import { runChild, say } from "./child-main.ts";
import { RecordFile } from "./record-file.ts";
import { compareWithInput } from "./tail-check.ts";

export interface FollowerJob {
  readonly logDir: string;
  readonly inputDir: string;
  readonly inputPath: string;
  readonly firstId: number;
  readonly untilId: number;
}

await runChild<FollowerJob>(async (job, parentIsDone) => {
  const log = await openReadOnly({ dir: job.logDir });
  try {
    const sent = await RecordFile.open(new LocalFileSystem(job.inputDir), job.inputPath, job.firstId);
    try {
      const batches = log.readBatches({ from: job.firstId, until: job.untilId, follow: true, signal: parentIsDone });
      say({ kind: "following", id: job.firstId });
      const outcome = await compareWithInput(batches, sent, {
        where: "a live tail in another process",
        firstId: job.firstId,
        onProgress: (id) => say({ kind: "seen", id }),
      });
      say({ kind: "followed", outcome });
    } finally {
      await sent[Symbol.asyncDispose]();
    }
  } finally {
    await log.close();
  }
});

/** The rest of the records, appended by the log that was killed so often, while two readers follow it live. */
import { Aof, type AofMetricsSnapshot, type SegmentInfo } from "@varve/aof";
import { SeededRandom } from "@varve/fs-core/testing";
import { appendRecords } from "./append-loop.ts";
import { appendWays } from "./append-ways.ts";
import { type Check, judgeTail, SequenceComparison, type SequenceOutcome } from "./checks.ts";
import { Follower, stalledReader } from "./follower.ts";
import { RecordFile } from "./record-file.ts";
import { compareWithInput } from "./tail-check.ts";
import { quietMsMax, Watchdog } from "./watchdog.ts";
import type { Workspace } from "./workspace.ts";

/** For the report. Plain JSON. */
export interface FinishReport {
  readonly firstId: number;
  readonly lastId: number;
  /** From the first append until the last record was durable. */
  readonly appendingUs: number;
  /** How long after that the slower reader had read it. */
  readonly behindUs: number;
  /** Payload bytes appended. */
  readonly bytes: number;
  readonly metrics: AofMetricsSnapshot;
  readonly segments: readonly SegmentInfo[];
}

const flushStrategy = { kind: "batched-or-periodic", batchSize: 1000, intervalMs: 10 } as const;

/** Appends up to the last record, and closes the log. */
export async function finish(seed: number, workspace: Workspace): Promise<{ report: FinishReport; checks: Check[] }> {
  const { clock, records, signal } = workspace;
  const log = await Aof.open({ dir: workspace.logDir, flushStrategy, ...workspace.sizing });
  // Ends the reader in this process when anything else fails.
  const giveUp = new AbortController();
  const stop = AbortSignal.any([signal, giveUp.signal]);
  const readers: Promise<SequenceOutcome>[] = [];
  let follower: Follower | undefined;
  try {
    const firstId = log.nextId;
    if (firstId > records) return nothingLeft(log, firstId);
    follower = await Follower.start(firstId, workspace);
    const inProcess = followInProcess(log, firstId, workspace, stop);
    const outside = follower.outcome;
    readers.push(inProcess, outside);
    // Appending need not go on when a reader failed. Which one failed first is told by `giveUp`.
    for (const reader of readers) reader.catch((error: unknown) => giveUp.abort(error));

    const beganUs = clock.monotonicUs();
    await appendRest(log, firstId, seed, workspace, stop);
    const durableUs = clock.monotonicUs();
    stop.throwIfAborted();
    const [here, there] = await Promise.all([inProcess, outside]).catch((error: unknown) => {
      giveUp.signal.throwIfAborted();
      throw error;
    });
    const behindUs = clock.monotonicUs() - durableUs;
    const checks = [
      judgeTail("tail", records, here, "a live tail in this process"),
      judgeTail("follower", records, there, "a live tail in another process"),
    ];
    const metrics = log.performanceMetrics();
    const segments = segmentsOf(log);
    const bytes = metrics.totalAppendedBytes;
    return {
      checks,
      report: { firstId, lastId: log.lastId, appendingUs: durableUs - beganUs, behindUs, bytes, metrics, segments },
    };
  } finally {
    giveUp.abort();
    await follower?.close();
    await Promise.allSettled(readers);
    await log.close();
  }
}

async function appendRest(
  log: Aof,
  firstId: number,
  seed: number,
  workspace: Workspace,
  signal: AbortSignal,
): Promise<void> {
  const { files, inputPath, records: untilId, clock, progress } = workspace;
  const records = await RecordFile.open(files, inputPath, firstId);
  try {
    const ways = appendWays.filter((way) => way.suits(flushStrategy.kind));
    const events = {
      announce: () => {},
      durable: (id: number) => progress(`finishing: ${id} of ${untilId} durable, two readers following`),
    };
    await appendRecords(log, records, { untilId, ways, signal }, events, { random: new SeededRandom(seed), clock });
  } finally {
    await records[Symbol.asyncDispose]();
  }
}

async function followInProcess(
  log: Aof,
  firstId: number,
  workspace: Workspace,
  signal: AbortSignal,
): Promise<SequenceOutcome> {
  const { files, inputPath, records: until } = workspace;
  const where = "a live tail in this process";
  const sent = await RecordFile.open(files, inputPath, firstId);
  const stalled = new AbortController();
  const watchdog = new Watchdog(workspace.clock, quietMsMax, () => stalled.abort(stalledReader(where)));
  try {
    const batches = log.readBatches({
      from: firstId,
      until,
      follow: true,
      signal: AbortSignal.any([signal, stalled.signal]),
    });
    return await compareWithInput(batches, sent, { where, firstId, onProgress: () => watchdog.seen() });
  } catch (error) {
    stalled.signal.throwIfAborted();
    throw error;
  } finally {
    watchdog.stop();
    await sent[Symbol.asyncDispose]();
  }
}

/** Writers got to the end before they were killed, which happens to a handful of records: there is nothing to follow. */
function nothingLeft(log: Aof, firstId: number): { report: FinishReport; checks: Check[] } {
  const lastId = firstId - 1;
  const outcome = new SequenceComparison("", firstId).outcome();
  const report = {
    firstId,
    lastId,
    appendingUs: 0,
    behindUs: 0,
    bytes: 0,
    metrics: log.performanceMetrics(),
    segments: segmentsOf(log),
  };
  return { report, checks: [judgeTail("tail", lastId, outcome, ""), judgeTail("follower", lastId, outcome, "")] };
}

function segmentsOf(log: Aof): SegmentInfo[] {
  return log.segments().filter((segment) => segment.recordCount > 0);
}

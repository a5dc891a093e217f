/** A writer in a process of its own, killed without warning while it appends. */
import { formatFlushStrategy } from "@varve/flush-metrics";
import { Child } from "./child.ts";
import type { KillPlan } from "./drill-plan.ts";
import { IngestError } from "./errors.ts";
import type { Message } from "./protocol.ts";
import { quietMsMax, Watchdog } from "./watchdog.ts";
import type { Workspace } from "./workspace.ts";
import type { WriterJob } from "./writer-process.ts";

/** What the parent knows of a writer that it killed. */
export interface KilledWriter {
  readonly epoch: number;
  /** The record that it appended first. */
  readonly firstId: number;
  /** Everything up to here was acknowledged as durable; `firstId - 1` for nothing. */
  readonly acknowledgedId: number;
  /** Of its records up to there; undefined when there are none. */
  readonly acknowledgedHash: string | undefined;
  /** It may have appended up to here. */
  readonly announcedId: number;
  /** From the log being open to the last acknowledgement. */
  readonly elapsedUs: number;
}

interface Heard {
  opened: { readonly epoch: number; readonly firstId: number; readonly atUs: number } | undefined;
  acknowledged: { readonly id: number; readonly hash: string; readonly atUs: number } | undefined;
  announcedId: number;
  stalled: IngestError | undefined;
}

/** Starts the writer, kills it as planned, and returns when it is dead. */
export async function killWriter(
  plan: KillPlan,
  { clock, signal, progress, ...place }: Workspace,
): Promise<KilledWriter> {
  const job: WriterJob = {
    logDir: place.logDir,
    inputDir: place.dir,
    inputPath: place.inputPath,
    untilId: plan.untilId,
    strategy: formatFlushStrategy(plan.strategy),
    seed: plan.seed,
    sizing: place.sizing,
  };
  const heard: Heard = { opened: undefined, acknowledged: undefined, announcedId: 0, stalled: undefined };
  let killIsDue = false;

  const killSoon = (delayMs: number): void => {
    if (killIsDue) return;
    killIsDue = true;
    clock.after(delayMs, () => child.kill());
  };
  const onMessage = (message: Message): void => {
    watchdog.seen();
    if (message.kind === "opened") {
      heard.opened = { epoch: message.epoch, firstId: message.nextId, atUs: clock.monotonicUs() };
    } else if (message.kind === "sending") {
      heard.announcedId = message.id;
    } else if (message.kind === "durable") {
      heard.acknowledged = { id: message.id, hash: message.hash, atUs: clock.monotonicUs() };
      progress(`writer ${plan.round}: ${message.id} acknowledged`);
      if (message.id >= plan.killAtId) killSoon(plan.delayMs);
    } else if (message.kind === "resting") {
      killSoon(0);
    }
  };

  signal.throwIfAborted();
  const child = Child.start("the writer", "./writer-process.js", job, clock, onMessage);
  const watchdog = new Watchdog(clock, quietMsMax, () => {
    heard.stalled = new IngestError(
      "STALLED",
      `the writer said nothing for ${quietMsMax / 1000} s after record ${heard.announcedId}`,
    );
    child.kill();
  });
  const stop = (): void => void child.close();
  signal.addEventListener("abort", stop, { once: true });
  const end = await child.ended;
  watchdog.stop();
  signal.removeEventListener("abort", stop);

  signal.throwIfAborted();
  const { opened, acknowledged } = heard;
  if (heard.stalled !== undefined) throw heard.stalled;
  if (!killIsDue || end.signal !== "SIGKILL" || opened === undefined) throw child.failure(end);
  return {
    epoch: opened.epoch,
    firstId: opened.firstId,
    acknowledgedId: acknowledged?.id ?? opened.firstId - 1,
    acknowledgedHash: acknowledged?.hash,
    announcedId: Math.max(heard.announcedId, opened.firstId - 1),
    elapsedUs: acknowledged === undefined ? 0 : acknowledged.atUs - opened.atUs,
  };
}

/** What the entry files of child processes share: a job in, messages out, and an end that comes with the parent's. */
import { writeSync } from "node:fs";
import { isAofError } from "@varve/aof";
import { isStorageError } from "@varve/fs-core";
import { formatMessage, type Message } from "./protocol.ts";

/** Hands a message to the parent before it returns: a kill right after cannot take it back. */
export function say(message: Message): void {
  const line = Buffer.from(formatMessage(message));
  for (let at = 0; at < line.length; ) at += writeSync(1, line, at);
}

/**
 * Runs a child's work on its job, then waits for nothing: the process ends when the work has.
 * @param work gets the job and a signal that fires when the parent closes our input, or is gone
 */
export async function runChild<Job>(work: (job: Job, parentIsDone: AbortSignal) => Promise<void>): Promise<void> {
  const parentIsDone = new AbortController();
  process.stdin.once("close", () => parentIsDone.abort());
  process.stdin.resume();
  try {
    // From our own parent: its shape is the type's.
    await work(JSON.parse(process.argv[2] ?? "null") as Job, parentIsDone.signal);
  } catch (error) {
    process.exitCode = 1;
    const code = isAofError(error) || isStorageError(error) ? error.code : "-";
    try {
      say({ kind: "failed", code, message: error instanceof Error ? error.message : String(error) });
    } catch {
      // The parent is gone, so nobody is there to be told.
    }
  } finally {
    process.stdin.destroy();
  }
}

/** Resolves when the signal fires. */
export function fired(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/**
 * Lines for the fault tools. They count a record as promised when its line was read, so each line goes out at once,
 * whole, by a blocking write: a buffered stream would lose promises with the process.
 */
import { writeSync } from "node:fs";

/** `T` about to append, `A` acknowledged as durable, `V` written but not durable, `F` refused, `X` may be trimmed up to it. */
export type EventKind = "T" | "A" | "V" | "F" | "X";

export function printEvents(kind: EventKind, ids: readonly string[]): void {
  if (ids.length > 0) printLines(1, ids.map((id) => `${kind} ${id}\n`).join(""));
}

/** @param descriptor 1 or 2 */
export function printLines(descriptor: 1 | 2, text: string): void {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(descriptor, bytes, done);
    } catch (error) {
      // A pipe whose reader is slow, and which somebody made non-blocking.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4));

/** The other process of `open-time`: fills or opens a log, and dies without closing it. */
import { writeSync } from "node:fs";
import { Aof, isAofError } from "@varve/aof";
import { systemClock } from "@varve/fs-core";
import { payloadsOf } from "./payloads.ts";

/** How `main.ts` is asked for it. */
export const openTimeChildName = "open-time-child";

/** @param args `fill` or `open`, the log's directory, the bytes to append at last */
export async function openTimeChild([verb, dir = "", amount = "0"]: readonly string[]): Promise<never> {
  const began = systemClock.monotonicUs();
  const log = await Aof.open({ dir, flushStrategy: { kind: "async" } });
  if (verb === "open") {
    const openMs = (systemClock.monotonicUs() - began) / 1000;
    if (log.getSync(log.lastId)?.payload.length !== 1024) throw new Error("the last record is not what was written");
    writeSync(1, JSON.stringify({ openMs, readyMs: (systemClock.monotonicUs() - began) / 1000 }));
  }
  await append(log, Number(amount));
  process.kill(process.pid, "SIGKILL");
  throw new Error("SIGKILL did not end this process");
}

async function append(log: Aof, bytes: number): Promise<void> {
  const payload = payloadsOf(1024);
  for (let k = 0; k * 1024 < bytes; ) {
    try {
      log.append(payload(k));
      k++;
    } catch (error) {
      if (!isAofError(error) || error.ready === undefined) throw error;
      await error.ready;
    }
  }
  await log.flush();
}

/** Writes an answer to its connection, at the pace of the client, or breaks it off as a fault asks for. */
import type { ServerResponse } from "node:http";
import type { Clock } from "@varve/fs-core";
import type { WireAnswer } from "./dispatch.ts";
import type { FaultAction } from "./fault-action.ts";

/** Bytes for one write: what a slow client makes the server hold. */
const writeBytes = 256 * 1024;

/** @throws the signal's reason when the connection or the server closes first */
export async function send(
  response: ServerResponse,
  answer: WireAnswer,
  fault: FaultAction | undefined,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const stopAt = fault?.kind === "cut" || fault?.kind === "stall" ? fault.afterBytes : Infinity;
  response.writeHead(answer.status, answer.headers);
  let sent = 0;
  for (const chunk of answer.chunks) {
    for (let at = 0; at < chunk.length; ) {
      if (sent === stopAt && (await breakOff(response, fault, clock, signal))) return;
      const end = Math.min(chunk.length, at + writeBytes, sent < stopAt ? at + stopAt - sent : Infinity);
      await write(response, chunk.subarray(at, end), signal);
      sent += end - at;
      at = end;
    }
  }
  // Nothing behind the last byte is left to be cut off but the end itself.
  if (sent <= stopAt && stopAt < Infinity && (await breakOff(response, fault, clock, signal))) return;
  response.end();
}

/** @returns whether the answer ends here */
async function breakOff(
  response: ServerResponse,
  fault: FaultAction | undefined,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  response.flushHeaders();
  if (fault?.kind === "stall") {
    if (fault.stallMs === undefined) await untilAborted(signal);
    else await clock.sleep(fault.stallMs, { signal });
    return false;
  }
  if (fault?.kind !== "cut") return false;
  if (fault.end === "reset") response.socket?.resetAndDestroy();
  else response.socket?.destroySoon();
  return true;
}

/** @throws the signal's reason, always */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** Resolves when the bytes went to the system. */
function write(response: ServerResponse, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    response.write(bytes, (error) => {
      signal.removeEventListener("abort", onAbort);
      if (error) reject(error);
      else resolve();
    });
  });
}

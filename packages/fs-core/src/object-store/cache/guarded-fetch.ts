/**
 * A fetch that many wait for, with a deadline of its own: its waiters have theirs, but as long as new ones come, nobody else
 * would end a fetch that hangs.
 */
import type { Clock } from "../../clock.ts";
import type { DriverCall } from "../object-driver.ts";
import { RequestDeadline } from "../request-deadline.ts";
import { StoreError } from "../store-error.ts";

/**
 * Runs `work` until it is over, `signal` fires, or nothing was heard of it for `stallTimeoutMs`.
 * @param work tells by `progress` that something came
 * @throws StoreError `TIMEOUT`, `ABORTED`, and what `work` throws
 */
export async function guardedFetch<T>(
  clock: Clock,
  stallTimeoutMs: number,
  signal: AbortSignal,
  work: (call: DriverCall, progress: () => void) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let onStop = (_error: StoreError): void => {};
  const stopped = new Promise<never>((_resolve, reject) => {
    onStop = reject;
  });
  stopped.catch(() => {});
  const stop = (error: StoreError): void => {
    onStop(error);
    controller.abort();
  };
  const onAbort = (): void => stop(new StoreError("ABORTED", "stopped: nobody waits for it any more"));
  const deadline = new RequestDeadline(clock, stallTimeoutMs, () =>
    stop(new StoreError("TIMEOUT", `nothing came within ${stallTimeoutMs} ms`)),
  );
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  const call: DriverCall = { signal: controller.signal, waiting: (turn) => deadline.paused(turn) };
  try {
    const working = work(call, () => deadline.restart());
    working.catch(() => {});
    return await Promise.race([working, stopped]);
  } finally {
    deadline.end();
    signal.removeEventListener("abort", onAbort);
    controller.abort();
  }
}

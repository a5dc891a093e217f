/** An answer under way and the means to end it: its connection must close even while a read of it hangs. */
import { assertAnswers } from "./answer-checks.ts";
import type { DriverBody, DriverGet, ObjectStoreDriver } from "./object-driver.ts";
import { over, type StoreCall } from "./store-call.ts";

export interface OpenBody {
  readonly answer: DriverBody;
  /** Closes the connection. Idempotent. */
  readonly stop: () => void;
  /** In place of `stop`, when the answer came to its end: nothing is there to close. */
  readonly release: () => void;
}

/** Resolves when the head of the answer is there. The answer ends when `call` does. */
export async function openBody(
  driver: ObjectStoreDriver,
  call: StoreCall,
  key: string,
  request: DriverGet,
): Promise<OpenBody> {
  return call.request("get", async (driverCall) => {
    const controller = new AbortController();
    const abort = (): void => controller.abort(over);
    driverCall.signal.addEventListener("abort", abort, { once: true });
    const answer = await driver.get(key, request, { ...driverCall, signal: controller.signal });
    const release = call.onEnd(abort);
    const stop = (): void => {
      release();
      abort();
    };
    // It came too late: nobody waits for it any more.
    if (driverCall.signal.aborted) stop();
    try {
      assertAnswers(answer, request);
    } catch (error) {
      stop();
      throw error;
    }
    return { answer, stop, release };
  });
}

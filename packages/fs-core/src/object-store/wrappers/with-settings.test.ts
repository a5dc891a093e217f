// Goal: the same store with other retries or deadlines; what is not named stays; waiting before a request is sent does not
// use up its deadline.
// Method: a driver that fails or hangs on request, a manual clock, requests counted.
import { describe, expect, test } from "vitest";
import { FaultyDriver } from "../../testing/faulty-driver.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { createObjectStore } from "../driver-store.ts";
import { MemoryDriver } from "../memory-driver.ts";
import type { DriverCall, DriverInfo } from "../object-driver.ts";
import type { ObjectStore } from "../object-store.ts";
import { withRetry, withTimeout } from "./with-settings.ts";

function failing(): { driver: FaultyDriver; store: ObjectStore; clock: ManualClock } {
  const clock = new ManualClock();
  const driver = new FaultyDriver(new MemoryDriver({ clock }), () => ({ kind: "refuse", code: "THROTTLED" }));
  const store = createObjectStore(driver, { retry: { attemptsMax: 4, baseDelayMs: 1, budget: 5 } }, { clock });
  return { driver, store, clock };
}

/** Moves the clock on until `work` is over. */
async function timed<T>(clock: ManualClock, work: Promise<T>): Promise<PromiseSettledResult<T>> {
  let isOver = false;
  const settled = Promise.allSettled([work]).finally(() => {
    isOver = true;
  });
  while (!isOver) await clock.advanceAsync(100);
  return (await settled)[0];
}

describe("withRetry", () => {
  test("false: one attempt; otherwise as many as given, from a budget of its own", async () => {
    const { driver, store, clock } = failing();
    const once = withRetry(store, false);
    await timed(clock, once.head("a"));
    expect(driver.requests).toHaveLength(1);
    const thrice = withRetry(store, { attemptsMax: 3 });
    await timed(clock, thrice.head("a"));
    expect(driver.requests).toHaveLength(1 + 3);
  });

  test("other wrappers share the store's budget of retries", async () => {
    const { driver, store, clock } = failing();
    const other = withTimeout(store, { callTimeoutMs: 10_000 });
    await timed(clock, store.head("a"));
    expect(driver.requests).toHaveLength(4);
    await timed(clock, other.head("a"));
    expect(driver.requests, "two retries are left").toHaveLength(4 + 3);
    await timed(clock, store.head("a"));
    expect(driver.requests, "and now none").toHaveLength(4 + 3 + 1);
  });

  test("nonsense is refused", () => {
    const { store } = failing();
    expect(() => withRetry(store, { attemptsMax: 0 })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }) as Error,
    );
  });
});

describe("withTimeout", () => {
  test("each deadline is the one given, the others stay", async () => {
    const clock = new ManualClock();
    const driver = new FaultyDriver(new MemoryDriver({ clock }), () => ({ kind: "hang", after: false }));
    const plain = createObjectStore(driver, { retry: false, requestTimeoutMs: 1000 }, { clock });
    const store = withTimeout(plain, { callTimeoutMs: 400 });
    const result = await timed(clock, store.head("a"));
    expect(result).toMatchObject({ status: "rejected", reason: { code: "TIMEOUT" } });
    expect(clock.monotonicUs()).toBe(400_000);
    const slower = withTimeout(plain, { requestTimeoutMs: 2000 });
    expect(await timed(clock, slower.head("a"))).toMatchObject({ reason: { code: "TIMEOUT" } });
    expect(clock.monotonicUs()).toBe(2_400_000);
    expect(clock.pendingTimers).toBe(0);
    expect(() => withTimeout(store, { stallTimeoutMs: 0.5 })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }) as Error,
    );
  });

  test("a request that waits for its turn has its whole deadline afterwards, and is known not to have been sent", async () => {
    const clock = new ManualClock();
    let sent = 0;
    class Waiting extends MemoryDriver {
      override async head(key: string, call: DriverCall): Promise<DriverInfo | undefined> {
        await call.waiting?.(() => clock.sleep(5000));
        sent++;
        await clock.sleep(900);
        return super.head(key, call);
      }
      override async delete(key: string, request: object, call: DriverCall): Promise<void> {
        await call.waiting?.(() => clock.sleep(5000));
        sent++;
        return super.delete(key, request, call);
      }
    }
    const store = createObjectStore(new Waiting({ clock }), { retry: false, requestTimeoutMs: 1000 }, { clock });
    expect(await timed(clock, store.head("a"))).toMatchObject({ status: "fulfilled" });
    expect(sent).toBe(1);
    const stop = new AbortController();
    const deleting = store.delete("a", { signal: stop.signal });
    await clock.advanceAsync(2000);
    stop.abort();
    expect(await timed(clock, deleting)).toMatchObject({ reason: { code: "ABORTED", outcome: "none" } });
    await clock.advanceAsync(10_000);
    expect(sent, "nothing is sent after that").toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });
});

// Goal: no more requests and bytes than the limits allow, in any span of time; who gives up costs nothing; nothing is
// taken for broken because it is slow.
// Method: a manual clock; a driver that notes when each request came; sums over all spans.
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../testing/manual-clock.ts";
import { createObjectStore } from "../driver-store.ts";
import { MemoryDriver } from "../memory-driver.ts";
import type { DriverCall, DriverInfo } from "../object-driver.ts";
import type { ObjectStore } from "../object-store.ts";
import type { StoreSettings } from "../store-settings.ts";
import { ForwardingDriver } from "./forwarding-driver.ts";
import type { DriverRequest } from "./driver-request.ts";
import { type RateLimits, withRateLimit } from "./with-rate-limit.ts";

interface Sent {
  readonly operation: string;
  readonly key: string | undefined;
  readonly atMs: number;
  readonly bytes: number;
}

class Noting extends ForwardingDriver {
  readonly sent: Sent[] = [];
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    super(createObjectStore(new MemoryDriver({ clock }), {}, { clock }));
    this.#clock = clock;
  }

  protected override around<T>(request: DriverRequest, send: (call: DriverCall) => Promise<T>): Promise<T> {
    const { operation, key, sentBytes, call } = request;
    this.sent.push({ operation, key, atMs: this.#clock.monotonicUs() / 1000, bytes: sentBytes });
    return send(call);
  }
}

function limited(
  limits: RateLimits,
  settings: StoreSettings = {},
): {
  store: ObjectStore;
  driver: Noting;
  clock: ManualClock;
} {
  const clock = new ManualClock();
  const driver = new Noting(clock);
  return { store: withRateLimit(createObjectStore(driver, settings, { clock }), limits), driver, clock };
}

async function timed<T>(clock: ManualClock, work: Promise<T>, stepMs = 10): Promise<T> {
  let isOver = false;
  const ended = work.finally(() => {
    isOver = true;
  });
  ended.catch(() => {});
  while (!isOver) await clock.advanceAsync(stepMs);
  return ended;
}

/** The most that any span of `spanMs` saw. */
function mostIn(spanMs: number, events: readonly { readonly atMs: number; readonly amount: number }[]): number {
  return Math.max(
    ...events.map(({ atMs }) =>
      events
        .filter((other) => other.atMs >= atMs && other.atMs < atMs + spanMs)
        .reduce((sum, { amount }) => sum + amount, 0),
    ),
  );
}

describe("withRateLimit", () => {
  test("requests: a burst, then the rate, in order, and never more in any second", async () => {
    const { store, driver, clock } = limited({ requestsPerSecond: 10, burst: 0.5 });
    const keys = Array.from({ length: 30 }, (_, index) => `k${index}`);
    await timed(clock, Promise.all(keys.map((key) => store.head(key))));
    expect(driver.sent.map(({ key }) => key)).toEqual(keys);
    expect(driver.sent.filter(({ atMs }) => atMs === 0)).toHaveLength(5);
    expect(driver.sent.at(-1)?.atMs).toBe(2500);
    const events = driver.sent.map(({ atMs }) => ({ atMs, amount: 1 }));
    for (const spanMs of [100, 500, 1000, 2000]) {
      expect(mostIn(spanMs, events)).toBeLessThanOrEqual(5 + spanMs / 100);
    }
    expect(clock.pendingTimers).toBe(0);
  });

  test("writes and listings have limits of their own; reads pass", async () => {
    const { store, driver, clock } = limited({ writesPerSecond: 1, listsPerSecond: 2 });
    const lists = async (): Promise<void> => {
      for await (const _entry of store.list()) expect.unreachable();
    };
    const work = Promise.all([
      store.put("a/1", new Uint8Array(1)),
      store.delete("b"),
      store.deleteMany(["c", "d"]),
      lists(),
      lists(),
      lists(),
      store.head("e"),
      store.head("f"),
    ]).catch(() => {});
    await timed(clock, work);
    const timesOf = (operation: string): number[] =>
      driver.sent.filter((sent) => sent.operation === operation).map(({ atMs }) => atMs);
    expect([...timesOf("put"), ...timesOf("delete"), ...timesOf("deleteMany")].toSorted((a, b) => a - b)).toEqual([
      0, 1000, 2000,
    ]);
    expect(timesOf("list")).toEqual([0, 0, 500]);
    expect(timesOf("head")).toEqual([0, 0]);
  });

  test("uploads are sent when their bytes are paid for, however large", async () => {
    const { store, driver, clock } = limited({ uploadBytesPerSecond: 1000 });
    await timed(clock, store.putStream("a", [new Uint8Array(10_000)], { partBytes: 2500, concurrency: 3 }), 50);
    const parts = driver.sent.filter(({ operation }) => operation === "uploadPart");
    expect(parts.map(({ bytes }) => bytes)).toEqual([2500, 2500, 2500, 2500]);
    const firstMs = (parts[0] as Sent).atMs;
    expect(firstMs).toBeGreaterThanOrEqual(1500);
    expect(parts.map(({ atMs }) => atMs - firstMs)).toEqual([0, 2500, 5000, 7500]);
  });

  test("a body trickles at the rate, is not taken for stalled, and has the right bytes", async () => {
    const { store, clock } = limited(
      { downloadBytesPerSecond: 1000 },
      { stallTimeoutMs: 2000, requestTimeoutMs: 2000 },
    );
    const bytes = Uint8Array.from({ length: 21_000 }, (_, index) => index % 251);
    await timed(clock, store.put("a", bytes));
    const beganMs = clock.monotonicUs() / 1000;
    const events: { atMs: number; amount: number }[] = [];
    const read = async (): Promise<Uint8Array> => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of await store.get("a")) {
        chunks.push(chunk);
        events.push({ atMs: clock.monotonicUs() / 1000, amount: chunk.byteLength });
      }
      return Buffer.concat(chunks);
    };
    expect(Buffer.compare(await timed(clock, read()), bytes)).toBe(0);
    expect(clock.monotonicUs() / 1000 - beganMs).toBeGreaterThanOrEqual(20_000);
    expect(mostIn(1000, events)).toBeLessThanOrEqual(2000);
    const [ranged] = await timed(clock, store.getRanges("a", [{ offset: 5, length: 9000 }]));
    expect(Buffer.compare(ranged as Uint8Array, bytes.subarray(5, 9005))).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test("who gives up while waiting is not sent and returns what was taken", async () => {
    const { store, driver, clock } = limited({ requestsPerSecond: 1 });
    await timed(clock, store.head("first"));
    const stop = new AbortController();
    const waiting = Array.from({ length: 5 }, () => store.delete("second", { signal: stop.signal }));
    await clock.advanceAsync(0);
    stop.abort();
    for (const { reason } of (await Promise.allSettled(waiting)) as PromiseRejectedResult[]) {
      expect(reason).toMatchObject({ code: "ABORTED", outcome: "none" });
    }
    const beganMs = clock.monotonicUs() / 1000;
    await timed(clock, store.head("third"));
    expect(driver.sent.map(({ key }) => key)).toEqual(["first", "third"]);
    expect((driver.sent[1] as Sent).atMs - beganMs).toBeLessThanOrEqual(1000);
    expect(clock.pendingTimers).toBe(0);
  });

  test("a body that is left while it is held back ends at once", async () => {
    const { store, clock } = limited({ downloadBytesPerSecond: 10 });
    await timed(clock, store.put("a", new Uint8Array(1000)));
    const stop = new AbortController();
    const body = await timed(clock, store.get("a", { signal: stop.signal }));
    const reading = body.bytes();
    await clock.advanceAsync(500);
    stop.abort();
    await expect(reading).rejects.toMatchObject({ code: "ABORTED" });
    expect(clock.pendingTimers).toBe(0);
  });

  test("a call's deadline holds while it waits", async () => {
    const { store, clock } = limited({ requestsPerSecond: 0.01 });
    await timed(clock, store.head("first"));
    const late: Promise<DriverInfo | undefined | object> = store.head("second", { timeoutMs: 500 });
    await expect(timed(clock, late)).rejects.toMatchObject({ code: "TIMEOUT", outcome: "none" });
    expect(clock.pendingTimers).toBe(0);
  });

  test("nonsense is refused, all of it at once", () => {
    const { store } = limited({});
    const wrong = { requestsPerSecond: 0, downloadBytesPerSecond: Number.NaN, burst: -1, perHour: 3 };
    expect(() => withRateLimit(store, wrong)).toThrow(/perHour.*requestsPerSecond.*downloadBytesPerSecond.*burst/s);
  });
});

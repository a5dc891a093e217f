// Goal: never more than `max` requests in flight, in order of arrival, and no turn is lost whoever gives up when.
// Method: a driver whose requests end when told; signals fired at every stage; bodies read, left unread, stopped; the line
// itself against a model with random arrivals and departures.
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../testing/manual-clock.ts";
import { SeededRandom } from "../../testing/seeded-random.ts";
import { createObjectStore } from "../driver-store.ts";
import { MemoryDriver } from "../memory-driver.ts";
import type { DriverCall, DriverInfo } from "../object-driver.ts";
import { Turns } from "./turns.ts";
import { withConcurrency } from "./with-concurrency.ts";

/** Each `head` waits until it is let go. */
class Gated extends MemoryDriver {
  readonly begun: string[] = [];
  readonly #gates: (() => void)[] = [];
  inFlight = 0;
  inFlightMax = 0;

  override async head(key: string, call: DriverCall): Promise<DriverInfo | undefined> {
    this.begun.push(key);
    this.inFlight++;
    this.inFlightMax = Math.max(this.inFlightMax, this.inFlight);
    await new Promise<void>((resolve, reject) => {
      this.#gates.push(resolve);
      call.signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true });
    }).finally(() => this.inFlight--);
    return super.head(key, call);
  }

  letGo(): void {
    this.#gates.shift()?.();
  }
}

const clock = new ManualClock();
const idle = (): Promise<void> => clock.advanceAsync(0);

async function settle(driver: Gated): Promise<void> {
  for (let round = 0; round < 40; round++) {
    driver.letGo();
    await idle();
    await idle();
  }
}

describe("withConcurrency", () => {
  test("at most max at once, first come first served, all of them in the end", async () => {
    const driver = new Gated();
    const store = withConcurrency(createObjectStore(driver, {}, { clock }), 3);
    const keys = Array.from({ length: 12 }, (_, index) => `k${index}`);
    const heads = keys.map((key) => store.head(key));
    await idle();
    expect(driver.begun).toEqual(["k0", "k1", "k2"]);
    driver.letGo();
    await idle();
    await idle();
    expect(driver.begun).toEqual(["k0", "k1", "k2", "k3"]);
    await settle(driver);
    await Promise.all(heads);
    expect(driver.begun).toEqual(keys);
    expect(driver.inFlightMax).toBe(3);
    await store.close();
  });

  test("who gives up while waiting is not sent, and the others move up", async () => {
    const driver = new Gated();
    const store = withConcurrency(createObjectStore(driver, {}, { clock }), 1);
    const stop = new AbortController();
    const first = store.head("first");
    await idle();
    const givesUp = store.delete("second", { signal: stop.signal });
    const third = store.head("third");
    await idle();
    stop.abort();
    await expect(givesUp).rejects.toMatchObject({ code: "ABORTED", outcome: "none" });
    await settle(driver);
    await Promise.all([first, third]);
    expect(driver.begun).toEqual(["first", "third"]);
    await store.close();
  });

  test("a turn that comes in the same moment as the signal is not lost", async () => {
    const driver = new Gated();
    const store = withConcurrency(createObjectStore(driver, {}, { clock }), 1);
    for (const order of ["turn first", "signal first"]) {
      const stop = new AbortController();
      const holder = new AbortController();
      const first = store.head("first", { signal: holder.signal });
      await idle();
      const second = store.head("second", { signal: stop.signal });
      await idle();
      if (order === "turn first") holder.abort();
      stop.abort();
      holder.abort();
      await Promise.allSettled([first, second]);
      await idle();
    }
    const after = store.head("after");
    await settle(driver);
    await after;
    expect(driver.begun.at(-1)).toBe("after");
    expect(driver.inFlightMax).toBe(1);
    await store.close();
  });

  test("waiting does not use up a request's deadline", async () => {
    const time = new ManualClock();
    const driver = new Gated({ clock: time });
    const plain = createObjectStore(driver, { requestTimeoutMs: 1000, retry: false }, { clock: time });
    const store = withConcurrency(plain, 1);
    const heads = ["a", "b", "c", "d"].map((key) => store.head(key));
    for (let round = 0; round < 4; round++) {
      await time.advanceAsync(900);
      driver.letGo();
      await time.advanceAsync(0);
    }
    await Promise.all(heads);
    expect(driver.begun).toEqual(["a", "b", "c", "d"]);
    expect(time.pendingTimers).toBe(0);
  });

  test("a body has its turn until it was read, left, cancelled, or never touched and stopped", async () => {
    const driver = new Gated();
    const store = withConcurrency(createObjectStore(driver, {}, { clock }), 1);
    await store.put("big", new Uint8Array(200_000));
    const isBlocked = async (): Promise<boolean> => {
      const stop = new AbortController();
      const begun = driver.begun.length;
      const probe = store.head("probe", { signal: stop.signal });
      await idle();
      await idle();
      stop.abort();
      await probe.catch(() => {});
      return driver.begun.length === begun;
    };
    const stop = new AbortController();
    const untouched = await store.get("big", { signal: stop.signal });
    expect(await isBlocked()).toBe(true);
    stop.abort();
    expect(await isBlocked()).toBe(false);
    await expect(untouched.bytes()).rejects.toMatchObject({ code: "ABORTED" });

    const cancelled = await store.get("big");
    expect(await isBlocked()).toBe(true);
    await cancelled.cancel();
    expect(await isBlocked()).toBe(false);

    const left = await store.get("big");
    for await (const chunk of left) {
      expect(chunk.byteLength).toBeGreaterThan(0);
      expect(await isBlocked()).toBe(true);
      break;
    }
    expect(await isBlocked()).toBe(false);

    expect((await (await store.get("big")).bytes()).byteLength).toBe(200_000);
    expect(await isBlocked()).toBe(false);
    await expect(store.get("nothing")).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(await isBlocked()).toBe(false);
    await expect(store.getRanges("big", [{ offset: 199_999, length: 2 }])).rejects.toMatchObject({
      code: "INVALID_RANGE",
    });
    expect(await isBlocked()).toBe(false);
    await store.close();
  });

  test("nonsense is refused", () => {
    const store = createObjectStore(new MemoryDriver());
    for (const max of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => withConcurrency(store, max)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }) as Error);
    }
  });
});

describe("the line", () => {
  test("any order of coming, going and giving up: the limit holds, the order holds, nobody is forgotten", async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const random = new SeededRandom(seed);
      const max = 1 + random.int(4);
      const turns = new Turns(max);
      const waiting: { id: number; stop: AbortController }[] = [];
      const holding: (() => void)[] = [];
      const served: number[] = [];
      const expected: number[] = [];
      for (let id = 0; id < 200; id++) {
        switch (random.int(3)) {
          case 0: {
            const stop = new AbortController();
            const entry = { id, stop };
            waiting.push(entry);
            if (holding.length < max) expected.push(id);
            turns.take(stop.signal).then(
              (giveBack) => {
                served.push(id);
                waiting.splice(waiting.indexOf(entry), 1);
                holding.push(giveBack);
              },
              () => waiting.splice(waiting.indexOf(entry), 1),
            );
            break;
          }
          case 1: {
            const giveBack = holding.shift();
            const next = waiting[0];
            if (giveBack !== undefined && next !== undefined) expected.push(next.id);
            giveBack?.();
            giveBack?.();
            break;
          }
          default:
            waiting[random.int(Math.max(1, waiting.length))]?.stop.abort();
        }
        await Promise.resolve();
        await Promise.resolve();
        expect(turns.taken, `seed ${seed}`).toBe(holding.length);
        expect(turns.waiting, `seed ${seed}`).toBe(waiting.length);
        expect(holding.length).toBeLessThanOrEqual(max);
        if (waiting.length > 0) expect(holding.length).toBe(max);
      }
      expect(served, `seed ${seed}`).toEqual(expected);
    }
  });
});

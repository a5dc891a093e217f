/** Goal: time moves only when told, and timers fire as they would. Method: small scripts. */
import { describe, expect, test } from "vitest";
import { ManualClock } from "./manual-clock.ts";

describe("advance", () => {
  test("fires what falls due, in order of time and then of creation, each at its own time", () => {
    const clock = new ManualClock({ wallUs: 1_000_000 });
    const log: string[] = [];
    const note = (name: string) => () => void log.push(`${name}@${clock.monotonicUs()}/${clock.wallUs()}`);
    clock.after(30, note("c"));
    clock.after(10, note("a"));
    clock.after(10, note("b"));
    clock.after(31, note("never"));
    clock.advance(30);
    expect(log).toEqual(["a@10000/1010000", "b@10000/1010000", "c@30000/1030000"]);
    expect(clock.pendingTimers).toBe(1);
  });

  test("fires timers that timers start, if they fall due", () => {
    const clock = new ManualClock();
    let ticks = 0;
    const tick = (): void => {
      ticks += 1;
      clock.after(10, tick);
    };
    clock.after(10, tick);
    clock.advance(95);
    expect([ticks, clock.monotonicUs(), clock.pendingTimers]).toEqual([9, 95_000, 1]);
  });

  test("a cancelled timer stays silent, and cancelling late is nothing", () => {
    const clock = new ManualClock();
    let fired = 0;
    const timer = clock.after(1, () => {
      fired += 1;
    });
    timer.cancel();
    timer.cancel();
    clock.advance(5);
    expect(fired).toBe(0);
    const other = clock.after(1, () => {
      fired += 1;
    });
    clock.advance(5);
    other.cancel();
    expect(fired).toBe(1);
  });

  test("refuses to go back, or nowhere", () => {
    const clock = new ManualClock();
    for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY]) expect(() => clock.advance(ms)).toThrow(RangeError);
    expect(() => clock.after(-1, () => {})).toThrow(RangeError);
  });
});

test("the wall clock may jump; nothing else notices", () => {
  const clock = new ManualClock({ wallUs: 5_000_000, monotonicUs: 7 });
  let fired = false;
  clock.after(10, () => {
    fired = true;
  });
  clock.setWallUs(1_000_000);
  expect([clock.wallUs(), clock.monotonicUs(), fired]).toEqual([1_000_000, 7, false]);
  clock.advance(10);
  expect([clock.wallUs(), clock.monotonicUs(), fired]).toEqual([1_010_000, 10_007, true]);
});

test("wall time is whole microseconds", () => {
  const clock = new ManualClock({ wallUs: 0 });
  clock.advance(0.0015);
  expect([clock.wallUs(), clock.monotonicUs()]).toEqual([1, 1.5]);
});

test("advanceAsync lets a loop of sleeps run", async () => {
  const clock = new ManualClock();
  const woke: number[] = [];
  const loop = (async () => {
    for (let i = 0; i < 3; i += 1) {
      await clock.sleep(100);
      woke.push(clock.monotonicUs());
    }
  })();
  await clock.advanceAsync(1000);
  await loop;
  expect(woke).toEqual([100_000, 200_000, 300_000]);
  expect(clock.monotonicUs()).toBe(1_000_000);
});

test("sleep ends with the signal's reason, its timer gone", async () => {
  const clock = new ManualClock();
  const abort = new AbortController();
  const sleeping = clock.sleep(100, { signal: abort.signal });
  abort.abort(new Error("enough"));
  await expect(sleeping).rejects.toThrow("enough");
  expect(clock.pendingTimers).toBe(0);
  await expect(clock.sleep(100, { signal: abort.signal })).rejects.toThrow("enough");
  expect(clock.pendingTimers).toBe(0);
});

test("defer needs no advance", async () => {
  await new Promise<void>((resolve) => new ManualClock().defer(resolve));
});

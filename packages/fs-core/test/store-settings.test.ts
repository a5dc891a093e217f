// Goal: settings that make no sense are refused in words that help, and those that do never become a timer of the wrong
// length.
// Method: every kind of wrong value; the largest and smallest that are allowed, over a driver that takes its time.
import { expect, test } from "vitest";
import { createObjectStore, MemoryDriver, StoreError, type StoreSettings, withTimeout } from "../src/index.ts";
import { FaultyDriver, ManualClock } from "../src/testing/index.ts";

const refusal = (settings: unknown): string => {
  try {
    createObjectStore(new MemoryDriver(), settings as StoreSettings);
  } catch (error) {
    expect(error).toMatchObject({ name: "StoreError", code: "INVALID_ARGUMENT" });
    return (error as Error).message;
  }
  return "accepted";
};

test.for([5, "x", true, [], () => {}])("settings are an object, not %j", (settings) => {
  expect(refusal(settings)).toMatch(/settings: want an object/);
  expect(refusal(null)).toMatch(/settings: want an object/);
});

test.for([5, 0, "x", "", true, [], [3], null])("retry is an object or false, not %j", (retry) => {
  expect(refusal({ retry })).toMatch(/retry: want an object of numbers, or false/);
});

test("an unknown name is told all that are known, retry too", () => {
  expect(refusal({ retries: 3 })).toMatch(/retries: not known; known are callTimeoutMs, .*concurrency, retry$/);
  expect(refusal({ retry: { tries: 3 } })).toMatch(
    /retry\.tries: not known; known are attemptsMax, baseDelayMs, maxDelayMs, budget$/,
  );
});

test.for(["toString", "constructor", "hasOwnProperty"])("%s is no setting because objects have it", (name) => {
  expect(refusal({ [name]: 1 })).toContain(name);
  expect(refusal({ retry: { [name]: 1 } })).toContain(`retry.${name}`);
});

test.for([null, Number.NaN, -1, 0, 1.5, "4", 2 ** 60])("no number of a setting is %j", (value) => {
  for (const name of ["callTimeoutMs", "requestTimeoutMs", "stallTimeoutMs", "bytesPerSecondMin", "partBytes"]) {
    expect(refusal({ [name]: value })).toContain(name);
  }
  expect(refusal({ concurrency: value })).toContain("concurrency");
  expect(refusal({ retry: { attemptsMax: value } })).toContain("retry.attemptsMax");
});

test("what is undefined has its default", () => {
  expect(refusal({ retry: undefined, concurrency: undefined })).toBe("accepted");
  expect(refusal({ retry: { budget: undefined } })).toBe("accepted");
});

test.for([5, "x", null])("a derived store's settings are an object too, not %j", (timeouts) => {
  const store = createObjectStore(new MemoryDriver());
  expect(() => withTimeout(store, timeouts as never)).toThrow(/settings: want an object/);
});

test("the longest deadlines that are allowed are long", async () => {
  const delays: number[] = [];
  const clock = new ManualClock();
  const after = clock.after.bind(clock);
  clock.after = (delayMs, callback) => {
    delays.push(delayMs);
    return after(delayMs, callback);
  };
  for (const settings of [{ requestTimeoutMs: 2 ** 31 - 1 }, { bytesPerSecondMin: 1 }]) {
    const store = createObjectStore(new MemoryDriver({ clock: new ManualClock() }), settings, { clock });
    // The driver waits for its own clock: the requests stay open.
    const putting = store.put("k", new Uint8Array(5 << 20), { timeoutMs: Number.POSITIVE_INFINITY });
    putting.catch(() => {});
  }
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(delays.length).toBeGreaterThanOrEqual(2);
  // Beyond that the platform's timers fire at once.
  for (const delayMs of delays) expect(delayMs).toBeLessThanOrEqual(2 ** 31 - 1);
});

test("a store that asks for a longer wait than timers have is not asked again at once", async () => {
  const clock = new ManualClock();
  const driver = new FaultyDriver(new MemoryDriver(), () => undefined);
  let asked = 0;
  driver.head = async () => {
    asked++;
    throw new StoreError("THROTTLED", "come back", { retryAfterMs: 2 ** 40 });
  };
  const slept: number[] = [];
  const sleep = clock.sleep.bind(clock);
  clock.sleep = (delayMs, options) => {
    slept.push(delayMs);
    return sleep(delayMs, options);
  };
  const stop = new AbortController();
  const store = createObjectStore(driver, {}, { clock });
  const call = store.head("k", { signal: stop.signal, timeoutMs: Number.POSITIVE_INFINITY });
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(slept).toEqual([2 ** 31 - 1]);
  stop.abort();
  await expect(call).rejects.toMatchObject({ code: "ABORTED" });
  expect(asked).toBe(1);
});

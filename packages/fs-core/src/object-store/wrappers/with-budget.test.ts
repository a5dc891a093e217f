// Goal: not one request beyond the budget, an alarm once for each threshold and window, and cleaning up always works.
// Method: requests counted by a faulty driver; small limits; a manual clock for windows; money by known prices.
import { afterEach, describe, expect, test, vi } from "vitest";
import { FaultyDriver, type FaultChoice } from "../../testing/faulty-driver.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { createObjectStore } from "../driver-store.ts";
import { MemoryDriver } from "../memory-driver.ts";
import type { BudgetAlarm } from "./request-budget.ts";
import { listPrices, listPricesOf } from "./price-classes.ts";
import { type BudgetedStore, type BudgetOptions, withBudget } from "./with-budget.ts";

interface Budgeted {
  readonly store: BudgetedStore;
  readonly driver: FaultyDriver;
  readonly clock: ManualClock;
  readonly alarms: BudgetAlarm[];
}

function budgeted(options: BudgetOptions, choose: FaultChoice = () => undefined): Budgeted {
  const clock = new ManualClock();
  const alarms: BudgetAlarm[] = [];
  const driver = new FaultyDriver(new MemoryDriver({ clock }), choose);
  const plain = createObjectStore(driver, { retry: { baseDelayMs: 0 } }, { clock });
  const store = withBudget(plain, { onAlarm: (alarm) => alarms.push(alarm), ...options });
  return { store, driver, clock, alarms };
}

const spent = { code: "BUDGET_EXCEEDED", outcome: "none", retryable: false };
const bytes = new Uint8Array(10);

afterEach(() => {
  vi.restoreAllMocks();
});

describe("withBudget", () => {
  test("requests of each class up to their limit, then none is sent", async () => {
    const { store, driver } = budgeted({ requestsMax: { a: 2, b: 3 } });
    await store.put("a", bytes);
    await store.put("b", bytes);
    await expect(store.put("c", bytes)).rejects.toMatchObject(spent);
    await expect(store.copy("a", "c")).rejects.toMatchObject(spent);
    const list = async (): Promise<void> => {
      for await (const _entry of store.list());
    };
    await expect(list()).rejects.toMatchObject(spent);
    await store.head("a");
    await (await store.get("a")).bytes();
    await expect(store.head("a")).rejects.toMatchObject({ ...spent, key: "a" });
    expect(driver.requests).toEqual(["put", "put", "head", "head", "get"]);
    expect(store.spending()).toMatchObject({ requests: { a: 2, b: 3, free: 0 }, refused: 4 });
  });

  test("money by list price of the URL's scheme, or by the prices given", async () => {
    const { store, driver } = budgeted({ usdMax: 0.003, prices: { a: 0.5, b: 0.1 } });
    for (let index = 0; index < 5; index++) await store.put("a", bytes);
    for (let index = 0; index < 5; index++) await store.head("a");
    expect(store.spending().usd).toBeCloseTo(0.003, 12);
    await expect(store.head("a")).rejects.toMatchObject(spent);
    expect(driver.requests).toHaveLength(10);
    expect(Object.keys(listPrices).toSorted()).toEqual(["az", "file", "gs", "memory", "s3", "s3-express"]);

    class Bucket extends MemoryDriver {
      override readonly url: string = "s3://bucket/folder";
    }
    const s3 = withBudget(createObjectStore(new Bucket()), { usdMax: 0.000_011 });
    await s3.put("a", bytes);
    await s3.put("a", bytes);
    expect(s3.spending().usd).toBeCloseTo(0.00001, 12);
    await expect(s3.put("a", bytes)).rejects.toMatchObject(spent);
    await s3.head("a");
    await s3.head("a");
    await expect(s3.head("a")).rejects.toMatchObject(spent);
  });

  test("S3's directory buckets have prices of their own", () => {
    expect(listPricesOf("s3://logs--use1-az4--x-s3")).toBe(listPrices["s3-express"]);
    expect(listPricesOf("s3://logs--use1-az4--x-s3/folder")).toBe(listPrices["s3-express"]);
    expect(listPricesOf("s3://logs/x--x-s3")).toBe(listPrices["s3"]);
    expect(listPricesOf("ftp://logs")).toBeUndefined();
  });

  test("money that is spent does not stop what costs nothing", async () => {
    const { store } = budgeted({ usdMax: 0, prices: { a: 1, b: 0 } });
    await expect(store.put("a", bytes)).rejects.toMatchObject(spent);
    expect(await store.head("a")).toBeUndefined();
  });

  test("deletions and dropped uploads are never refused, and leave nothing behind", async () => {
    const { store, driver } = budgeted({ requestsMax: { a: 3, b: 0 } });
    const large = store.putStream("a", [new Uint8Array(5000)], { partBytes: 1000, concurrency: 1 });
    await expect(large).rejects.toMatchObject(spent);
    await store.delete("a");
    await store.deleteMany(["b", "c"]);
    await store.abortIncompleteUpload({ key: "d", uploadId: "none" });
    expect(driver.requests).toEqual([
      "beginUpload",
      "uploadPart",
      "uploadPart",
      "abortUpload",
      "delete",
      "deleteMany",
      "abortUpload",
    ]);
    expect(store.spending().requests).toEqual({ a: 3, b: 0, free: 4 });
  });

  test("each attempt counts, and the refusal of a retry is final", async () => {
    const throttled: FaultChoice = () => ({ kind: "refuse", code: "THROTTLED" });
    const { store, driver, clock } = budgeted({ requestsMax: { b: 3 } }, throttled);
    const call = Promise.allSettled([store.head("a")]);
    for (let attempt = 0; attempt < 4; attempt++) await clock.advanceAsync(1);
    expect(await call).toMatchObject([{ status: "rejected", reason: spent }]);
    expect(driver.requests).toHaveLength(3);
  });

  test("an alarm once for each limit and threshold in a window, and again in the next", async () => {
    const { store, clock, alarms } = budgeted({
      requestsMax: { b: 10 },
      usdMax: 1,
      prices: { a: 0, b: 100 },
      windowMs: 60_000,
      alarmAt: [1, 0.5],
    });
    for (let index = 0; index < 10; index++) await store.head("a");
    await expect(store.head("a")).rejects.toMatchObject({ ...spent, retryAfterMs: 60_000 });
    expect(alarms.map(({ limit, threshold, used, max }) => [limit, threshold, used, max])).toEqual([
      ["usd", 0.5, 0.5, 1],
      ["b", 0.5, 5, 10],
      ["usd", 1, 1, 1],
      ["b", 1, 10, 10],
    ]);
    clock.advance(59_999);
    await expect(store.head("a")).rejects.toMatchObject({ ...spent, retryAfterMs: 1 });
    clock.advance(1);
    for (let index = 0; index < 5; index++) await store.head("a");
    expect(alarms).toHaveLength(6);
    expect(store.spending()).toMatchObject({ requests: { b: 5 }, windowLeftMs: 60_000 });
    clock.advance(60_000 * 3 + 20_000);
    expect(store.spending()).toMatchObject({ requests: { b: 0 }, usd: 0, windowLeftMs: 40_000 });
  });

  test("the alarm is at four fifths when nothing else is said", async () => {
    const { store, alarms } = budgeted({ requestsMax: { b: 10 } });
    for (let index = 0; index < 7; index++) await store.head("a");
    expect(alarms).toEqual([]);
    await store.head("a");
    await store.head("a");
    expect(alarms).toEqual([{ limit: "b", threshold: 0.8, used: 8, max: 10, windowLeftMs: undefined }]);
  });

  test("what onAlarm throws is a warning, and the request is sent", async () => {
    const warnings: unknown[] = [];
    vi.spyOn(process, "emitWarning").mockImplementation((...given: unknown[]) => void warnings.push(given));
    const { store, driver } = budgeted({
      requestsMax: { b: 1 },
      onAlarm: () => {
        throw new Error("oops");
      },
    });
    await store.head("a");
    expect(driver.requests).toEqual(["head"]);
    expect(warnings).toEqual([["onAlarm of withBudget failed: oops", { code: "VARVE_LISTENER_FAILED" }]]);
  });

  test("nonsense is refused, all of it at once", () => {
    class Elsewhere extends MemoryDriver {
      override readonly url: string = "other://bucket";
    }
    const store = createObjectStore(new Elsewhere());
    const wrong = { windowMs: 5, alarmAt: [0, 2], requestsMax: { a: -1, c: 1 }, usdMax: 1, hourly: true };
    expect(() => withBudget(store, wrong)).toThrow(
      /hourly.*windowMs.*c: not known; known are a, b.*a: got -1.*alarmAt.*no list price/s,
    );
    expect(() => withBudget(store, {})).toThrow(/at least one/);
    expect(() => withBudget(store, { usdMax: 1, prices: { a: 1 } as never })).toThrow(/prices.b is missing/);
    expect(() => withBudget(store, { usdMax: 1, prices: { a: 1, b: 1 } })).not.toThrow();
  });
});

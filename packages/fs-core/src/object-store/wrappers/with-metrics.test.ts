// Goal: every request is counted once, under its operation, with its bytes, its failure and its latency, and told of.
// Method: a store in memory with faults and a manual clock; the snapshot after each kind of end; the diagnostics channel.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterEach, describe, expect, test, vi } from "vitest";
import { FaultyDriver, type FaultChoice } from "../../testing/faulty-driver.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { createObjectStore } from "../driver-store.ts";
import { MemoryDriver } from "../memory-driver.ts";
import { storeChannels, type StoreRequestEvent } from "./metrics-driver.ts";
import { operationClasses } from "./price-classes.ts";
import { driverOperations } from "./driver-request.ts";
import { type MeasuredStore, type MetricsOptions, withMetrics } from "./with-metrics.ts";

function measured(choose: FaultChoice = () => undefined, options: MetricsOptions = {}): MeasuredStore {
  const driver = new FaultyDriver(new MemoryDriver(), choose);
  return withMetrics(createObjectStore(driver, { retry: { baseDelayMs: 0 } }), options);
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("withMetrics", () => {
  test("requests, bytes, price classes and kinds", async () => {
    const store = measured();
    await store.put("a", new Uint8Array(1000));
    await store.putStream("b", [new Uint8Array(2500)], { partBytes: 1000 });
    await (await store.get("a")).bytes();
    await store.getRanges("a", [{ offset: 10, length: 20 }]);
    await store.copy("a", "c");
    await store.deleteMany(["a", "c"]);
    for await (const _entry of store.list());
    const { operations, byPriceClass, byKind, inFlight } = store.metrics();
    const counts = Object.fromEntries(Object.entries(operations).map(([name, { requests }]) => [name, requests]));
    expect(counts).toEqual({
      head: 1,
      get: 2,
      put: 1,
      beginUpload: 1,
      uploadPart: 3,
      uploadPartCopy: 0,
      completeUpload: 1,
      abortUpload: 0,
      copy: 1,
      rename: 0,
      delete: 0,
      deleteMany: 1,
      list: 1,
      listUploads: 0,
    });
    expect(operations.put.sentBytes).toBe(1000);
    expect(operations.uploadPart.sentBytes).toBe(2500);
    expect(operations.get.receivedBytes).toBe(1020);
    expect(operations.get.latency.count).toBe(2);
    expect(byPriceClass).toEqual({ a: 8, b: 3, free: 1 });
    expect(byKind).toEqual({ put: 6, get: 3, list: 1, delete: 1, copy: 1 });
    expect(inFlight).toBe(0);
  });

  test("failures by code, and retries", async () => {
    const store = measured((operation, index) =>
      operation === "head" && index < 2 ? { kind: "refuse", code: "THROTTLED" } : undefined,
    );
    await store.head("a");
    await expect(store.get("a")).rejects.toMatchObject({ code: "NOT_FOUND" });
    const { head, get } = store.metrics().operations;
    expect(head).toMatchObject({ requests: 3, retries: 2, failures: { THROTTLED: 2 }, inFlight: 0 });
    expect(head.latency.count).toBe(1);
    expect(get).toMatchObject({ requests: 1, retries: 0, failures: { NOT_FOUND: 1 }, inFlight: 0 });
  });

  test("a body is in flight until it ends; one that breaks failed, one that is left did not", async () => {
    let isBroken = false;
    const events: StoreRequestEvent[] = [];
    const store = measured(
      (operation) => (operation === "get" && isBroken ? { kind: "cut-body", bytes: 100, how: "error" } : undefined),
      { onRequest: (event) => events.push(event) },
    );
    await store.put("a", new Uint8Array(200_000));
    const body = await store.get("a");
    expect(store.metrics().operations.get.inFlight).toBe(1);
    expect(store.metrics().inFlight).toBe(1);
    for await (const _chunk of body) break;
    expect(store.metrics().operations.get).toMatchObject({ inFlight: 0, failures: {} });
    expect(events.at(-1)).toMatchObject({ operation: "get", code: undefined });
    isBroken = true;
    const broken = await store.get("a");
    for await (const _chunk of broken) isBroken = false;
    expect(store.metrics().operations.get).toMatchObject({ requests: 3, failures: { UNAVAILABLE: 1 }, inFlight: 0 });
  });

  test("an aborted request is ABORTED, and does not stay in flight", async () => {
    const store = measured(() => ({ kind: "hang", after: false }));
    const stop = new AbortController();
    const call = store.head("a", { signal: stop.signal });
    await vi.waitFor(() => expect(store.metrics().inFlight).toBe(1));
    stop.abort();
    await expect(call).rejects.toMatchObject({ code: "ABORTED" });
    expect(store.metrics().operations.head).toMatchObject({ failures: { ABORTED: 1 }, inFlight: 0 });
  });

  test("latency is the time until the answer, by the clock", async () => {
    const clock = new ManualClock();
    class Slow extends MemoryDriver {
      override async head(): Promise<undefined> {
        await clock.sleep(3);
        return undefined;
      }
    }
    const store = withMetrics(createObjectStore(new Slow({ clock }), {}, { clock }));
    const call = store.head("a");
    await clock.advanceAsync(3);
    await call;
    const { latency } = store.metrics().operations.head;
    expect(latency).toMatchObject({ count: 1, sumUs: 3000, maxUs: 3000 });
    expect(latency.buckets[12]).toBe(1);
  });

  test("each request is told on the channel and to onRequest, with the same words", async () => {
    const published: unknown[] = [];
    const told: StoreRequestEvent[] = [];
    const onMessage = (message: unknown): void => {
      published.push(message);
    };
    const store = measured(() => undefined, { onRequest: (event) => told.push(event) });
    subscribe(storeChannels.request, onMessage);
    try {
      await store.put("a", new Uint8Array(7));
      await store.put("a", new Uint8Array(7), { ifAbsent: true }).catch(() => {});
    } finally {
      unsubscribe(storeChannels.request, onMessage);
    }
    await store.delete("a");
    expect(storeChannels.request).toBe("varve.store.request");
    expect(told.slice(0, 2)).toMatchObject([
      {
        store: "memory://store",
        operation: "put",
        kind: "put",
        priceClass: "a",
        key: "a",
        attempt: 1,
        sentBytes: 7,
        receivedBytes: 0,
        code: undefined,
      },
      { operation: "put", code: "ALREADY_EXISTS" },
    ]);
    expect(published).toEqual(told.slice(0, -1));
    expect(told.at(-1)).toMatchObject({ operation: "delete", priceClass: "free" });
  });

  test("what onRequest throws is a warning, and the request succeeds", async () => {
    const warnings: unknown[] = [];
    vi.spyOn(process, "emitWarning").mockImplementation((...given: unknown[]) => void warnings.push(given));
    const thrower = measured(() => undefined, {
      onRequest: () => {
        throw new Error("oops");
      },
    });
    const rejecter = measured(() => undefined, { onRequest: () => Promise.reject(new Error("later")) });
    expect(await thrower.head("a")).toBeUndefined();
    expect(await rejecter.head("a")).toBeUndefined();
    await vi.waitFor(() => expect(warnings).toHaveLength(2));
    expect(warnings).toEqual([
      ["onRequest of withMetrics failed: oops", { code: "VARVE_LISTENER_FAILED" }],
      ["onRequest of withMetrics failed: later", { code: "VARVE_LISTENER_FAILED" }],
    ]);
  });

  test("every operation has a price class, and what cleans up is free", () => {
    expect(Object.keys(operationClasses).toSorted()).toEqual([...driverOperations].toSorted());
    for (const name of ["abortUpload", "delete", "deleteMany"] as const) {
      expect(operationClasses[name].priceClass).toBe("free");
    }
  });
});

// Goal: a flush is due exactly when the strategy says so, and every appended record is in exactly one place.
// Method: each strategy on a manual clock; then random operations beside a model that keeps a list of records.
import { ManualClock } from "@varve/fs-core/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  FlushController,
  FlushMetrics,
  type FlushStrategy,
  type FlushToken,
  flushTriggers,
  resolveFlushStrategy,
} from "../src/index.ts";
import { openBench, seed, unsteadyClock } from "./support.ts";

describe("bounds that move", () => {
  test("a smaller batch is due with what is pending already; the strategy in force says so", () => {
    const { controller } = openBench({ kind: "batched-or-periodic", batchSize: 100, intervalMs: 50 });
    const configured = controller.strategy;
    controller.recordAppend(40, 400);
    expect(controller.shouldFlush()).toBeUndefined();
    controller.setBounds({ batchSize: 40 });
    expect(controller.shouldFlush()).toBe("batched");
    expect(controller.strategy).toEqual({ ...configured, batchSize: 40 });
    expect(configured).toMatchObject({ batchSize: 100 });
    expect(Object.isFrozen(controller.strategy)).toBe(true);
    controller.setBounds({ batchSize: 41 });
    expect(controller.shouldFlush()).toBeUndefined();
  });

  test("an interval counts from the same first append before and after", () => {
    const { clock, controller } = openBench({ kind: "periodic", intervalMs: 100 });
    controller.recordAppend(1, 1);
    clock.advance(30);
    controller.setBounds({ intervalMs: 50 });
    expect(controller.dueInMs()).toBe(20);
    controller.setBounds({ intervalMs: 20 });
    expect(controller.dueInMs()).toBe(0);
    controller.setBounds({ intervalMs: 1000 });
    expect(controller.dueInMs()).toBe(970);
  });

  test("are checked before anything changes, and never change the kind", () => {
    const { controller } = openBench({ kind: "batched-or-periodic", batchSize: 100, intervalMs: 50 });
    const before = controller.strategy;
    expect(() => controller.setBounds({ batchSize: 0, intervalMs: 1.5 })).toThrow(
      /^bounds\.batchSize: .*\nbounds\.intervalMs: /,
    );
    expect(controller.strategy).toBe(before);
    controller.setBounds({ kind: "async", batchSize: 7 } as { batchSize: number });
    expect(controller.strategy).toMatchObject({ kind: "batched-or-periodic", batchSize: 7 });
    const { controller: sync } = openBench({ kind: "sync" });
    expect(() => sync.setBounds({ batchSize: 2 })).toThrow(RangeError);
    expect(sync.strategy).toEqual({ kind: "sync" });
    const { controller: periodic } = openBench({ kind: "periodic", intervalMs: 5 });
    expect(() => periodic.setBounds({ batchSize: 2 })).toThrow(/not a setting of "periodic"/);
  });

  test("a bound of bytes stays", () => {
    const { controller } = openBench({ kind: "batched", batchSize: 100, maxBytes: 50 });
    controller.setBounds({ batchSize: 1000 });
    controller.recordAppend(1, 50);
    expect(controller.shouldFlush()).toBe("batched");
  });
});

test("flushingSinceUs is the begin of the oldest stretch without a break", () => {
  const { clock, controller } = openBench();
  expect(controller.flushingSinceUs).toBeUndefined();
  clock.advance(1);
  const first = controller.begin("forced");
  clock.advance(1);
  const second = controller.begin("forced");
  controller.succeed(first);
  expect(controller.flushingSinceUs).toBe(1000);
  controller.fail(second, new Error("no"));
  expect(controller.flushingSinceUs).toBeUndefined();
  clock.advance(1);
  controller.begin("forced");
  expect(controller.flushingSinceUs).toBe(3000);
});

describe("when a flush is due", () => {
  test("sync: at every append", () => {
    const { controller } = openBench({ kind: "sync" });
    expect(controller.shouldFlush()).toBeUndefined();
    controller.recordAppend(1, 64);
    expect(controller.shouldFlush()).toBe("sync");
    expect(controller.dueInMs()).toBeUndefined();
    const token = controller.begin("sync");
    expect(controller.shouldFlush()).toBeUndefined();
    controller.succeed(token);
    expect(controller.shouldFlush()).toBeUndefined();
  });

  test("async: when the bytes not yet on their way reach the bound", () => {
    const { controller } = openBench({ kind: "async", maxPendingBytes: 100 });
    controller.recordAppend(50, 99);
    expect(controller.shouldFlush()).toBeUndefined();
    controller.recordAppend(1, 1);
    expect(controller.shouldFlush()).toBe("backpressure");
    controller.begin("backpressure");
    controller.recordAppend(1, 99);
    expect(controller.pendingBytes).toBe(199);
    expect(controller.shouldFlush()).toBeUndefined();
  });

  test("batched: at the record bound or the byte bound", () => {
    const { controller } = openBench({ kind: "batched", batchSize: 3, maxBytes: 1000 });
    controller.recordAppend(2, 10);
    expect(controller.shouldFlush()).toBeUndefined();
    controller.recordAppend(1, 10);
    expect(controller.shouldFlush()).toBe("batched");
    controller.succeed(controller.begin("batched"));
    controller.recordAppend(1, 1000);
    expect(controller.shouldFlush()).toBe("batched");
    expect(controller.dueInMs()).toBeUndefined();
  });

  test("batched without a byte bound takes any number of bytes", () => {
    const { controller } = openBench({ kind: "batched", batchSize: 2 });
    controller.recordAppend(1, Number.MAX_SAFE_INTEGER);
    expect(controller.shouldFlush()).toBeUndefined();
  });

  test("periodic: an interval after the first append, and not while idle", () => {
    const { controller, clock } = openBench({ kind: "periodic", intervalMs: 100 });
    expect(controller.dueInMs()).toBeUndefined();
    clock.advance(1000);
    controller.recordAppend(1, 1);
    expect(controller.dueInMs()).toBe(100);
    clock.advance(60);
    controller.recordAppend(1_000_000, 1);
    expect(controller.dueInMs()).toBe(40);
    expect(controller.shouldFlush()).toBeUndefined();
    clock.advance(40);
    expect(controller.dueInMs()).toBe(0);
    clock.advance(1);
    expect(controller.dueInMs()).toBe(0);
    const token = controller.begin("periodic");
    expect(controller.dueInMs()).toBeUndefined();
    controller.succeed(token);
    expect(controller.dueInMs()).toBeUndefined();
  });

  test("periodic with a byte bound: whichever comes first", () => {
    const { controller } = openBench({ kind: "periodic", intervalMs: 100, maxBytes: 10 });
    controller.recordAppend(1, 10);
    expect(controller.shouldFlush()).toBe("batched");
  });

  test("a timer of dueInMs never wakes before the bound", () => {
    const { controller, clock } = openBench({ kind: "periodic", intervalMs: 10 });
    clock.advance(0.4);
    controller.recordAppend(1, 1);
    clock.advance(0.1);
    const wait = controller.dueInMs();
    expect(wait).toBe(10);
    clock.advance(wait ?? 0);
    expect(controller.dueInMs()).toBe(0);
    controller.succeed(controller.begin("periodic"));
    controller.recordAppend(1, 1);
    clock.advance(9.9);
    expect(controller.dueInMs()).toBe(1);
  });

  test("batched-or-periodic: whichever comes first", () => {
    const { controller, clock } = openBench({ kind: "batched-or-periodic", batchSize: 2, intervalMs: 50 });
    controller.recordAppend(1, 1);
    expect([controller.shouldFlush(), controller.dueInMs()]).toEqual([undefined, 50]);
    controller.recordAppend(1, 1);
    expect(controller.shouldFlush()).toBe("batched");
    controller.begin("batched");
    clock.advance(30);
    controller.recordAppend(1, 1);
    expect([controller.shouldFlush(), controller.dueInMs()]).toEqual([undefined, 50]);
  });

  test("the wall clock has no say", () => {
    const { controller, clock } = openBench({ kind: "periodic", intervalMs: 100 });
    controller.recordAppend(1, 1);
    clock.setWallUs(0);
    expect(controller.dueInMs()).toBe(100);
    clock.advance(100);
    clock.setWallUs(0);
    expect(controller.dueInMs()).toBe(0);
  });

  test("the clock is read once per batch, and never without a time bound", () => {
    const clock = unsteadyClock();
    let reads = 0;
    const counting = { ...clock, monotonicUs: () => reads++ };
    const metrics = new FlushMetrics({}, { clock });
    const open = (strategy: FlushStrategy): FlushController =>
      new FlushController(resolveFlushStrategy(strategy), { clock: counting, metrics });
    const append = (controller: FlushController): void => {
      for (let i = 0; i < 100; i += 1) {
        controller.recordAppend(1, 1);
        controller.shouldFlush();
      }
    };
    append(open({ kind: "sync" }));
    append(open({ kind: "async" }));
    append(open({ kind: "batched", batchSize: 7 }));
    expect(reads).toBe(0);
    append(open({ kind: "batched-or-periodic", batchSize: 7, intervalMs: 5 }));
    expect(reads).toBe(1);
  });
});

describe("tokens", () => {
  test("cover what was appended before, and nothing appended after", () => {
    const { controller, clock } = openBench();
    clock.advance(7);
    controller.recordAppend(2, 20);
    const first = controller.begin("forced");
    expect(first).toMatchObject({ records: 2, bytes: 20, startedUs: 7000, trigger: "forced" });
    controller.recordAppend(1, 5);
    const second = controller.begin("rotation");
    expect(second).toMatchObject({ records: 1, bytes: 5 });
    expect(controller.pendingRecords).toBe(3);
    controller.succeed(second);
    expect([controller.pendingRecords, controller.pendingBytes]).toEqual([2, 20]);
    controller.succeed(first);
    expect([controller.pendingRecords, controller.pendingBytes]).toEqual([0, 0]);
  });

  test("may cover the oldest part only, and the rest waits anew", () => {
    const { controller, clock } = openBench({ kind: "batched-or-periodic", batchSize: 3, intervalMs: 100 });
    controller.recordAppend(3, 30);
    clock.advance(60);
    const part = controller.begin("periodic", 2, 20);
    expect(part).toMatchObject({ records: 2, bytes: 20 });
    expect([controller.pendingRecords, controller.pendingBytes]).toEqual([3, 30]);
    expect([controller.shouldFlush(), controller.dueInMs()]).toEqual([undefined, 100]);
    controller.succeed(part);
    expect([controller.pendingRecords, controller.pendingBytes]).toEqual([1, 10]);
    expect(controller.begin("forced")).toMatchObject({ records: 1, bytes: 10 });
  });

  test("asked to cover more than there is, cover all, and never a byte less", () => {
    const { controller } = openBench();
    controller.recordAppend(2, 20);
    expect(controller.begin("forced", 5, 1)).toMatchObject({ records: 2, bytes: 20 });
    expect([controller.pendingRecords, controller.pendingBytes]).toEqual([2, 20]);
    controller.recordAppend(2, 20);
    expect(controller.begin("forced", 0, 0)).toMatchObject({ records: 0, bytes: 0 });
    expect(controller.begin("forced", 1, 50)).toMatchObject({ records: 1, bytes: 20 });
  });

  test("are used again, so that a flush allocates nothing", () => {
    const { controller } = openBench();
    const first = controller.begin("forced");
    controller.succeed(first);
    expect(controller.begin("shutdown")).toBe(first);
    expect(controller.begin("shutdown")).not.toBe(first);
  });

  test("a failed flush gives its records to the next one, and a retry waits an interval", () => {
    const { controller, clock, metrics } = openBench({ kind: "batched-or-periodic", batchSize: 2, intervalMs: 100 });
    controller.recordAppend(2, 20);
    const token = controller.begin("batched");
    controller.recordAppend(1, 10);
    clock.advance(250);
    controller.fail(token, new Error("disk"));
    expect([controller.pendingRecords, controller.pendingBytes]).toEqual([3, 30]);
    expect([metrics.pendingRecords, metrics.pendingBytes]).toEqual([3, 30]);
    expect(controller.dueInMs()).toBe(100);
    expect(controller.shouldFlush()).toBe("batched");
    expect(controller.begin("batched")).toMatchObject({ records: 3, bytes: 30 });
  });

  test("an empty flush is allowed, counted, and due for nothing when it fails", () => {
    const { controller, metrics } = openBench({ kind: "periodic", intervalMs: 10 });
    controller.succeed(controller.begin("shutdown"));
    controller.fail(controller.begin("shutdown"), new Error("disk"));
    expect(controller.dueInMs()).toBeUndefined();
    expect(metrics).toMatchObject({ totalFlushes: 2, shutdownFlushes: 2, totalRecordsFlushed: 0 });
  });

  test("settling twice, or with another controller, is refused and changes nothing", () => {
    const { controller, metrics } = openBench();
    controller.recordAppend(1, 1);
    const token = controller.begin("forced");
    expect(() => openBench().controller.succeed(token)).toThrow(TypeError);
    expect(() => controller.succeed({ ...token })).toThrow(TypeError);
    controller.succeed(token);
    expect(() => controller.succeed(token)).toThrow(TypeError);
    expect(() => controller.fail(token, new Error("late"))).toThrow(TypeError);
    expect(metrics).toMatchObject({ totalFlushes: 1, flushesInFlight: 0, pendingRecords: 0 });
  });
});

test("batch utilization compares flushes with the batch bound, where there is one", () => {
  const { controller, flush } = openBench({ kind: "batched", batchSize: 10 });
  expect(controller.batchUtilization()).toBeUndefined();
  flush(10, 1, 1);
  flush(5, 1, 1);
  expect(controller.batchUtilization()).toBe(75);
  const periodic = openBench({ kind: "periodic", intervalMs: 10 });
  periodic.flush(10, 1, 1);
  expect(periodic.controller.batchUtilization()).toBeUndefined();
});

test("several controllers may share one set of metrics", () => {
  const clock = new ManualClock();
  const metrics = new FlushMetrics({}, { clock });
  const open = (): FlushController => new FlushController(resolveFlushStrategy(undefined), { clock, metrics });
  const [a, b] = [open(), open()];
  a.recordAppend(1, 10);
  b.recordAppend(2, 20);
  expect([a.pendingRecords, b.pendingRecords, metrics.pendingRecords]).toEqual([1, 2, 3]);
  b.succeed(b.begin("forced"));
  expect([a.pendingBytes, b.pendingBytes, metrics.pendingBytes]).toEqual([10, 0, 10]);
});

describe("beside a model", () => {
  const operation = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("append" as const), bytes: fc.nat(1000) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("begin" as const),
        trigger: fc.constantFrom(...flushTriggers),
        part: fc.option(fc.nat(6), { nil: undefined }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("succeed" as const), which: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("fail" as const), which: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("advance" as const), ms: fc.nat(200) }) },
  );

  test("every record is unflushed, in one open token, or flushed", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
        const strategy = { kind: "batched-or-periodic", batchSize: 5, intervalMs: 100, maxBytes: 2000 } as const;
        const { clock, controller, metrics } = openBench(strategy, { digits: 1, engine: "js" });
        let unflushed: number[] = [];
        let waitingSinceMs = 0;
        let nowMs = 0;
        const open: { token: FlushToken; bytes: number[]; trigger: string; startedMs: number }[] = [];
        const flushed: number[] = [];
        const successes: number[] = [];
        const failures: number[] = [];
        const triggers: Record<string, number> = Object.fromEntries(flushTriggers.map((trigger) => [trigger, 0]));

        for (const step of operations) {
          if (step.do === "append") {
            if (unflushed.length === 0) waitingSinceMs = nowMs;
            unflushed.push(step.bytes);
            controller.recordAppend(1, step.bytes);
          } else if (step.do === "begin") {
            const bytes = unflushed.slice(0, step.part);
            const token =
              step.part === undefined
                ? controller.begin(step.trigger)
                : controller.begin(step.trigger, step.part, sum(bytes));
            open.push({ token, bytes, trigger: step.trigger, startedMs: nowMs });
            unflushed = unflushed.slice(bytes.length);
            if (unflushed.length > 0) waitingSinceMs = nowMs;
          } else if (step.do === "advance") {
            nowMs += step.ms;
            clock.advance(step.ms);
          } else {
            const [entry] = open.splice(step.which % Math.max(1, open.length), 1);
            if (entry === undefined) continue;
            triggers[entry.trigger] = (triggers[entry.trigger] ?? 0) + 1;
            if (step.do === "succeed") {
              controller.succeed(entry.token);
              flushed.push(...entry.bytes);
              successes.push((nowMs - entry.startedMs) * 1000);
            } else {
              controller.fail(entry.token, new Error("disk"));
              unflushed = [...entry.bytes, ...unflushed];
              if (entry.bytes.length > 0) waitingSinceMs = nowMs;
              failures.push((nowMs - entry.startedMs) * 1000);
            }
          }

          expect(open.map(({ token }) => [token.records, token.bytes])).toEqual(
            open.map(({ bytes }) => [bytes.length, sum(bytes)]),
          );
          const pending = [...unflushed, ...open.flatMap((entry) => entry.bytes)];
          expect(controller.pendingRecords).toBe(pending.length);
          expect(controller.pendingBytes).toBe(sum(pending));
          expect(controller.shouldFlush()).toBe(
            unflushed.length >= 5 || sum(unflushed) >= 2000 ? "batched" : undefined,
          );
          expect(controller.dueInMs()).toBe(
            unflushed.length === 0 ? undefined : Math.max(0, waitingSinceMs + 100 - nowMs),
          );
          expect(metrics).toMatchObject({
            pendingRecords: pending.length,
            pendingBytes: sum(pending),
            flushesInFlight: open.length,
            totalFlushes: successes.length + failures.length,
            successfulFlushes: successes.length,
            failedFlushes: failures.length,
            totalRecordsFlushed: flushed.length,
            totalBytesFlushed: sum(flushed),
            totalFlushTimeUs: sum(successes),
            totalFailureTimeUs: sum(failures),
            longestFlushUs: successes.length === 0 ? undefined : Math.max(...successes),
            shortestFlushUs: successes.length === 0 ? undefined : Math.min(...successes),
          });
        }
        for (const trigger of flushTriggers) expect(metrics[`${trigger}Flushes`]).toBe(triggers[trigger]);
        expect(sum(Object.values(triggers))).toBe(metrics.totalFlushes);
        const { flushLatency, failureLatency } = metrics.snapshot();
        expect([flushLatency.lifetime.count, flushLatency.lifetime.sum]).toEqual([successes.length, sum(successes)]);
        expect([failureLatency.lifetime.count, failureLatency.lifetime.sum]).toEqual([failures.length, sum(failures)]);
        metrics.close();
      }),
      { seed },
    );
  });
});

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

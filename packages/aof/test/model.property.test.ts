// Goal: whatever is done in whatever order, a log is an array of records (G2).
// Method: random commands drive a log and an array side by side; seeds are printed by fast-check on failure.
import { MemoryFileSystem } from "@varve/fs-core";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Aof, AofSettings } from "../src/index.ts";
import { openOn } from "./support/log-harness.ts";

type Command =
  | { kind: "append" | "durable" | "try"; size: number }
  | { kind: "batch"; sizes: number[] }
  | { kind: "flush" | "close" | "turn" }
  | { kind: "get"; at: number }
  | { kind: "scan"; from: number; limit: number; reverse: boolean };

const size = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 1, arbitrary: fc.integer({ min: 3000, max: 4000 }) },
);
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constantFrom("append" as const, "durable" as const, "try" as const), size }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("batch" as const),
      sizes: fc.array(fc.nat({ max: 300 }), { minLength: 1, maxLength: 10 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("flush" as const, "close" as const, "turn" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("get" as const), at: fc.nat({ max: 1000 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("scan" as const),
      from: fc.nat({ max: 1000 }),
      limit: fc.nat({ max: 50 }),
      reverse: fc.boolean(),
    }),
  },
);

const strategy: fc.Arbitrary<NonNullable<AofSettings["flushStrategy"]>> = fc.constantFrom(
  { kind: "sync" },
  { kind: "async", maxPendingBytes: 2000 },
  { kind: "batched", batchSize: 4 },
  { kind: "batched", batchSize: 50, maxBytes: 700 },
  { kind: "batched-or-periodic", batchSize: 10, intervalMs: 1 },
);

let counter = 0;
function bytes(length: number): Buffer {
  counter++;
  return Buffer.alloc(length, counter % 251);
}

test("a log is an array", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { maxLength: 60 }),
      strategy,
      fc.boolean(),
      async (commands, flushStrategy, preAllocateEnabled) => {
        const fs = new MemoryFileSystem();
        const open = (): Promise<Aof> => openOn(fs, { flushStrategy, preAllocateEnabled, segmentMaxRecords: 40 });
        let log = await open();
        const model: Buffer[] = [];
        for (const step of commands) {
          switch (step.kind) {
            case "append": {
              const payload = bytes(step.size);
              for (;;) {
                try {
                  expect(log.append(payload)).toBe(model.push(payload));
                  break;
                } catch (error) {
                  expect(error).toMatchObject({ code: "BACKPRESSURE" });
                  await (error as { ready: Promise<void> }).ready;
                }
              }
              break;
            }
            case "durable": {
              const payload = bytes(step.size);
              expect(await log.appendDurable(payload)).toBe(model.push(payload));
              expect(log.durableId).toBe(model.length);
              break;
            }
            case "try": {
              const payload = bytes(step.size);
              try {
                expect(log.tryAppend(payload)).toBe(model.push(payload));
              } catch (error) {
                if ((error as { code?: string }).code !== "WOULD_BLOCK") throw error;
              }
              break;
            }
            case "batch": {
              const payloads = step.sizes.map(bytes);
              const { firstId, lastId } = await log.appendBatchDurable(payloads);
              expect(firstId).toBe(model.length + 1);
              model.push(...payloads);
              expect(lastId).toBe(model.length);
              break;
            }
            case "flush":
              expect(await log.flush()).toBe(model.length);
              break;
            case "turn":
              await new Promise((resolve) => setImmediate(resolve));
              break;
            case "close":
              await log.close();
              log = await open();
              expect(log).toMatchObject({ lastId: model.length, durableId: model.length });
              break;
            case "get": {
              if (log.durableId === 0) break;
              const id = 1 + (step.at % log.durableId);
              expect(Buffer.compare(log.getSync(id)?.payload ?? Buffer.from("none"), model[id - 1] as Buffer)).toBe(0);
              break;
            }
            case "scan": {
              const from = 1 + (step.from % (model.length + 1));
              const found: number[] = [];
              const durable = log.durableId;
              for await (const { id, payload } of log.read({ from, limit: step.limit, reverse: step.reverse })) {
                expect(Buffer.compare(payload, model[id - 1] as Buffer)).toBe(0);
                found.push(id);
              }
              const count = Math.min(
                step.limit,
                step.reverse ? Math.min(from, durable) : Math.max(0, durable - from + 1),
              );
              const first = step.reverse ? Math.min(from, durable) : from;
              expect(found.slice(0, count)).toEqual(
                Array.from({ length: count }, (_, index) => (step.reverse ? first - index : first + index)),
              );
              break;
            }
          }
        }
        await log.close();
        const last = await open();
        const content: Buffer[] = [];
        for await (const { payload } of last.read()) content.push(Buffer.from(payload));
        expect(content.length).toBe(model.length);
        for (const [index, payload] of content.entries())
          expect(Buffer.compare(payload, model[index] as Buffer)).toBe(0);
        await last.close();
      },
    ),
    { numRuns: Number(process.env["VARVE_FULL"] === "1" ? 2000 : 150) },
  );
});

// Goal: the ring never hands out memory that is in use, keeps spans in order, and is bounded.
// Method: random reserves, takes and releases against a model that marks every byte.
import fc from "fast-check";
import { expect, test } from "vitest";
import { ActiveSegment } from "./active-segment.ts";
import { AppendRing, type PendingSpan } from "./append-ring.ts";

const capacity = 1024;
type Step = { kind: "reserve"; bytes: number; next: boolean } | { kind: "write" };

const steps = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("reserve" as const),
        bytes: fc.integer({ min: 4, max: 60 }).map((n) => n * 8),
        next: fc.boolean(),
      }),
    },
    { weight: 2, arbitrary: fc.constant({ kind: "write" as const }) },
  ),
  { maxLength: 120 },
);

test("memory is never given out twice, and comes back in order", () => {
  fc.assert(
    fc.property(steps, (script: Step[]) => {
      const ring = new AppendRing(capacity);
      const inUse = new Map<number, number>(); // byte → id of the record that has it
      const records: { id: number; at: number; bytes: number; segment: ActiveSegment }[] = [];
      let segment = new ActiveSegment(1, 1n, 0);
      let id = 0;
      for (const step of script) {
        if (step.kind === "reserve") {
          if (step.next && segment.count > 0) segment = new ActiveSegment(id + 1, BigInt(id), 0);
          const span = ring.reserve(segment, step.bytes, segment.end, id + 1);
          expect(ring.pendingBytes).toBeLessThanOrEqual(capacity);
          if (span === undefined) {
            expect(records.length).toBeGreaterThan(0);
            continue;
          }
          id++;
          const at = ring.reservedAt;
          for (let byte = at; byte < at + step.bytes; byte++) {
            expect(inUse.has(byte)).toBe(false);
            inUse.set(byte, id);
          }
          records.push({ id, at, bytes: step.bytes, segment });
          segment.push(step.bytes, 0);
        } else {
          const span: PendingSpan | undefined = ring.takeFirst();
          expect(span === undefined).toBe(records.length === 0);
          if (span === undefined) continue;
          let at = span.start;
          while (at < span.start + span.length) {
            const record = records.shift();
            expect(record).toMatchObject({ at, segment: span.segment });
            for (let byte = at; byte < at + (record?.bytes ?? 0); byte++) inUse.delete(byte);
            at += record?.bytes ?? 0;
            if (at === span.start + span.length) expect(span.lastId).toBe(record?.id);
          }
          ring.release();
        }
      }
    }),
  );
});

test("a record larger than the ring gets memory of its own, one at a time", () => {
  const ring = new AppendRing(capacity);
  const segment = new ActiveSegment(1, 1n, 0);
  expect(ring.reserve(segment, 4096, 64, 1)?.oversize).toBe(true);
  expect(ring.hasRoom(4096)).toBe(false);
  expect(ring.reserve(segment, 4096, 64 + 4096, 2)).toBeUndefined();
  expect(ring.reserve(segment, 64, 64 + 4096, 2)?.oversize).toBe(false);
  ring.takeFirst();
  ring.release();
  expect(ring.hasRoom(4096)).toBe(true);
  expect(ring.pendingBytes).toBe(64);
});

test("a span that is being written does not grow", () => {
  const ring = new AppendRing(capacity);
  const segment = new ActiveSegment(1, 1n, 0);
  ring.reserve(segment, 64, 64, 1);
  const taken = ring.takeFirst();
  ring.reserve(segment, 64, 128, 2);
  expect(taken).toMatchObject({ length: 64, lastId: 1 });
  ring.release();
  expect(ring.takeFirst()).toMatchObject({ length: 64, lastId: 2, fileOffset: 128 });
});

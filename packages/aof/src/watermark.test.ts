// Goal: waiters wake when their id is reached, in any order of waiting, once, and never after an abort.
import fc from "fast-check";
import { expect, test } from "vitest";
import { AofError } from "./errors.ts";
import { Watermark } from "./watermark.ts";

test("wakes exactly those whose id is reached, for any ids and raises", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 60 })),
      async (ids, raises) => {
        const mark = new Watermark(0);
        const woken: number[] = [];
        for (const id of ids) void mark.reached(id).then((value) => woken.push(value));
        let top = 0;
        for (const value of raises) {
          mark.raise(value);
          top = Math.max(top, value);
          await Promise.resolve();
          await Promise.resolve();
          expect(mark.value).toBe(top);
          expect(woken.slice().sort((a, b) => a - b)).toEqual(ids.filter((id) => id <= top).sort((a, b) => a - b));
        }
      },
    ),
  );
});

test("an id that is reached resolves at once, also after a failure", async () => {
  const mark = new Watermark(5);
  mark.fail(new AofError("IO", "disk"));
  await expect(mark.reached(5)).resolves.toBe(5);
  await expect(mark.reached(6)).rejects.toMatchObject({ code: "IO" });
});

test("a failure reaches every waiter with the first error", async () => {
  const mark = new Watermark(0);
  const waits = [mark.reached(1), mark.reached(2, new AbortController().signal)];
  mark.fail(new AofError("IO", "first"));
  mark.fail(new AofError("IO", "second"));
  for (const wait of waits) await expect(wait).rejects.toMatchObject({ message: "first" });
});

test("an abort ends one wait and leaves the others", async () => {
  const mark = new Watermark(0);
  const controller = new AbortController();
  const aborted = mark.reached(1, controller.signal);
  const other = mark.reached(1);
  controller.abort(new Error("enough"));
  await expect(aborted).rejects.toMatchObject({ code: "ABORTED", cause: new Error("enough") });
  await expect(mark.reached(9, controller.signal)).rejects.toMatchObject({ code: "ABORTED" });
  mark.raise(1);
  await expect(other).resolves.toBe(1);
});

test("ten thousand waiters woken one by one cost no more than their number", async () => {
  const mark = new Watermark(0);
  const waits = Array.from({ length: 10_000 }, (_, index) => mark.reached(index + 1));
  for (let id = 1; id <= 10_000; id++) mark.raise(id);
  expect(await Promise.all(waits)).toHaveLength(10_000);
  expect(mark.hasWaiters).toBe(false);
});

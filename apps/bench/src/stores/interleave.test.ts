// Goal: a ratio between two sides is of their own work, in equal shares, whichever the machine is busy with.
// Method: sides that move a clock of the test by what each operation takes; what came out is compared with that.
import { expect, test } from "vitest";
import { interleave } from "./interleave.ts";

function bench(): {
  now: number;
  cpu: number;
  readonly order: string[];
  side(name: string, takesUs: number, cpuUs: number): { inFlight: number; run(): Promise<void> };
} {
  return {
    now: 0,
    cpu: 0,
    order: [],
    side(name, takesUs, cpuUs) {
      return {
        inFlight: 1,
        run: async () => {
          this.order.push(name);
          this.now += takesUs;
          this.cpu += cpuUs;
        },
      };
    },
  };
}

test("rates and processor time are each side's own", async () => {
  const state = bench();
  const pairs = await interleave(
    state.side("a", 100, 10),
    state.side("b", 400, 20),
    { sliceUs: 1000, totalUs: 8000 },
    { clock: { monotonicUs: () => state.now }, cpuUs: () => state.cpu },
  );
  expect(pairs.first.length).toBe(pairs.second.length);
  for (const slice of pairs.first) expect(slice).toEqual({ rate: 10_000, cpuUs: 10 });
  for (const slice of pairs.second) expect(slice).toEqual({ rate: 2500, cpuUs: 20 });
});

test("each side goes first in turn, after a slice of both that does not count", async () => {
  const state = bench();
  const pairs = await interleave(
    state.side("a", 1000, 0),
    state.side("b", 1000, 0),
    { sliceUs: 1000, totalUs: 4000 },
    { clock: { monotonicUs: () => state.now }, cpuUs: () => state.cpu },
  );
  expect(state.order.join("")).toBe("ababba");
  expect(pairs.first.length).toBe(2);
});

test("operations that take longer than all the time are still measured twice", async () => {
  const state = bench();
  const pairs = await interleave(
    state.side("a", 5000, 1),
    state.side("b", 5000, 1),
    { sliceUs: 1, totalUs: 1 },
    { clock: { monotonicUs: () => state.now }, cpuUs: () => state.cpu },
  );
  expect([pairs.first.length, pairs.second.length]).toEqual([2, 2]);
});

test("as many operations are under way as the side allows, each in a slot of its own", async () => {
  const busy = new Set<number>();
  let most = 0;
  let now = 0;
  const side = {
    inFlight: 3,
    async run(slot: number) {
      expect(busy.has(slot)).toBe(false);
      busy.add(slot);
      most = Math.max(most, busy.size);
      await Promise.resolve();
      now += 10;
      busy.delete(slot);
    },
  };
  await interleave(side, side, { sliceUs: 100, totalUs: 100 }, { clock: { monotonicUs: () => now } });
  expect(most).toBe(3);
  expect(busy.size).toBe(0);
});

test("a failure of an operation is the bench's", async () => {
  const failing = { inFlight: 2, run: () => Promise.reject(new Error("refused")) };
  await expect(interleave(failing, failing, { sliceUs: 1, totalUs: 1 })).rejects.toThrow("refused");
});

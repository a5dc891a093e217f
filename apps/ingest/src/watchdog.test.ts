// Goal: it barks after a quiet time, and only then. Method: a clock that is moved by hand.
import { ManualClock } from "@varve/fs-core/testing";
import { expect, test } from "vitest";
import { Watchdog } from "./watchdog.ts";

test("calls back once, a quiet time after the last sign of life", () => {
  const clock = new ManualClock();
  let barks = 0;
  const watchdog = new Watchdog(clock, 1000, () => barks++);
  clock.advance(900);
  watchdog.seen();
  clock.advance(999);
  expect(barks).toBe(0);
  clock.advance(1);
  expect(barks).toBe(1);
  clock.advance(10_000);
  expect(barks).toBe(1);
});

test("keeps quiet once stopped", () => {
  const clock = new ManualClock();
  let barks = 0;
  const watchdog = new Watchdog(clock, 1000, () => barks++);
  watchdog.stop();
  watchdog.stop();
  clock.advance(10_000);
  expect(barks).toBe(0);
});

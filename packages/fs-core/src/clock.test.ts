/** Goal: the machine's clock keeps the Clock's promises. Method: short real waits, with lower bounds only. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { systemClock } from "./clock.ts";

test("wall time is whole microseconds of this decade, monotonic time does not decrease", () => {
  expect(Number.isSafeInteger(systemClock.wallUs())).toBe(true);
  expect(systemClock.wallUs()).toBeGreaterThan(1_700_000_000_000_000);
  let last = systemClock.monotonicUs();
  for (let i = 0; i < 1000; i += 1) {
    const now = systemClock.monotonicUs();
    expect(now).toBeGreaterThanOrEqual(last);
    last = now;
  }
});

test("after fires once, not early; a cancelled timer never", async () => {
  const before = systemClock.monotonicUs();
  let cancelled = true;
  const timer = systemClock.after(1, () => {
    cancelled = false;
  });
  timer.cancel();
  timer.cancel();
  await new Promise<void>((resolve) => void systemClock.after(5, resolve));
  // Timers count whole milliseconds of another clock: they may be up to one early by this one.
  expect(systemClock.monotonicUs() - before).toBeGreaterThan(3900);
  expect(cancelled).toBe(true);
});

test("defer calls in a later turn", async () => {
  let now = true;
  const later = new Promise<boolean>((resolve) => systemClock.defer(() => resolve(now)));
  now = false;
  expect(await later).toBe(false);
});

test("sleep ends by time or by its signal", async () => {
  await systemClock.sleep(1);
  await systemClock.sleep(1, { signal: new AbortController().signal });
  await expect(systemClock.sleep(60_000, { signal: AbortSignal.abort(new Error("no")) })).rejects.toThrow("no");
  const abort = new AbortController();
  const sleeping = systemClock.sleep(60_000, { signal: abort.signal });
  abort.abort(new Error("enough"));
  await expect(sleeping).rejects.toThrow("enough");
});

test("only a background timer lets the process end first", async () => {
  const code = (options: string): string =>
    `import { systemClock } from "@varve/fs-core"; systemClock.after(50, () => console.log("fired"), ${options});`;
  const run = async (options: string): Promise<string> => {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", code(options)], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      stdio: ["ignore", "pipe", "inherit"],
    });
    let out = "";
    child.stdout.on("data", (chunk) => (out += String(chunk)));
    await once(child, "close");
    return out.trim();
  };
  expect([await run("{}"), await run("{ background: true }")]).toEqual(["fired", ""]);
});

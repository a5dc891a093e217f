/**
 * Goal: whichever way `append --ack` ends, every id it printed is in the log with the bytes that were sent for it.
 * Method: a producer that never stops, signals sent while ids are being printed, then a comparison of all of them.
 */
import { openReadOnly } from "@varve/aof";
import { describe, expect, test } from "vitest";
import { type Ended, lines, newLog, type Running, start, text, varve } from "./varve.ts";

/** Feeds `record 1`, `record 2`, … for as long as they are taken. */
function feed({ process: child }: Running): void {
  let next = 1;
  const more = (): void => {
    while (child.stdin.writable) {
      const chunk = lines(next, next + 499);
      next += 500;
      if (!child.stdin.write(chunk)) break;
    }
  };
  child.stdin.on("drain", more);
  more();
}

/** Appends, sends `signal` after some acknowledgements, and returns how it ended. */
async function interrupted(log: string, signal: NodeJS.Signals, ...options: readonly string[]): Promise<Ended> {
  const running = start("append", log, "--ack", ...options);
  feed(running);
  await running.until((printed) => printed.includes("\n2000\n"));
  running.process.kill(signal);
  return running.end();
}

/** Complete lines are acknowledgements; a part of one, cut by a kill, says nothing. */
function acknowledged({ stdout }: Ended): number[] {
  return stdout.toString().split("\n").slice(0, -1).map(Number);
}

async function expectAllThere(log: string, ids: readonly number[]): Promise<void> {
  expect(ids.length).toBeGreaterThanOrEqual(2000);
  expect(ids).toEqual(ids.map((_, index) => index + 1));
  const reader = await openReadOnly({ dir: log });
  try {
    let last = 0;
    for await (const { id, payload } of reader.read()) {
      if (Buffer.compare(payload, Buffer.from(`record ${id}`)) !== 0)
        throw new Error(`record ${id} is not what was sent`);
      last = id;
    }
    expect(last).toBeGreaterThanOrEqual(ids.length);
  } finally {
    await reader.close();
  }
}

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)("%s: reads no more, makes durable what was taken, closes, ends with %d", async (signal, code) => {
  const log = await newLog();
  const ended = await interrupted(log, signal);
  expect(ended).toMatchObject({ code, stderr: expect.stringMatching(/^stopped: appended /) });
  const ids = acknowledged(ended);
  await expectAllThere(log, ids);
  expect(JSON.parse(await text(["stat", log, "--json"]))).toMatchObject({
    lastId: ids.length,
    durableId: ids.length,
    state: "closed",
  });
});

test.each([[], ["--strategy", "batched:50"], ["--segment-size", "16KiB"]])(
  "SIGKILL with %j: every printed id is there",
  async (...options) => {
    const log = await newLog();
    const ended = await interrupted(log, "SIGKILL", ...options);
    expect(ended.signal).toBe("SIGKILL");
    await expectAllThere(log, acknowledged(ended));
    // Not by luck of the page cache alone: the log calls itself sound, and takes more.
    expect((await varve(["verify", log])).code).toBe(0);
    await text(["append", log], "more\n");
    expect(await text(["tail", log, "-n", "1"])).toBe("more\n");
  },
);

describe("a stop", () => {
  test("while the input is silent ends it at once, and leaves out the line that is not complete", async () => {
    const log = await newLog();
    const running = start("append", log, "--ack");
    running.process.stdin.write("whole\npart");
    await running.until((printed) => printed === "1\n");
    running.process.kill("SIGINT");
    expect((await running.end()).code).toBe(130);
    expect(await text(["cat", log])).toBe("whole\n");
  });

  test("waits for nobody who does not read: a full pipe does not hold it up", async () => {
    const log = await newLog();
    const running = start("append", log, "--ack");
    running.process.stdout.pause();
    // Enough ids to fill the pipe, then silence.
    running.process.stdin.write("\n".repeat(60_000));
    for (let held = 0; held < 60_000; ) held = await lastId(log);
    running.process.kill("SIGINT");
    running.process.stdout.destroy();
    const { code } = await running.end();
    expect(code).toBe(130);
    expect(JSON.parse(await text(["stat", log, "--json"]))).toMatchObject({ records: 60_000, state: "closed" });
  });
});

/** 0 until there is a log. */
async function lastId(log: string): Promise<number> {
  const { code, stdout } = await varve(["stat", log, "--json"]);
  return code === 0 ? ((JSON.parse(stdout.toString()) as { lastId: number | null }).lastId ?? 0) : 0;
}

// Goal: subscribers see each flush as documented, others pay nothing, and messages outlive the reused token.
// Method: real channels; the published objects are compared after the token was used again.
import diagnostics from "node:diagnostics_channel";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { flushChannels } from "../src/index.ts";
import { openBench } from "./support.ts";

const seen: { channel: string; message: unknown }[] = [];
const listen = (message: unknown, channel: string | symbol): void =>
  void seen.push({ channel: String(channel), message });

beforeEach(() => {
  seen.length = 0;
});
afterEach(() => {
  for (const name of Object.values(flushChannels)) diagnostics.unsubscribe(name, listen);
});

describe("diagnostics channels", () => {
  test("are named as documented", () => {
    expect(flushChannels).toEqual({
      begin: "varve:flush:begin",
      success: "varve:flush:success",
      failure: "varve:flush:failure",
    });
  });

  test("carry begin, success and failure of every flush", () => {
    for (const name of Object.values(flushChannels)) diagnostics.subscribe(name, listen);
    const { clock, controller } = openBench(undefined, { name: "orders" });
    clock.advance(5);
    controller.recordAppend(2, 128);
    const token = controller.begin("rotation");
    clock.advance(1.5);
    controller.succeed(token);
    const again = controller.begin("forced");
    const error = new Error("disk");
    controller.fail(again, error);
    const first = { name: "orders", trigger: "rotation", records: 2, bytes: 128, startedUs: 5000 };
    const second = { name: "orders", trigger: "forced", records: 0, bytes: 0, startedUs: 6500 };
    expect(seen).toEqual([
      { channel: "varve:flush:begin", message: first },
      { channel: "varve:flush:success", message: { ...first, durationUs: 1500 } },
      { channel: "varve:flush:begin", message: second },
      { channel: "varve:flush:failure", message: { ...second, durationUs: 0, error } },
    ]);
  });

  test("each is published on its own: a subscriber of failures is not told of successes", () => {
    diagnostics.subscribe(flushChannels.failure, listen);
    const { flush, controller } = openBench();
    flush(1, 1, 1);
    expect(seen).toEqual([]);
    controller.fail(controller.begin("forced"), new Error("disk"));
    expect(seen).toHaveLength(1);
  });

  test("a success is counted before it is told", () => {
    const { metrics, flush } = openBench();
    const counts: number[] = [];
    const count = (): void => void counts.push(metrics.successfulFlushes);
    diagnostics.subscribe(flushChannels.success, count);
    flush(1, 1, 1);
    diagnostics.unsubscribe(flushChannels.success, count);
    flush(1, 1, 1);
    expect(counts).toEqual([1]);
  });
});

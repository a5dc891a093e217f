// Goal: the end of a body is noticed once, whichever it is, and leaving a body leaves the one below.
// Method: a body that counts how often it was left, ended in each way.
import { describe, expect, test } from "vitest";
import type { DriverBody } from "../object-driver.ts";
import { watchBody } from "./watched-body.ts";

const info = {
  key: "a",
  size: 2,
  version: "1",
  lastModifiedMs: 1,
  metadata: {},
  contentType: undefined,
  checksum: undefined,
};

function counting(failure?: Error): { body: DriverBody; left: () => number } {
  let left = 0;
  let chunks = 2;
  const iterator: AsyncIterator<Uint8Array> = {
    async next() {
      if (chunks-- > 0) return { done: false, value: new Uint8Array(1) };
      if (failure !== undefined) throw failure;
      return { done: true, value: undefined };
    },
    async return() {
      left++;
      return { done: true, value: undefined };
    },
  };
  const body = { info, range: { offset: 0, length: 2 }, chunks: { [Symbol.asyncIterator]: () => iterator } };
  return { body, left: () => left };
}

function watched(failure?: Error): {
  body: DriverBody;
  left: () => number;
  ends: unknown[];
  bytes: () => number;
  stop: AbortController;
} {
  const stop = new AbortController();
  const { body, left } = counting(failure);
  const ends: unknown[] = [];
  let got = 0;
  const watching = watchBody(body, stop.signal, {
    onChunk: (bytes) => (got += bytes),
    onEnd: (why) => ends.push(why),
    mapError: (error) => new Error("mapped", { cause: error }),
  });
  return { body: watching, left, ends, bytes: () => got, stop };
}

describe("watchBody", () => {
  test("read to the end", async () => {
    const { body, ends, bytes, left, stop } = watched();
    for await (const _chunk of body.chunks);
    stop.abort();
    expect({ ends, bytes: bytes(), left: left() }).toEqual({ ends: [undefined], bytes: 2, left: 0 });
  });

  test("failed", async () => {
    const failure = new Error("broken");
    const { body, ends, stop } = watched(failure);
    const read = async (): Promise<void> => {
      for await (const _chunk of body.chunks);
    };
    await expect(read()).rejects.toMatchObject({ message: "mapped", cause: failure });
    stop.abort();
    expect(ends).toEqual([failure]);
  });

  test("left in the middle, and before the beginning", async () => {
    const middle = watched();
    for await (const _chunk of middle.body.chunks) break;
    expect([middle.ends, middle.left()]).toEqual([[undefined], 1]);
    const before = watched();
    await before.body.chunks[Symbol.asyncIterator]().return?.();
    expect([before.ends, before.left()]).toEqual([[undefined], 1]);
  });

  test("stopped, untouched or in the middle, and by a signal that had fired before", async () => {
    const { body, ends, stop } = watched();
    stop.abort();
    stop.abort();
    expect(ends).toEqual([undefined]);
    for await (const _chunk of body.chunks);
    expect(ends).toEqual([undefined]);
    const late: unknown[] = [];
    watchBody(counting().body, AbortSignal.abort(), { onEnd: (why) => late.push(why) });
    expect(late).toEqual([undefined]);
  });
});

/**
 * Goal: records come out of a stream exactly as they went in, however the stream is cut into chunks.
 * Method: properties over random records and random cuts; tables for what is refused and where.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AofRecord } from "@varve/aof";
import { parseFraming } from "./framing.ts";
import { LengthSplitter } from "./length-splitter.ts";
import { LineSplitter } from "./line-splitter.ts";
import type { RecordSplitter } from "./record-splitter.ts";
import { toJsonLine, toJsonRecord } from "./record-text.ts";

/** Records with a bias to what lines are sensitive to. */
const anyRecord = fc.array(fc.oneof(fc.constantFrom(0, 10, 13), fc.integer({ min: 0, max: 255 })), { maxLength: 12 });
const cuts = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 20 });

function* chunksOf(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.slice(at, at + size);
    at += size;
  }
}

function split(
  splitter: RecordSplitter,
  bytes: Uint8Array,
  sizes: readonly number[] = [bytes.length || 1],
): number[][] {
  const found: number[][] = [];
  for (const chunk of chunksOf(bytes, sizes)) {
    for (const record of splitter.push(chunk)) found.push([...record]);
  }
  for (const record of splitter.end()) found.push([...record]);
  return found;
}

function frames(records: readonly (readonly number[])[]): Uint8Array {
  return Buffer.concat(
    records.map((record) => {
      const frame = Buffer.alloc(4 + record.length);
      frame.writeUInt32LE(record.length);
      frame.set(record, 4);
      return frame;
    }),
  );
}

const bytesOf = (text: string): Uint8Array => Buffer.from(text);
const textOf = (records: readonly number[][]): string[] => records.map((record) => Buffer.from(record).toString());

describe("lines", () => {
  test("what had no newline in it comes back, whatever the chunks", () => {
    fc.assert(
      fc.property(fc.array(anyRecord.map((record) => record.filter((byte) => byte !== 10))), cuts, (records, sizes) => {
        const stream = Buffer.concat(records.map((record) => Buffer.from([...record, 10])));
        expect(split(new LineSplitter(100), stream, sizes)).toEqual(records);
      }),
    );
  });

  test.each([
    ["", []],
    ["\n", [""]],
    ["a", ["a"]],
    ["a\n", ["a"]],
    ["a\n\nb", ["a", "", "b"]],
    ["a\r\nb\r", ["a\r", "b\r"]],
    ["a\0b\n", ["a\0b"]],
  ])("%j", (text, records) => {
    expect(textOf(split(new LineSplitter(100), bytesOf(text)))).toEqual(records);
    expect(textOf(split(new LineSplitter(100), bytesOf(text), [1]))).toEqual(records);
  });

  test("a line that fits to the byte is taken, one more is refused by its number", () => {
    expect(split(new LineSplitter(3), bytesOf("a\nabc\n"))).toHaveLength(2);
    for (const sizes of [[1], [100]]) {
      const splitter = new LineSplitter(3);
      expect(() => split(splitter, bytesOf("a\nb\nabcd\n"), sizes)).toThrow(
        expect.objectContaining({ code: "SEGMENT_FULL", line: 3, message: expect.stringContaining("line 3") }),
      );
    }
  });

  test("an endless line is refused before it fills the memory", () => {
    const splitter = new LineSplitter(1000);
    let taken = 0;
    expect(() => {
      for (; taken < 100; taken++) expect([...splitter.push(new Uint8Array(64).fill(97))]).toEqual([]);
    }).toThrow(expect.objectContaining({ code: "SEGMENT_FULL", line: 1 }));
    expect(taken).toBe(15);
  });
});

describe("length frames", () => {
  test("any records come back, whatever the chunks", () => {
    fc.assert(
      fc.property(fc.array(anyRecord), cuts, (records, sizes) => {
        expect(split(new LengthSplitter(100), frames(records), sizes)).toEqual(records);
      }),
    );
  });

  test("an input cut anywhere inside a frame is refused with the frame's first byte, after the whole ones", () => {
    const stream = frames([[1, 2, 3], [], [4, 5]]);
    const borders = [0, 7, 11, stream.length];
    for (let end = 0; end <= stream.length; end++) {
      const splitter = new LengthSplitter(100);
      const whole = [...splitter.push(stream.subarray(0, end))].length;
      const begin = borders.findLast((border) => border <= end) ?? 0;
      expect(whole).toBe(borders.indexOf(begin));
      if (begin === end) expect([...splitter.end()]).toEqual([]);
      else {
        expect(() => [...splitter.end()]).toThrow(
          expect.objectContaining({
            code: "CUT_FRAME",
            offset: begin,
            message: expect.stringContaining(`byte ${begin}`),
          }),
        );
      }
    }
  });

  test("a length that no segment holds is refused before its bytes are awaited", () => {
    const splitter = new LengthSplitter(10);
    const [...first] = splitter.push(frames([[1]]));
    expect(first).toHaveLength(1);
    expect(() => [...splitter.push(Uint8Array.of(255, 255, 255, 255))]).toThrow(
      expect.objectContaining({ code: "SEGMENT_FULL", offset: 5, message: expect.stringContaining("4,294,967,295") }),
    );
  });
});

describe("records as JSON", () => {
  const record = (payload: Uint8Array): AofRecord => ({ id: 7, timestampUs: 1_795_231_090_123_456, payload });

  test("valid UTF-8 is text, NUL and byte order marks included", () => {
    const text = '\uFEFFgrüße\0\n"\\ 🌱';
    const json = JSON.parse(toJsonLine(record(bytesOf(text))));
    expect(json).toEqual({
      id: 7,
      timestamp: "2026-11-21T03:18:10.123456Z",
      timestampUs: 1_795_231_090_123_456,
      payload: text,
    });
  });

  test.each([[[0xff]], [[0xc3]], [[0x80, 0x41]], [[0xed, 0xa0, 0x80]], [[0xf5, 0x80, 0x80, 0x80]]])(
    "%j is not, so it is base64",
    (bytes) => {
      expect(toJsonRecord(record(Uint8Array.from(bytes)))).toMatchObject({
        payload: Buffer.from(bytes).toString("base64"),
        encoding: "base64",
      });
    },
  );

  test("bytes survive either way", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const json = JSON.parse(toJsonLine(record(bytes))) as { payload: string; encoding?: "base64" };
        expect([...Buffer.from(json.payload, json.encoding ?? "utf8")]).toEqual([...bytes]);
      }),
    );
  });
});

test("--framing takes what the verb can do, the first by default", () => {
  expect(parseFraming(undefined, ["line", "length"])).toBe("line");
  expect(parseFraming("length", ["line", "length"])).toBe("length");
  expect(() => parseFraming("none", ["line", "length"])).toThrow(expect.objectContaining({ code: "USAGE" }));
});

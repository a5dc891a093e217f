// The id of a record must change with every byte of it and with its place; a batch with a part missing must show.
import { SeededRandom } from "@varve/fs-core/testing";
import { describe, expect, it } from "vitest";
import { buildPayload, contractId, parsePayload, type RecordTag, tornBatches } from "./record-identity.ts";

const run = "0123456789abcdef";
const tagOf = (serial: number, index: number, size: number): RecordTag => ({ run, serial, index, size });

describe("payloads", () => {
  it.each([0, 1, 30, 31, 200, 5000])("of %i bytes say what they are", (bytes) => {
    const tag = tagOf(123_456, 2, 7);
    const payload = buildPayload(tag, bytes, new SeededRandom(1));
    expect(payload.length).toBeGreaterThanOrEqual(bytes);
    expect(parsePayload(payload)).toEqual(tag);
  });

  it.each(["", "v1", "v2 0123456789abcdef 1 0/1\n", "v1 0123456789abcdeX 1 0/1\n", "v1 0123456789abcdef 1 0/1"])(
    "%j is not one of ours",
    (text) => expect(parsePayload(Buffer.from(text))).toBeUndefined(),
  );

  it("have another id for every changed byte, and at another place", () => {
    const payload = buildPayload(tagOf(1, 0, 1), 100, new SeededRandom(2));
    const ids = new Set([contractId(1, payload), contractId(2, payload)]);
    for (let k = 0; k < payload.length; k++) {
      const changed = payload.slice();
      changed[k] = (changed[k] as number) ^ 1;
      ids.add(contractId(1, changed));
    }
    expect(ids.size).toBe(payload.length + 2);
  });
});

describe("tornBatches", () => {
  const recordsOf = (...tags: (RecordTag | undefined)[]) => tags.map((tag, k) => ({ logId: k + 1, tag }));
  const whole = [tagOf(0, 0, 1), tagOf(1, 0, 3), tagOf(2, 1, 3), tagOf(3, 2, 3), tagOf(4, 0, 2), tagOf(5, 1, 2)];

  it("finds nothing in whole batches, nor in records of somebody else", () => {
    expect(tornBatches(recordsOf(...whole))).toEqual([]);
    expect(tornBatches(recordsOf(undefined, tagOf(0, 0, 1), undefined))).toEqual([]);
  });

  it("finds every record that is cut from a batch", () => {
    for (let k = 1; k < whole.length; k++) {
      expect(tornBatches(recordsOf(...whole.toSpliced(k, 1))), `without record ${k}`).not.toEqual([]);
    }
    expect(tornBatches(recordsOf(...whole.toSpliced(0, 1)))).toEqual([]);
  });

  it("finds batches that lost their end, their beginning, their order, or their run", () => {
    expect(tornBatches(recordsOf(tagOf(1, 0, 3), tagOf(2, 1, 3)))).toEqual(["batch-at-1-has-2-of-3"]);
    expect(tornBatches(recordsOf(tagOf(2, 1, 3), tagOf(3, 2, 3)))).toContain("batch-lacks-1-of-3-before-1");
    expect(tornBatches(recordsOf(tagOf(2, 1, 2), tagOf(1, 0, 2)))).toHaveLength(2);
    expect(tornBatches(recordsOf(tagOf(1, 0, 2), { ...tagOf(2, 1, 2), run: "f".repeat(16) }))).toHaveLength(2);
  });
});

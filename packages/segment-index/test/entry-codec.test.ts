/**
 * Goal: an entry comes back exactly, and bytes that are not exactly an entry never do. Method: fast-check over entries and
 * over bytes; every bit of one entry flipped.
 */
import assert from "node:assert/strict";
import { crc64Nvme } from "@varve/fs-core";
import { SeededRandom } from "@varve/fs-core/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeEntry, encodeEntry, entryLength } from "../src/entry-codec.ts";
import { makeEntry } from "../src/entry-rules.ts";
import { isIndexError } from "../src/errors.ts";
import type { SegmentEntry } from "../src/segment-entry.ts";
import { segmentStatuses } from "../src/segment-status.ts";
import { sampleEntry } from "../src/testing/index.ts";
import { flipped } from "./damage-cases.ts";
import { seed } from "./effort.ts";

const count = fc.maxSafeNat();
const checksum = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const text = (limit: number): fc.Arbitrary<string> => {
  return fc
    .string({ minLength: 1, maxLength: 40, unit: "binary" })
    .filter((value) => Buffer.byteLength(value) <= limit);
};
const fields = fc.record({
  baseId: fc.integer({ min: 1, max: 2 ** 40 }),
  status: fc.constantFrom(...segmentStatuses),
  createdAt: count,
  dataLength: count,
  originalSize: count,
  epoch: count,
  uncompressedChecksum: checksum,
  archiveKey: text(1024),
});
const optional = fc.record(
  {
    finalizedAt: count,
    archivedAt: count,
    compressedSize: count,
    compressedChecksum: checksum,
    localPath: text(512),
    archiveStoreId: text(128),
    archiveEtag: text(256),
    keyId: text(256),
    codec: text(32),
  },
  { requiredKeys: [] },
);
const spans = fc.record({ records: fc.nat({ max: 2 ** 30 }), from: fc.nat(), long: fc.nat() });
const entries = fc
  .tuple(fields, optional, spans, count)
  .map(([some, more, { records, from, long }, version]): SegmentEntry => {
    const times = { firstTimestampUs: from, lastTimestampUs: from + long };
    return makeEntry({ ...some, ...more, ...times, recordCount: records, lastId: some.baseId + records - 1 }, version);
  });

test("any entry comes back as it was", () => {
  fc.assert(
    fc.property(entries, (entry) => {
      const bytes = encodeEntry(entry);
      expect(entryLength(bytes)).toBe(bytes.length);
      expect(decodeEntry(bytes)).toEqual(entry);
    }),
    { seed, numRuns: 500 },
  );
});

test("bytes that are no entry are damage, whatever they are", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    // Right length, right checksum, anything inside: what a careless writer of another program might leave.
    fc.uint8Array({ minLength: 96, maxLength: 300 }).map(sealed),
  );
  fc.assert(
    fc.property(bytes, (found) => {
      try {
        decodeEntry(found);
      } catch (error) {
        if (isIndexError(error) && ["INDEX_DAMAGED", "INDEX_FORMAT_TOO_NEW"].includes(error.code)) return;
        throw error;
      }
    }),
    { seed, numRuns: 2000 },
  );
});

test("a flipped bit is damage, in the version byte too", () => {
  const bytes = encodeEntry(makeEntry(sampleEntry(7), 1));
  for (const { name, bytes: spoiled } of flipped(bytes, new SeededRandom(seed), { count: undefined })) {
    assert.throws(() => decodeEntry(spoiled), { code: "INDEX_DAMAGED" }, name);
  }
});

test("a later version is told from damage", () => {
  const bytes = encodeEntry(makeEntry(sampleEntry(7), 1));
  bytes[0] = 2;
  expect(() => decodeEntry(sealed(bytes.subarray(0, -8)))).toThrow(
    expect.objectContaining({ code: "INDEX_FORMAT_TOO_NEW" }),
  );
});

/** The body with its length and checksum put right. */
function sealed(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(body.length + 8);
  bytes.set(body);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, bytes.length, true);
  view.setBigUint64(body.length, crc64Nvme(bytes.subarray(0, body.length)), true);
  return bytes;
}

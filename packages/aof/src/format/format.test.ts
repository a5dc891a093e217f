// Goal: every byte layout decodes what it encoded, tells foreign, newer and damaged apart, and matches the golden files.
// Method: round trips, every single bit flipped, properties over random offset tables.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeManifest, encodeManifest, type Manifest, manifestBytes } from "./manifest-codec.ts";
import { decodeTableSlices, encodeOffsetTable, offsetTableBytes, tableSlices } from "./offset-table.ts";
import { decodeSegmentFooter, encodeSegmentFooter, type SegmentFooter, tableMatchesFooter } from "./segment-footer.ts";
import { decodeSegmentHeader, encodeSegmentHeader, type SegmentHeader } from "./segment-header.ts";

const manifest: Manifest = {
  epoch: 7,
  logId: "00112233445566778899aabbccddeeff",
  firstId: 3,
  closedCleanly: true,
  hasKeys: true,
  hasCursors: false,
  active: { baseId: 900, salt: 0xfedcba9876543210n },
  promisedId: 899,
  tail: { baseId: 500, length: 65528, checksum: 0x123456789abcdef0n },
  updatedAtUs: 1_700_000_000_000_000,
};

const header: SegmentHeader = {
  baseId: 900,
  epoch: 7,
  createdAtUs: 1_700_000_000_000_000,
  salt: 0xfedcba9876543210n,
  previousLength: 65528,
  previousChecksum: 0x123456789abcdef0n,
  salvaged: false,
};

const footer: SegmentFooter = {
  recordCount: 12,
  entryBytes: 2,
  lastId: 911,
  firstTimestampUs: 5,
  lastTimestampUs: 6,
  dataLength: 4096,
  segmentChecksum: 0xabcdefn,
  salt: 0xfedcba9876543210n,
  epoch: 7,
  expiringCount: 3,
  maxExpiresAtUs: 1_800_000_000_000_000,
};

const table = Uint8Array.from({ length: 64 }, (_, index) => index);

const structures = {
  MANIFEST: { bytes: encodeManifest(manifest), decode: decodeManifest, value: manifest },
  "segment header": { bytes: encodeSegmentHeader(header), decode: decodeSegmentHeader, value: header },
  "segment footer": { bytes: encodeSegmentFooter(footer, table), decode: decodeSegmentFooter, value: footer },
};

describe.each(Object.entries(structures))("%s", (_name, { bytes, decode, value }) => {
  test("decodes what it encoded", () => {
    expect(decode(bytes)).toEqual({ kind: "ok", value });
  });

  test("notices every flipped bit", () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(["foreign", "damaged"], `bit ${bit}`).toContain(decode(flipped).kind);
    }
  });

  test("notices every truncation, and zeroes", () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(["foreign", "damaged"], `${length} bytes`).toContain(decode(bytes.slice(0, length)).kind);
    }
    expect(decode(new Uint8Array(bytes.length)).kind).toBe("foreign");
  });
});

describe("a newer version", () => {
  test("is told from damage only when its checksum is right", async () => {
    const { crc64Nvme } = await import("@varve/fs-core");
    const newer = encodeManifest(manifest);
    const view = new DataView(newer.buffer);
    view.setUint16(8, 2, true);
    expect(decodeManifest(newer).kind).toBe("damaged");
    view.setBigUint64(120, crc64Nvme(newer.subarray(0, 120)), true);
    expect(decodeManifest(newer)).toEqual({ kind: "newer", version: 2 });
    const newerSegment = encodeSegmentHeader(header);
    const segmentView = new DataView(newerSegment.buffer);
    segmentView.setUint16(8, 9, true);
    segmentView.setBigUint64(56, crc64Nvme(newerSegment.subarray(0, 56)), true);
    expect(decodeSegmentHeader(newerSegment)).toEqual({ kind: "newer", version: 9 });
  });

  test("a required flag it does not know is newer too", async () => {
    const { crc64Nvme } = await import("@varve/fs-core");
    const flagged = encodeManifest(manifest);
    const view = new DataView(flagged.buffer);
    view.setUint16(10, 8, true);
    view.setBigUint64(120, crc64Nvme(flagged.subarray(0, 120)), true);
    expect(decodeManifest(flagged).kind).toBe("newer");
  });
});

test("MANIFEST has a constant size, with and without its parts", () => {
  expect(encodeManifest(manifest)).toHaveLength(manifestBytes);
  const bare = { ...manifest, active: undefined, tail: undefined, closedCleanly: false };
  expect(decodeManifest(encodeManifest(bare))).toEqual({ kind: "ok", value: bare });
});

test("the footer's table checksum notices every flipped bit of the table", () => {
  const bytes = encodeSegmentFooter(footer, table);
  expect(tableMatchesFooter(table, bytes)).toBe(true);
  for (let bit = 0; bit < table.length * 8; bit++) {
    const flipped = table.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
    expect(tableMatchesFooter(flipped, bytes)).toBe(false);
  }
});

describe("the offset table", () => {
  const units = fc
    .array(fc.oneof(fc.integer({ min: 4, max: 40 }), fc.integer({ min: 4, max: 70_000 })), {
      minLength: 0,
      maxLength: 1200,
    })
    .map((lengths) => {
      let at = 8;
      return Uint32Array.from(lengths, (length) => {
        const start = at;
        at += length;
        return start;
      });
    });

  test("gives every offset back, in slices of any aligned begin", () => {
    fc.assert(
      fc.property(units, fc.nat({ max: 4 }), (all, group) => {
        const { entryBytes, bytes } = encodeOffsetTable(all, all.length);
        expect(bytes.length).toBe(offsetTableBytes(all.length, entryBytes));
        expect(bytes.length % 8).toBe(0);
        const first = Math.min(group * 256, Math.floor(all.length / 256) * 256);
        const length = Math.min(700, all.length - first);
        const slices = tableSlices(all.length, entryBytes, first, length);
        const cut = (slice: { at: number; length: number } | undefined) =>
          slice && bytes.subarray(slice.at, slice.at + slice.length);
        const decoded = decodeTableSlices(entryBytes, cut(slices.anchors), cut(slices.entries) as Uint8Array, length);
        expect(decoded).toEqual(all.slice(first, first + length));
      }),
    );
  });

  test("takes 2.02 bytes a record where records are small, 4 where they are large", () => {
    const small = Uint32Array.from({ length: 10_000 }, (_, index) => 8 + index * 12);
    expect(encodeOffsetTable(small, 10_000)).toMatchObject({ entryBytes: 2 });
    expect(encodeOffsetTable(small, 10_000).bytes.length / 10_000).toBeLessThan(2.02);
    const large = Uint32Array.from({ length: 1000 }, (_, index) => 8 + index * 8196);
    expect(encodeOffsetTable(large, 1000)).toMatchObject({ entryBytes: 4 });
  });
});

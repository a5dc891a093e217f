// Goal: a part is read as it was written, or not at all.
// Method: there and back; then every single changed byte, every length, and strangers' files.
import { expect, test } from "vitest";
import { crc64Nvme } from "../../checksum/crc64-nvme.ts";
import { type CachedPart, decodePart, encodePart } from "./part-file.ts";

function partOf(bytes: Uint8Array, fields: Partial<CachedPart["info"]> = {}): CachedPart {
  return {
    object: { storeId: "s", key: "a/ä", version: '"etag"', partBytes: 4096 },
    number: 3,
    info: {
      key: "a/ä",
      size: 20_000,
      version: '"etag"',
      lastModifiedMs: 1_700_000_000_000,
      metadata: { note: "x%20y" },
      contentType: "text/plain",
      checksum: 0x0123_4567_89ab_cdefn,
      ...fields,
    },
    bytes,
    checksum: crc64Nvme(bytes),
  };
}

test("what is written is read again", () => {
  for (const part of [
    partOf(new Uint8Array([1, 2, 3])),
    partOf(new Uint8Array(0)),
    partOf(new Uint8Array(4096).fill(7), { checksum: undefined, contentType: undefined, metadata: {} }),
    partOf(new Uint8Array(1), { checksum: 0n }),
  ]) {
    expect(decodePart(encodePart(part))).toEqual(part);
  }
});

test("no file with one other byte is a part", () => {
  const file = encodePart(partOf(new Uint8Array([1, 2, 3, 4, 5])));
  for (let at = 0; at < file.byteLength; at++) {
    for (const change of [1, 0x80, 0xff]) {
      const other = file.slice();
      other[at] = (other[at] as number) ^ change;
      expect(decodePart(other), `byte ${at}`).toBeUndefined();
    }
  }
});

test("no shorter and no longer file is a part", () => {
  const file = encodePart(partOf(new Uint8Array(50).fill(9)));
  for (let length = 0; length < file.byteLength; length++) {
    expect(decodePart(file.slice(0, length)), `${length} bytes`).toBeUndefined();
    if (length > 0) expect(decodePart(file.slice(length)), `from ${length}`).toBeUndefined();
  }
  expect(decodePart(Buffer.concat([file, file]))).toBeUndefined();
  expect(decodePart(Buffer.concat([file, Buffer.alloc(1)]))).toBeUndefined();
  expect(decodePart(new Uint8Array(file.byteLength))).toBeUndefined();
});

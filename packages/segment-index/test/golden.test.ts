/**
 * Goal: files of released versions stay readable, and what this version writes does not change unnoticed. Method: golden
 * files, one for each layout of FORMAT.md; a later version of each is refused as such. After a deliberate change of a
 * format, with a new version number, VARVE_WRITE_GOLDEN=1 writes the file of the new version.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc64Nvme } from "@varve/fs-core";
import { describe, expect, test } from "vitest";
import { decodeEntry, encodeEntry } from "../src/entry-codec.ts";
import { makeEntry } from "../src/entry-rules.ts";
import { decodeHeader, encodeFrame, encodeSlot, slotOffset } from "../src/file/file-layout.ts";
import { buildIndexFile, readIndexFile } from "../src/file/index-file.ts";
import { checkEnvironment } from "../src/lmdb/check-environment.ts";
import { encodeSeal, isSealed } from "../src/lmdb/environment-seal.ts";
import { LmdbSegmentIndex } from "../src/lmdb/index.ts";
import { MemorySegmentIndex, MemoryStorage } from "../src/memory-segment-index.ts";
import { fullEntry } from "../src/testing/check-entries.ts";
import { activeEntry, sampleLogId as logId } from "../src/testing/index.ts";
import { fillIndex, textOf, visibleState } from "./fill-index.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const directory = fileURLToPath(new URL("golden/", import.meta.url));

const root = temporaryDirectory();

/** The golden file's bytes; written first when asked to. */
function golden(name: string, made: () => Uint8Array): Uint8Array {
  const path = join(directory, name);
  if (process.env["VARVE_WRITE_GOLDEN"] === "1" && !existsSync(path)) writeFileSync(path, made());
  return new Uint8Array(readFileSync(path));
}

const entries = [makeEntry(activeEntry(1), 1), makeEntry(fullEntry(7), 2 ** 40)];

describe("an entry", () => {
  test.each(entries.map((entry, index) => [`entry-v1-${index}.bin`, entry] as const))("%s", (name, entry) => {
    const bytes = golden(name, () => encodeEntry(entry));
    expect(decodeEntry(bytes)).toEqual(entry);
    expect(Buffer.from(encodeEntry(entry)).equals(bytes)).toBe(true);
  });
});

describe("segments.idx", () => {
  const stamp = { logId, epoch: 2, tailBaseId: 7, tailLength: 128 };

  /** A file with a base state and one frame with a change of every kind. */
  function build(): Uint8Array {
    const base = new MemoryStorage(logId);
    const [active, full] = entries as [(typeof entries)[0], (typeof entries)[0]];
    base.apply(
      [
        { kind: "put", entry: active },
        { kind: "cursor", name: "old", id: 3 },
      ],
      5,
    );
    const { bytes, position } = buildIndexFile(base, logId, 9);
    const frame = {
      sequence: 2,
      revision: 6,
      changes: [
        { kind: "clear" },
        { kind: "put", entry: active },
        { kind: "put", entry: full },
        { kind: "remove", baseId: 1 },
        { kind: "cursor", name: "billing é", id: 2 ** 53 - 1 },
        { kind: "cursor", name: "old", id: undefined },
        { kind: "epoch", epoch: 2 },
        { kind: "stamp", stamp },
      ],
    } as const;
    const { bytes: frameBytes, checksum } = encodeFrame(frame, position.checksum);
    const file = Buffer.concat([bytes, frameBytes]);
    file.set(encodeSlot({ sequence: 2, end: file.length, checksum }), slotOffset(2));
    return file;
  }

  test("segments-v1.idx", () => {
    const bytes = golden("segments-v1.idx", build);
    expect(Buffer.from(build()).equals(bytes)).toBe(true);
    const { state, position, clean } = readIndexFile(bytes, logId);
    expect([clean, position.generation, position.sequence, state.revision]).toEqual([true, 9, 2, 6]);
    expect(state.changes()).toEqual([
      { kind: "put", entry: entries[1] },
      { kind: "cursor", name: "billing é", id: 2 ** 53 - 1 },
      { kind: "epoch", epoch: 2 },
      { kind: "stamp", stamp },
    ]);
  });

  test("of a later version is told from damage", () => {
    const bytes = golden("segments-v1.idx", build);
    new DataView(bytes.buffer).setUint32(8, 2, true);
    expect(() => decodeHeader(bytes)).toThrow(expect.objectContaining({ code: "INDEX_DAMAGED" }));
    new DataView(bytes.buffer).setBigUint64(56, crc64Nvme(bytes.subarray(0, 56)), true);
    expect(() => decodeHeader(bytes)).toThrow(expect.objectContaining({ code: "INDEX_FORMAT_TOO_NEW" }));
  });
});

describe("data.mdb and data.seal", () => {
  test("environment-v1.mdb", async () => {
    const model = new MemorySegmentIndex({ logId });
    await fillIndex(model, 12);
    const place = join(root, "index");
    const index = await LmdbSegmentIndex.open({ directory: place, logId });
    await fillIndex(index, 12);
    await index.close();
    const bytes = golden("environment-v1.mdb", () => readFileSync(join(place, "data.mdb")));
    const { segments, values, state } = checkEnvironment(bytes, logId);
    const decoded = {
      entries: segments.map(({ value }) => decodeEntry(value)),
      epoch: values.writerEpoch,
      stamp: values.stamp,
    };
    const { entries: wanted, epoch, stamp, cursors } = await visibleState(model);
    expect(textOf(decoded)).toBe(textOf({ entries: wanted, epoch, stamp }));
    expect(Array.from(values.cursors, ([name, id]) => ({ name, id }))).toEqual(cursors);
    expect(state.revision).toBeGreaterThan(12);
  });

  test("seal-v1.bin", () => {
    const file = golden("environment-v1.mdb", () => new Uint8Array(0));
    const seal = golden("seal-v1.bin", () => encodeSeal(file));
    expect(isSealed(file, seal)).toBe(true);
    expect(isSealed(file.subarray(1), seal)).toBe(false);
    expect(isSealed(file, undefined)).toBe(false);
  });
});

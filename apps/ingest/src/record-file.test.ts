// Goal: what was written is read back, from any record on, in any portions. Method: a model, in a file system in memory.
import { MemoryFileSystem } from "@varve/fs-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RecordFile, RecordFileWriter } from "./record-file.ts";

async function write(records: readonly Uint8Array[]): Promise<MemoryFileSystem> {
  const files = new MemoryFileSystem();
  const writer = await RecordFileWriter.create(files, "records");
  for (const record of records) {
    if (writer.add(record)) await writer.flush();
  }
  await writer.flush();
  await writer[Symbol.asyncDispose]();
  return files;
}

async function readAll(
  files: MemoryFileSystem,
  firstId: number,
  portion: number,
  maxBytes?: number,
): Promise<Uint8Array[]> {
  const file = await RecordFile.open(files, "records", firstId);
  const records: Uint8Array[] = [];
  for (let taken = await file.take(portion, maxBytes); taken.length > 0; taken = await file.take(portion, maxBytes)) {
    expect(taken.length).toBeLessThanOrEqual(portion);
    records.push(...taken);
  }
  await file[Symbol.asyncDispose]();
  return records;
}

const record = fc
  .uint8Array({ minLength: 1, maxLength: 40 })
  .map((bytes) => bytes.map((byte) => (byte === 10 ? 11 : byte)));

describe("RecordFile", () => {
  test("gives back every record, from any one on", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(record),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        async (records, firstId, portion) => {
          const files = await write(records);
          expect((await readAll(files, firstId, portion)).map((each) => [...each])).toEqual(
            records.slice(firstId - 1).map((each) => [...each]),
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  test("reads records that stand across blocks, and ones larger than a block", async () => {
    const records = [700_000, 1, 262_144, 262_143, 5].map((length, index) => new Uint8Array(length).fill(65 + index));
    const files = await write(records);
    const read = await readAll(files, 1, 3);
    expect(read.map(({ length }) => length)).toEqual(records.map(({ length }) => length));
    expect(Buffer.compare(Buffer.concat(read), Buffer.concat(records))).toBe(0);
  });

  test("keeps to the bytes asked for, but never gives nothing for too long a record", async () => {
    const files = await write([
      new Uint8Array(10).fill(1),
      new Uint8Array(10).fill(2),
      new Uint8Array(50).fill(3),
      new Uint8Array(10).fill(4),
    ]);
    const file = await RecordFile.open(files, "records", 1);
    const portions: number[] = [];
    for (let taken = await file.take(9, 25); taken.length > 0; taken = await file.take(9, 25))
      portions.push(taken.length);
    await file[Symbol.asyncDispose]();
    expect(portions).toEqual([2, 1, 1]);
  });
});
